"""The rows of a drawing: calls and inputs, or whole blocks of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphbuilder.analysis.summary import CallSummary, InputSummary, Summary
from graphbuilder.catalog import TensorType

__all__ = ["Row", "fold", "fold_to_fit", "rows_of"]


@dataclass(frozen=True, slots=True)
class Row:
    """A node of the drawing: an input, a call, or a block of calls.

    Arguments:
        name: the path.
        kind: what is applied; for a block how many nodes it has, for a fusion how it merges too; empty for an input.
        sources: the rows that feed it, each once.
        values: the values that arrive, by their names, each once.
        type: what it gives first; of a block, what leaves it last. None where unknown.
        several: how many values it gives.
        parameters: numbers in its weights, where none is unknown.
        macs: multiply-accumulates for one sample, where none is unknown.
        calls: the calls it stands for; none for an input.
        output: whether something it gives is an output of the model.
        shares: the call whose weights it uses again, if it is a single call that does.
    """

    name: str
    kind: str
    sources: tuple[str, ...]
    values: tuple[str, ...]
    type: TensorType | None
    several: int
    parameters: int | None
    macs: int | None
    calls: tuple[CallSummary, ...]
    output: bool
    shares: str | None = None

    @property
    def is_input(self) -> bool:
        """Whether it is an input of the model."""
        return not self.calls


def rows_of(summary: Summary) -> tuple[Row, ...]:
    """A row for each call, and one for each input just before what it feeds first."""
    return fold(summary, 0)


def fold(summary: Summary, depth: int) -> tuple[Row, ...]:
    """Rows in which calls that stand together and have the first segments of their paths in common are one.

    Arguments:
        summary: the graph.
        depth: how many segments; 0 folds nothing.

    Example:
        With depth 1 the calls `encoder.0.attention` and `encoder.1.attention` are in the row `encoder`, with depth 2 in
        the rows `encoder.0` and `encoder.1`.
    """
    groups = _groups(summary.calls, depth)
    edges = _Edges.of(summary, groups)
    waiting = {item.name: item for item in summary.inputs}
    rows = [_input_row(waiting.pop(item.name), edges) for item in summary.inputs if item.name not in edges.readers]
    fusions = {fusion.name: fusion.strategy for fusion in summary.fusions}
    for name, calls in groups:
        row = _row(name, calls, edges, fusions.get(name))
        rows += [_input_row(waiting.pop(value), edges) for value in row.values if value in waiting]
        rows.append(row)
    return tuple(rows)


def fold_to_fit(summary: Summary, most: int = 60) -> tuple[tuple[Row, ...], int]:
    """The rows that show most without being too many, and the depth they were folded to.

    Nothing is folded where all calls fit, or where folding would not make fewer rows.

    Arguments:
        summary: the graph.
        most: how many rows are not too many.
    """
    everything = rows_of(summary)
    if len(everything) <= most:
        return everything, 0
    deepest = max(call.name.count(".") for call in summary.calls)
    for depth in range(deepest, 0, -1):
        rows = fold(summary, depth)
        if len(rows) <= most or depth == 1:
            return (rows, depth) if len(rows) < len(everything) else (everything, 0)
    return everything, 0


def _groups(calls: Iterable[CallSummary], depth: int) -> list[tuple[str, list[CallSummary]]]:
    """Runs of calls under one path. A path that comes again after another one is told apart by a number."""
    groups: list[tuple[str, list[CallSummary]]] = []
    times: dict[str, int] = {}
    last = None
    for call in calls:
        path = call.name if depth == 0 else ".".join(call.name.split(".")[:depth])
        if path != last:
            times[path] = times.get(path, 0) + 1
            groups.append((path if times[path] == 1 else f"{path} ({times[path]})", []))
            last = path
        groups[-1][1].append(call)
    return groups


@dataclass(frozen=True, slots=True)
class _Edges:
    """Who gives and who reads each value, by the names of rows.

    Arguments:
        givers: the row that gives a value.
        readers: the rows that read it.
        outputs: the values that are outputs of the model.
    """

    givers: dict[str, str]
    readers: dict[str, set[str]]
    outputs: set[str]

    @classmethod
    def of(cls, summary: Summary, groups: Iterable[tuple[str, list[CallSummary]]]) -> _Edges:
        givers = {item.name: item.name for item in summary.inputs}
        readers: dict[str, set[str]] = {}
        for name, calls in groups:
            for call in calls:
                givers.update((value, name) for value in call.values)
                for value in call.inputs:
                    readers.setdefault(value, set()).add(name)
        return cls(givers, readers, {output.value for output in summary.outputs})

    def leaves(self, value: str, row: str) -> bool:
        """Whether a value that a row gives is for others: it is read elsewhere, or an output."""
        return value in self.outputs or bool(self.readers.get(value, set()) - {row})


def _input_row(item: InputSummary, edges: _Edges) -> Row:
    return Row(item.name, "", (), (), item.type, 1, 0, 0, (), item.name in edges.outputs)


def _row(name: str, calls: Sequence[CallSummary], edges: _Edges, fusion: str | None) -> Row:
    """The row of some calls; `fusion` is how they merge, where they are a whole fusion."""
    first, single = calls[0], len(calls) == 1
    arriving = dict.fromkeys(value for call in calls for value in call.inputs if edges.givers[value] != name)
    values = [pair for call in calls for pair in zip(call.values, call.outputs, strict=True)]
    leaving = [pair for pair in values if single or edges.leaves(pair[0], name)]
    # A row that feeds nobody is known by what it makes last.
    given = [found for _, found in leaving or values[-1:]]
    # Of a single call the first value is the main one; a block is known by what leaves it last.
    return Row(
        name=name,
        kind=first.kind if single else f"{fusion}, {len(calls)} nodes" if fusion else f"{len(calls)} nodes",
        sources=tuple(dict.fromkeys(edges.givers[value] for value in arriving)),
        values=tuple(arriving),
        type=given[0 if single else -1] if given else None,
        several=len(given),
        parameters=_sum(call.parameters for call in calls),
        macs=_sum(call.macs for call in calls),
        calls=tuple(calls),
        output=any(value in edges.outputs for call in calls for value in call.values),
        shares=first.shares if single else None,
    )


def _sum(amounts: Iterable[int | None]) -> int | None:
    """The sum, or None when one of the amounts is unknown."""
    total = 0
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
