"""One function for uses of a block that have different nodes: what only some have stands under an `if`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from graphbuilder.export.code_conditions import Conditions, Unmergeable, runs

if TYPE_CHECKING:
    from graphbuilder.export.code_functions import FunctionWriter

__all__ = ["merged"]

_INDENT = "    "
_T = TypeVar("_T")


def merged(writers: Sequence[FunctionWriter], conditions: Conditions) -> list[str]:
    """The statements that do for several uses of a block.

    Each use that is told its params does the very statements that were written for it alone, with other names for the
    values that pass through what it lacks.

    Arguments:
        writers: those of the uses, which have written with these conditions.
        conditions: what some of them lack.

    Raises:
        Unmergeable: they differ in more than the nodes that they have.
    """
    _same([tuple(writer.tensors) for writer in writers])
    _same([tuple(writer.ports) for writer in writers])
    _same([tuple(writer.results) for writer in writers])
    told = {name: _same([writer.condition(name) for writer in writers]) for name in sorted(conditions.optional)}
    pieces = _pieces(writers)
    for writer in writers:
        writer.share_params(writers)
    groups = list(runs([name for name in conditions.order if name in pieces], told))
    passing = _passing(groups, told, writers, conditions)
    lines: list[str] = []
    for (condition, names), assigned in zip(groups, passing, strict=True):
        statements = [line for name in names for line in pieces[name]]
        if condition is None:
            lines += statements
            continue
        lines += [f"{_INDENT}if {condition}:", *statements]
        if assigned:
            variable = writers[0].reader.variable
            lines.append(f"{_INDENT}else:")
            lines += [f"{_INDENT * 2}{variable(name)} = {variable(source)}" for name, source in assigned.items()]
    return lines


def _same(found: Sequence[_T]) -> _T:
    """What all have in common.

    Raises:
        Unmergeable: they do not.
    """
    if any(one != found[0] for one in found):
        raise Unmergeable
    return found[0]


def _pieces(writers: Sequence[FunctionWriter]) -> dict[str, list[str]]:
    """The lines of each node.

    Raises:
        Unmergeable: two uses say them otherwise, or one variable would stand for two things.
    """
    pieces: dict[str, list[str]] = {}
    made: dict[str, str] = {}
    for writer in writers:
        for name, lines in writer.pieces().items():
            if pieces.setdefault(name, lines) != lines:
                raise Unmergeable
        for variable, name in writer.made.items():
            if made.setdefault(variable, name) != name:
                raise Unmergeable
    return pieces


def _passing(
    groups: Sequence[tuple[str | None, list[str]]],
    told: Mapping[str, str],
    writers: Sequence[FunctionWriter],
    conditions: Conditions,
) -> list[Mapping[str, str]]:
    """For each run of nodes, those that are read where the run is left out, with what passes through them."""
    readers: dict[str, set[str]] = {}
    for writer in writers:
        for name, found in writer.reader.read_for.items():
            readers.setdefault(name, set()).update(found)
    passing: list[Mapping[str, str]] = []
    for condition, names in reversed(groups):
        assigned: dict[str, str] = {}
        for name in names:
            if condition is None or not readers.get(name, set()) - set(names):
                continue
            source = name
            while source in names or told.get(source) == condition:
                source = conditions.passed(source)
            assigned[name] = source
            if source in conditions.optional:
                readers.setdefault(source, set()).add(name)
        passing.append(assigned)
    return passing[::-1]
