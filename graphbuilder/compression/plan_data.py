"""A plan as plain data, to be written beside a model and compared; and the sizes that it predicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuilder.compression.conversions import Scheme
from graphbuilder.compression.passes import Cluster, Prune, Quantize
from graphbuilder.compression.plan import CompressionPlan, LayerPlan
from graphbuilder.compression.sizes import PredictedSize, predict_size
from graphbuilder.graph import Graph

__all__ = ["PLAN_VERSION", "plan_data", "predicted_sizes", "scheme_of"]

# The version of the form that `plan_data` gives.
PLAN_VERSION = 1


def scheme_of(plan: CompressionPlan) -> Scheme:
    """The scheme that the model is converted under: that of the pass that quantizes, else floats."""
    schemes: list[Scheme] = [
        stage.declared.scheme for stage in plan.stages if isinstance(stage.declared, Quantize) and stage.targets
    ]
    return schemes[-1] if schemes else "float32"


def predicted_sizes(plan: CompressionPlan, graph: Graph) -> tuple[PredictedSize, PredictedSize]:
    """What the model comes to as a .tflite file before and after all passes that change no shape."""
    sparsity: dict[str, float] = {}
    clusters: dict[str, int] = {}
    for stage in plan.stages:
        for target in stage.targets:
            options = target.options
            if isinstance(options, Prune):
                sparsity[target.layer] = 0.5 if options.structure == "2:4" else options.sparsity or 0.0
            elif isinstance(options, Cluster):
                clusters[target.layer] = options.clusters
    after = predict_size(graph, scheme_of(plan), sparsity=sparsity, clusters=clusters)
    return predict_size(graph, "float32"), after


def plan_data(plan: CompressionPlan, graph: Graph) -> dict[str, Any]:
    """The plan as {plan, model, stages, predicted}.

    Arguments:
        plan: the plan.
        graph: the graph that it is for.
    """
    before, after = predicted_sizes(plan, graph)
    return {
        "plan": PLAN_VERSION,
        "model": plan.model,
        "stages": [
            {
                "stage": stage.number,
                "pass": stage.declared.name(),
                "does": stage.declared.label(),
                "layers": [_layer(one) for one in stage.layers if one.ruling.acts],
                "skipped": [
                    {"layer": one.layer, "kind": one.kind, "reason": one.ruling.reason or str(one.ruling.verdict)}
                    for one in stage.skipped
                ],
                "keeps": sorted({layer for layer, _ in stage.keeps}),
            }
            for stage in plan.stages
        ],
        "predicted": {
            "scheme": scheme_of(plan),
            "before": _size(before),
            "after": _size(after),
            "error": {"raw": after.raw_error, "gzip": after.gzip_error},
        },
    }


def _layer(one: LayerPlan) -> Mapping[str, Any]:
    return {
        "layer": one.layer,
        "kind": one.kind,
        "verdict": str(one.ruling.verdict),
        "weights": list(one.ruling.weights),
        **one.asked(),
    }


def _size(size: PredictedSize) -> Mapping[str, int]:
    return {"raw": size.raw, "gzip": size.gzip}
