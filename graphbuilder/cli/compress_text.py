"""A compression plan as text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from graphbuilder.cli.output import bold
from graphbuilder.cli.table import Column, layout
from graphbuilder.compression.options import Block
from graphbuilder.compression.plan import CompressionPlan, LayerPlan, Stage
from graphbuilder.compression.plan_data import predicted_sizes, scheme_of
from graphbuilder.compression.report_text import bytes_text
from graphbuilder.graph import Graph

__all__ = ["plan_lines"]


def plan_lines(plan: CompressionPlan, graph: Graph, width: int) -> Iterator[str]:
    """The lines of a plan.

    Arguments:
        plan: the plan.
        graph: the graph that it is for.
        width: how many columns a line may have.
    """
    for stage in plan.stages:
        yield bold(f"{stage.number}. {stage.declared.label()}")
        yield from _layers(stage, graph, width)
        yield from _told("", (one for one in stage.layers if one.ruling.acts and one.ruling.reason), width)
        yield from _told("skipped ", stage.skipped, width)
        yield from _told("left out ", stage.left_out, width)
        if stage.keeps:
            kept = ", ".join(sorted({layer for layer, _ in stage.keeps}))
            yield from textwrap.wrap(
                f"keeps what earlier passes made of {kept}", width, initial_indent="  ", subsequent_indent="    "
            )
        yield ""
    before, after = predicted_sizes(plan, graph)
    yield bold("predicted, as .tflite")
    yield f"  before  {bytes_text(before.raw)} as float32, {bytes_text(before.gzip)} after gzip"
    ratio = before.gzip / after.gzip if after.gzip else 0.0
    yield (
        f"  after   {bytes_text(after.raw)} as {scheme_of(plan)}, {bytes_text(after.gzip)} after gzip: "
        f"{ratio:.1f} times smaller"
    )
    yield f"  give or take {100 * after.raw_error:.0f} % and {100 * after.gzip_error:.0f} %"


def _layers(stage: Stage, graph: Graph, width: int) -> Iterator[str]:
    acting = [one for one in stage.layers if one.ruling.acts]
    if not acting:
        return
    rows = [[one.layer, one.kind, _asked(one), ", ".join(one.ruling.weights), _size(one, graph)] for one in acting]
    columns = [
        Column("layer", least=12, keeps="end"),
        Column("kind", least=6),
        Column("asked"),
        Column("weights", least=8),
        Column("numbers", right=True),
    ]
    for line in layout(columns, rows, width - 2, narrow_first=["weights", "kind", "layer"]):
        yield f"  {line}"


def _asked(one: LayerPlan) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in one.asked().items())


def _shown(value: Any) -> str:
    if isinstance(value, Block):
        return f"{value.block[0]} × {value.block[1]}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _size(one: LayerPlan, graph: Graph) -> str:
    weights = graph.layers[one.layer].weights or ()
    return f"{sum(weight.size for weight in weights if weight.name in one.ruling.weights):,}"


def _told(what: str, layers: Iterable[LayerPlan], width: int) -> Iterator[str]:
    """What is to be said of layers, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for one in layers:
        fix = f" ({one.ruling.fix})" if one.ruling.fix else ""
        reasons.setdefault(f"{one.ruling.reason or one.ruling.verdict}{fix}", []).append(one.layer)
    for reason, names in reasons.items():
        told = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        yield from textwrap.wrap(f"{what}{told}: {reason}", width, initial_indent="  ", subsequent_indent="    ")
