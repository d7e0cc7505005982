"""Which columns of a table go where."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod

from graphbuilder.catalog import shape_text
from graphbuilder.data.faults import Faults, counted, listed
from graphbuilder.data.wants import Values, Wanted, Wants
from graphbuilder.errors import suggestion

__all__ = ["assign"]

# What a column of labels is usually called, where the blueprint has one output.
_LABELS = ("class", "species", "category")


def assign(
    header: Sequence[str], wants: Wants, faults: Faults, columns: Mapping[str, Sequence[str]] | None = None
) -> dict[str, list[int]]:
    """The columns of each input and output, by their indices.

    In this order: what `--columns` says; a column of the very name; columns `name.part` or `name[0]`; for the only
    output a column called label, target, y or class; and for the only input that is left, all columns that are left.

    Arguments:
        header: the names of the columns.
        wants: what the graph needs.
        faults: takes what is missing, superfluous or does not fit.
        columns: the columns that the user stated.
    """
    stated = dict(columns or {})
    taken: dict[str, list[int]] = {}
    for wanted in wants:
        if wanted.name in stated:
            taken[wanted.name] = _stated(header, wanted, stated[wanted.name], faults)
        else:
            found = _named(header, wanted)
            if found:
                taken[wanted.name] = found
    for name in stated.keys() - {wanted.name for wanted in wants}:
        known = [wanted.name for wanted in wants]
        faults.add("GB703", f"--columns {name}=… names no input or output", hint=suggestion(name, known))
    used = {at for found in taken.values() for at in found}
    open_inputs = [wanted for wanted in wants.inputs if wanted.name not in taken]
    if len(open_inputs) == 1 and all(wanted.name in taken for wanted in wants.outputs):
        rest = [at for at in range(len(header)) if at not in used]
        if rest:
            taken[open_inputs[0].name] = rest
            used.update(rest)
    missing = [wanted for wanted in wants if wanted.name not in taken]
    for wanted in missing:
        left = [column for at, column in enumerate(header) if at not in used]
        faults.add(
            "GB703",
            f"no column is called {wanted.name}" + (f" or {wanted.name}.…" if _width(wanted) != 1 else ""),
            line=1,
            node=wanted.name,
            expected=_expected(wanted),
            hint=suggestion(wanted.name, left, listing=f"--columns {wanted.name}=… takes some of {listed(left)}"),
        )
    for wanted in wants:
        _check_width(header, wanted, taken.get(wanted.name), faults)
    if not faults.errors:
        for at, column in enumerate(header):
            if at not in used:
                faults.warn("GB704", f"the column {column} is not used")
    return taken


def _stated(header: Sequence[str], wanted: Wanted, columns: Sequence[str], faults: Faults) -> list[int]:
    found = []
    for column in columns:
        if column in header:
            found.append(header.index(column))
        else:
            hint = suggestion(column, list(header), listing=f"the columns are {listed(header)}")
            faults.add("GB703", f"there is no column {column}", line=1, node=wanted.name, hint=hint)
    return found


def _named(header: Sequence[str], wanted: Wanted) -> list[int]:
    """The columns whose names say that they are of an input or output."""
    labels = _LABELS if wanted.role == "output" and "label" in wanted.aliases else ()
    for name in (*wanted.names, *labels):
        if name in header:
            return [header.index(name)]
    for name in wanted.names:
        parts = [at for at, column in enumerate(header) if column.startswith(f"{name}.")]
        if parts:
            return parts
        numbered = re.compile(rf"{re.escape(name)}\[(\d+)\]")
        found = {int(match[1]): at for at, column in enumerate(header) if (match := numbered.fullmatch(column))}
        if found:
            return [found[number] for number in sorted(found)]
    return []


def _width(wanted: Wanted) -> int | None:
    """How many columns it takes, or None where that is open."""
    if wanted.shape is None:
        return None
    # A class is told by one column, whether or not the loss wants it as a vector.
    if wanted.rule.values is Values.ONE_HOT:
        return None
    known = [dim for dim in wanted.shape if isinstance(dim, int)]
    return prod(known) if len(known) == len(wanted.shape) else None


def _expected(wanted: Wanted) -> str:
    width = _width(wanted)
    return str(wanted) if width is None else counted(width, "column")


def _check_width(header: Sequence[str], wanted: Wanted, found: Sequence[int] | None, faults: Faults) -> None:
    width = _width(wanted)
    if not found or width is None or len(found) == width:
        return
    worded = wanted.rule.values is Values.UNIT and len(found) == 1
    if worded:
        return
    held = f"{counted(len(found), 'column')} are" if len(found) > 1 else "1 column is"
    faults.add(
        "GB705",
        f"{held} given to it: {listed(header[at] for at in found)}",
        line=1,
        node=wanted.name,
        expected=f"{width}, for shape {shape_text(wanted.shape or ())}",
        hint=f"--columns {wanted.name}=… names the columns to take",
    )
