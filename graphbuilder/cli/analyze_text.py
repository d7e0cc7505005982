"""The table that `graphbuilder analyze` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from math import floor

from graphbuilder.analysis import Analysis, NodeCost
from graphbuilder.analysis.memory import Memory
from graphbuilder.analysis.receptive_field import AxisField, ReceptiveField
from graphbuilder.cli.output import bold, encodes, terminal_width
from graphbuilder.cli.show_text import amount, listed, memory_text, size_text, totals_text
from graphbuilder.cli.table import Column, layout

__all__ = ["field_text", "print_analysis"]

# How many values a line lists as those that are held.
_HELD = 4

_COLUMNS = (
    Column("node", least=16, keeps="end"),
    Column("kind", least=10, keeps="both"),
    Column("output", right=True),
    Column("parameters", right=True),
    Column("MACs", right=True),
    Column("field", least=8),
)


def print_analysis(analysis: Analysis, nodes: Sequence[NodeCost]) -> None:
    """Prints an analysis for people.

    Arguments:
        analysis: the analysis.
        nodes: the nodes that are told, in order.
    """
    width = terminal_width()
    ellipsis = "…" if encodes("…") else "~"
    titles, *lines = layout(
        _COLUMNS, [_cells(node) for node in nodes], width, ellipsis=ellipsis, narrow_first=("kind",)
    )
    print(bold(titles))
    for line in lines:
        print(line)
    print()
    if len(nodes) < len(analysis.nodes):
        _label("shown", f"{len(nodes)} of {len(analysis.nodes)} nodes", width)
    for label, text in totals_text(analysis.summary.totals):
        _label(label, text, width)
    _label("memory", memory_text(analysis.memory), width)
    for label, text in _about_memory(analysis.memory):
        _label(label, text, width)


def _label(label: str, text: str, width: int) -> None:
    print(*textwrap.wrap(text, width, initial_indent=f"{label:12}", subsequent_indent=" " * 12), sep="\n")


def _cells(node: NodeCost) -> list[str]:
    call = node.call
    return [
        call.name,
        call.kind,
        "?" if node.output_bytes is None else size_text(node.output_bytes),
        "shared" if call.shares else "?" if call.parameters is None else f"{call.parameters:,}",
        "?" if call.macs is None else amount(call.macs),
        ", ".join(field_text(field, several=len(node.receptive_field) > 1) for field in node.receptive_field),
    ]


def field_text(field: ReceptiveField, *, several: bool = False) -> str:
    """A receptive field as a table shows it: its size, and behind @ its stride.

    Arguments:
        field: the field.
        several: whether the input must be named, because there are fields of others.
    """
    times, at_most = ("×", "≤") if encodes("×≤") else ("x", "<=")
    sizes = times.join("all" if axis.size is None else str(floor(axis.size)) for axis in field.axes)
    moving = [axis.stride for axis in field.axes]
    stride = "" if None in moving else f"@{_strides(field.axes, times)}"
    name = f"{field.input} " if several else ""
    return f"{name}{'' if all(axis.exact for axis in field.axes) else at_most}{sizes}{stride}"


def _strides(axes: Sequence[AxisField], times: str) -> str:
    found = [str(axis.stride) for axis in axes]
    return found[0] if len(set(found)) == 1 else times.join(found)


def _about_memory(memory: Memory) -> Iterable[tuple[str, str]]:
    if memory.held:
        more = f" and {len(memory.held) - _HELD} more" if len(memory.held) > _HELD else ""
        yield "held then", ", ".join(f"{value} {size_text(size)}" for value, size in memory.held[:_HELD]) + more
    if memory.peak < memory.peak_as_written:
        yield (
            "order",
            f"in that of the file it is {size_text(memory.peak_as_written)}; --format json has the better one",
        )
    if not memory.best:
        yield "", f"a better order may exist; every one takes {size_text(memory.at_least)} at some moment"
    if memory.unknown:
        yield "unknown", f"the sizes of {listed(memory.unknown)}"
