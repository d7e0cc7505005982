"""The table and the drawing that `graphbuilder show` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from graphbuilder.analysis import ASCII, BOX, Row, Summary, Totals, draw, fold, fold_to_fit
from graphbuilder.analysis.memory import Memory
from graphbuilder.catalog import TensorType
from graphbuilder.cli.output import bold, encodes, terminal_width
from graphbuilder.cli.table import Column, layout, line_width, natural_widths
from graphbuilder.graph import FusedBranch

__all__ = ["amount", "listed", "memory_text", "print_summary", "size_text", "totals_text"]

# How many names a line lists before it says how many more there are.
_NAMES = 6


def print_summary(summary: Summary, depth: int | None, drawing: bool, memory: str) -> None:
    """Prints a summary for people.

    Arguments:
        summary: the graph.
        depth: how deep blocks are shown, 0 for every node, None for what fits.
        drawing: whether the graph is drawn.
        memory: what is said of the memory that it takes.
    """
    rows, folded = fold_to_fit(summary) if depth is None else (fold(summary, depth), depth)
    width = terminal_width()
    glyphs = BOX if encodes("".join([*BOX.joins, *BOX.ends, BOX.node, BOX.input, BOX.output, BOX.more])) else ASCII
    ellipsis = "…" if encodes("…") else "~"
    for line in _headline(summary, width):
        print(line)
    lanes = draw(rows, glyphs, widest=max(4, width // 8)) if drawing else [""] * len(rows)
    columns, cells = _columns(rows, lanes), _cells(rows, lanes)
    if line_width(natural_widths(columns, cells)[:-1]) > width:
        cells = _with_short_names(cells, drawing)
    order = ("from", "output", "kind", "node") if drawing else ("output", "kind", "node", "from")
    titles, *lines = layout(columns, cells, width, ellipsis=ellipsis, narrow_first=order)
    print(bold(titles))
    for line in lines:
        print(line)
    print()
    for label, text in _footer(summary, rows, folded, memory):
        print(*textwrap.wrap(text, width, initial_indent=f"{label:12}", subsequent_indent=" " * 12), sep="\n")


def _headline(summary: Summary, width: int) -> list[str]:
    told = f"{summary.name}: {summary.about.strip()}" if summary.about else summary.name
    return [*textwrap.wrap(told, width), ""]


def _columns(rows: Sequence[Row], lanes: Sequence[str]) -> list[Column]:
    drawn = any(lanes)
    # A shape is worth more than what stands behind it, and the drawing tells where inputs come from.
    shape = max((len(_type_text(row.type)) for row in rows), default=0)
    return [
        *([Column("")] if drawn else []),
        Column("node", least=16, keeps="end"),
        Column("kind", least=10, keeps="both"),
        Column("output", least=shape),
        Column("parameters", right=True),
        Column("MACs", right=True),
        Column("from", least=10, optional=drawn),
    ]


def _cells(rows: Sequence[Row], lanes: Sequence[str]) -> list[list[str]]:
    cells = []
    above = None
    for row, lane in zip(rows, lanes, strict=True):
        drawn = [lane] if any(lanes) else []
        cells.append([*drawn, row.name, row.kind or "input", _output(row), *_costs(row), _sources(row, above)])
        above = row
    return cells


def _with_short_names(cells: Sequence[Sequence[str]], drawn: bool) -> list[list[str]]:
    """The cells with each name without its path where that is the path of the row above: `.norm` below `stem.conv`."""
    place = 1 if drawn else 0
    shortened = []
    above = ""
    for row in cells:
        path, dot, own = row[place].rpartition(".")
        name = f".{own}" if dot and path == above else row[place]
        shortened.append([*row[:place], name, *row[place + 1 :]])
        above = path
    return shortened


def _costs(row: Row) -> tuple[str, str]:
    if row.is_input:
        return "", ""
    parameters = "shared" if row.shares else "?" if row.parameters is None else f"{row.parameters:,}"
    return parameters, "?" if row.macs is None else amount(row.macs)


def _output(row: Row) -> str:
    more = f" +{row.several - 1}" if row.several > 1 else ""
    return f"{_type_text(row.type)}{more}"


def _type_text(found: TensorType | None) -> str:
    return "unknown" if found is None else str(found)


def _sources(row: Row, above: Row | None) -> str:
    """Where a row's inputs come from, nothing where that is the first value of the row above."""
    if above is not None and row.values == (above.name,):
        return ""
    if above is not None and row.sources == (above.name,) and len(row.values) == 1 and len(above.calls) > 1:
        return ""
    return ", ".join(row.values)


