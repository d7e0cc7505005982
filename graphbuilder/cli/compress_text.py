"""A compression plan as text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.cli.output import bold
from graphbuilder.cli.table import Column, layout
from graphbuilder.compression.plan import CompressionPlan, LayerPlan, Stage
from graphbuilder.compression.plan_data import predicted_sizes, scheme_of
from graphbuilder.compression.report_text import bytes_text
from graphbuilder.graph import Graph

__all__ = ["plan_lines", "result_lines"]


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
        yield from _skipped(stage, width)
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
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in one.asked().items()
    )


def _size(one: LayerPlan, graph: Graph) -> str:
    weights = graph.layers[one.layer].weights or ()
    return f"{sum(weight.size for weight in weights if weight.name in one.ruling.weights):,}"


def _skipped(stage: Stage, width: int) -> Iterator[str]:
    """What is left as it is, layers of one reason together."""
    reasons: dict[str, list[str]] = {}
    for one in stage.skipped:
        reasons.setdefault(one.ruling.reason or str(one.ruling.verdict), []).append(one.layer)
    for reason, layers in reasons.items():
        told = ", ".join(layers[:6]) + (f" and {len(layers) - 6} more" if len(layers) > 6 else "")
        yield from textwrap.wrap(f"skipped {told}: {reason}", width, initial_indent="  ", subsequent_indent="    ")


def result_lines(report: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """The lines that say what came of a run: of each stage, and of both .tflite files."""
    for stage in report["run"]:
        told = "  ".join(f"{name} {value:.4g}" for name, value in stage["evaluation"].items())
        yield f"{stage['name']}: {told}"
        for layer in stage["layers"]:
            if stage["pass"] is not None and layer["zeros"] and layer["size"] > 1:
                share = 100 * layer["zeros"] / layer["size"]
                yield f"  {layer['layer']} {layer['weight']}: {share:.1f} % zeros, {layer['unique']:,} different values"
    before, after = report["tflite"]["before"], report["tflite"]["after"]
    for name, found in (("float", before), ("compressed", after)):
        judged = "".join(f", {output} {value:.4f}" for output, value in found["metrics"].items())
        yield f"{name} .tflite: {bytes_text(found['raw'])}, {bytes_text(found['gzip'])} after gzip{judged}"
    yield f"{before['gzip'] / after['gzip']:.1f} times smaller after gzip, {before['raw'] / after['raw']:.1f} times raw"
    yield f"{folder}: model.tflite, model.keras, report.json"
