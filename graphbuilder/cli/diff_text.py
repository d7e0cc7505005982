"""What `graphbuilder diff` prints for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, takewhile
from typing import Any

from graphbuilder.analysis import Totals
from graphbuilder.analysis.diff import ABSENT, Change, Difference, NodeChange, ScopeDifference
from graphbuilder.analysis.diff_sides import Node
from graphbuilder.catalog import TensorType
from graphbuilder.catalog.arguments import as_written
from graphbuilder.cli.output import bold, encodes, terminal_width

__all__ = ["print_difference"]

# How many shapes are told.
_SHAPES = 8
# How many renames that are alike become one line.
_RUN = 3
# What stands between the words of a name.
_BETWEEN = (".", "_", "-")


def print_difference(found: Difference, one: str, two: str) -> None:
    """Prints what differs.

    Arguments:
        found: what differs.
        one: what the first side is called.
        two: what the second is called.
    """
    width = terminal_width()
    if not found.count:
        print(f"{one} and {two} are the same")
    else:
        print(bold(f"{one} {_arrow()} {two}: {found.count} difference{'' if found.count == 1 else 's'}"))
    for sign, label, text in _lines(found):
        head = f"{sign} {label:10}  "
        print(*textwrap.wrap(text, width, initial_indent=head, subsequent_indent=" " * len(head)), sep="\n")


def _lines(found: Difference) -> Iterator[tuple[str, str, str]]:
    """The sign, label and text of each line."""
    for scope in found.scopes:
        yield from _scope_lines(scope, names=found.names)
    for change in found.sections:
        section, _, path = change.path.partition(".")
        yield "~", section, f"{path} {_values(change)}".strip()
    yield from _shape_lines(found)
    if not found.names:
        renamed = sum(change.renamed for scope in found.scopes for change in scope.changed)
        if renamed:
            told = "1 node has another name" if renamed == 1 else f"{renamed} nodes have other names"
            yield " ", "names", f"{told}, which does not count by graph"
    if found.totals is not None:
        yield from _total_lines(*found.totals)


def _scope_lines(scope: ScopeDifference, *, names: bool) -> Iterator[tuple[str, str, str]]:
    place = f"{scope.name}: " if scope.name else ""
    for node in scope.removed:
        yield "-", "removed", place + _described(node)
    for node in scope.added:
        yield "+", "added", place + _described(node)
    for change in _gathered(scope.changed) if names else scope.changed:
        if not isinstance(change, NodeChange):
            (before, after), count = change
            yield "~", "renamed", f"{place}{before}* {_arrow()} {after}*: {count} nodes"
            continue
        told = [] if not change.new_kind else [f"{change.before.kind} {_arrow()} {change.after.kind}"]
        told += [f"{item.path} {_values(item)}" for item in change.arguments]
        told += [_input(item) for item in change.inputs]
        if change.renamed and (names or told):
            renamed = f"{change.before.name} {_arrow()} {change.after.name}"
            yield "~", "renamed", place + renamed + (f": {'; '.join(told)}" if told else "")
        elif told:
            label = "rewired" if change.inputs and not change.arguments and not change.new_kind else "changed"
            yield "~", label, f"{place}{change.before.name}: {'; '.join(told)}"
    for item in scope.outputs:
        yield "~", "output", f"{place}{item.path} {_references(item)}".strip()


def _gathered(changes: Sequence[NodeChange]) -> Iterator[NodeChange | tuple[tuple[str, str], int]]:
    """The changes in order, runs of renames that are one for all that stands in a block told by how the names begin."""
    for fronts, run in groupby(changes, key=_fronts):
        found = list(run)
        if fronts is not None and len(found) >= _RUN:
            yield fronts, len(found)
        else:
            yield from found


def _fronts(change: NodeChange) -> tuple[str, str] | None:
    """How the old and the new name begin where the rest of both is the same words; None for more than a rename."""
    if not change.renamed or change.new_kind or change.arguments or change.inputs:
        return None
    before, after = change.before.name, change.after.name
    pairs = zip(reversed(before), reversed(after), strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    # It begins with a word, in both.
    words = [at for at in range(len(before) - same, len(before)) if before[at - 1 : at] in _BETWEEN and at]
    rest = len(before) - words[0] if words else 0
    front = after[: len(after) - rest]
    return (before[: len(before) - rest], front) if rest and front[-1:] in _BETWEEN and front else None


def _described(node: Node) -> str:
    """A node in one line."""
    arguments = "".join(f", {name} {as_written(value)}" for name, value in node.arguments.items())
    sources = ", ".join(str(reference) for reference in node.inputs.values())
    return f"{node.name}, {node.kind}{arguments}{f', from {sources}' if sources else ''}"


def _input(change: Change) -> str:
    if change.path == "reuse":
        return f"weights of {_references(change)}"
    place = change.path.partition(".")[2] or ("" if change.path in ("", "inputs", "x", "x1") else change.path)
    return f"from{f' {place}' if place else ''} {_references(change)}"


def _references(change: Change) -> str:
    return f"{_plain(change.before)} {_arrow()} {_plain(change.after)}"


def _plain(value: Any) -> str:
    return "nothing" if value is ABSENT else str(value)


def _values(change: Change) -> str:
    before, after = ("nothing" if value is ABSENT else as_written(value) for value in (change.before, change.after))
    return f"{before} {_arrow()} {after}"


def _shape_lines(found: Difference) -> Iterator[tuple[str, str, str]]:
    """The nodes that give something else, those first that stand first."""
    changes = [change for scope in found.scopes for change in scope.changed if change.types is not None]
    for change in changes[:_SHAPES]:
        yield " ", "shape", _shape(change)
    if len(changes) > _SHAPES:
        yield " ", "", f"and {len(changes) - _SHAPES} more nodes give another shape"


def _shape(change: NodeChange) -> str:
    assert change.types is not None
    before, after = (_types(side) for side in change.types)
    return f"{change.after.name} {before} {_arrow()} {after}"


def _types(types: Sequence[TensorType | None]) -> str:
    return ", ".join("unknown" if found is None else str(found) for found in types)


def _total_lines(before: Totals, after: Totals) -> Iterable[tuple[str, str, str]]:
    for label, one, two in (
        ("parameters", before.parameters, after.parameters),
        ("MACs", before.macs, after.macs),
        ("size", sum(before.size.values()), sum(after.size.values())),
    ):
        if one != two:
            share = f", {100 * (two - one) / one:+.1f} %" if one else ""
            unit = " bytes" if label == "size" else ""
            yield " ", label, f"{one:,} {_arrow()} {two:,}{unit} ({two - one:+,}{share})"


def _arrow() -> str:
    return "→" if encodes("→") else "->"