def amount(number: int) -> str:
    """A large number in three digits.

    Example:
        >>> amount(3321216), amount(640), amount(0)
        ('3.32 M', '640', '0')
    """
    if number < 1000:
        return str(number)
    scaled, unit = _scaled(number, 1000, ("K", "M", "G", "T", "P"))
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{digits}f} {unit}"


def size_text(size: int) -> str:
    """So many bytes for people.

    Example:
        >>> size_text(7878952), size_text(1000)
        ('7.51 MiB', '1,000 bytes')
    """
    if size < 1024:
        return f"{size:,} bytes"
    scaled, unit = _scaled(size, 1024, ("KiB", "MiB", "GiB", "TiB"))
    return f"{scaled:.{2 if scaled < 99.5 else 0}f} {unit}"


def memory_text(memory: Memory) -> str:
    """What activations take at most, in one line."""
    moment = f", while {memory.at} runs" if memory.at else ""
    least = "at least " if memory.unknown else ""
    return f"{least}{size_text(memory.peak)} of activations for one sample{moment}"


def _scaled(number: int, base: int, units: Sequence[str]) -> tuple[float, str]:
    """A number in the unit that leaves it below the base, or in the last one."""
    scaled, power = number / base, 0
    while scaled >= base - 0.5 and power + 1 < len(units):
        scaled, power = scaled / base, power + 1
    return scaled, units[power]


def _footer(summary: Summary, rows: Sequence[Row], folded: int, memory: str) -> Iterable[tuple[str, str]]:
    """What stands below the table: labels and texts."""
    if folded:
        told = f"{len(summary.calls)} nodes in {sum(not row.is_input for row in rows)} rows"
        yield "folded", f"{told} at --depth {folded}; --depth 0 shows every node"
    yield from totals_text(summary.totals)
    yield "memory", memory
    for item in summary.inputs:
        modality = f", {item.modality}" if item.modality else ""
        yield "input", f"{item.name} {_type_text(item.type)}{modality}"
    for output in summary.outputs:
        name = "" if output.name is None else f"{output.name} = "
        yield "output", f"{name}{output.value} {_type_text(output.type)}"
    if summary.pretrained:
        yield "pretrained", listed([f"{path}: {weights}" for path, weights in summary.pretrained.items()])
    masked = [
        value for call in summary.calls for value, carries in zip(call.values, call.masked, strict=True) if carries
    ]
    if masked:
        yield "masked", listed(masked)
    adapted = [fusion for fusion in summary.fusions if any(branch.adapters for branch in fusion.branches)]
    for fusion in adapted[:_NAMES]:
        yield "fusion", f"{fusion.name} is {fusion.strategy} of {', '.join(map(_adapted, fusion.branches))}"
    if len(adapted) > _NAMES:
        yield "", f"and {len(adapted) - _NAMES} more; `graphbuilder explain` tells of each"
    shared = [call for call in summary.calls if call.shares]
    for call in shared[:_NAMES]:
        yield "shared", f"{call.name} uses the weights of {call.shares}"
    if len(shared) > _NAMES:
        yield "", f"and {len(shared) - _NAMES} more nodes use the weights of others"


def _adapted(branch: FusedBranch) -> str:
    """A branch, and what is done to it."""
    done = ", ".join(adapter.written for adapter in branch.adapters)
    return f"{branch.name} ({done})" if done else branch.name


def totals_text(totals: Totals) -> Iterable[tuple[str, str]]:
    """The sums over a graph: labels and texts."""
    parts = f"{totals.trainable:,} trainable, {totals.non_trainable:,} non-trainable"
    if totals.unknown_weights:
        known = f"at least {totals.parameters:,}: {parts}; " if totals.parameters else ""
        yield "parameters", f"{known}unknown: {listed(totals.unknown_weights)}"
    else:
        yield "parameters", f"{totals.parameters:,}: {parts}"
    if totals.size:
        yield "size", ", ".join(f"{size_text(size)} of {dtype}" for dtype, size in totals.size.items())
    if totals.unknown_macs:
        known = f"at least {totals.macs:,} for one sample; " if totals.macs else ""
        yield "MACs", f"{known}unknown: {listed(totals.unknown_macs)}"
    else:
        yield "MACs", f"{totals.macs:,} for one sample"


def listed(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more
