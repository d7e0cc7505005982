"""Parameters and multiply-accumulates of all shipped blueprints, held against what Keras and TensorFlow count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graphbuilder.analysis import analyze
from graphbuilder.api import compile, lower, parse
from graphbuilder.graph import Graph
from graphbuilder.lowering.resolved import resolved_text

SHIPPED = sorted(path.stem for path in (Path(__file__).parents[2] / "blueprints").glob("*.yaml"))
# What multiplies and sums up. All else in a profile is element-wise work, which counts as none here.
PRODUCTS = ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "MatMul", "BatchMatMulV2", "Einsum")
# What TensorFlow multiplies element by element, because the einsum sums nothing up: 2 * 65 * 17 * 17 for the products
# of all numbers of three branches.
OUTER_PRODUCTS = {"three_way_sentiment": 37_570}
# How many positions each unknown axis is given.
STEPS = 12


def sized(path: Path) -> Graph:
    """The graph of a blueprint with all of its axes known."""
    graph = lower(path)
    text = resolved_text(graph)
    for item in graph.inputs.values():
        assert item.value.type is not None
        for axis in item.value.type.shape[1:]:
            if isinstance(axis, str):
                text = re.sub(rf"\b{axis}\b(?=[],])", str(STEPS), text)
    return lower(parse(text))


def profiled(model: Any, graph: Graph) -> Counter[str]:
    """Multiply-accumulates for one sample by the kind of op: half of what TensorFlow counts as operations on floats.

    Recurrent layers are unrolled, because the profiler counts the body of a loop once.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
    from tensorflow.python.profiler import model_analyzer, option_builder

    for layer in model._flatten_layers():
        if hasattr(layer, "unroll"):
            layer.unroll = True
    given = {
        name: tf.TensorSpec((1, *item.value.type.shape[1:]), item.value.type.dtype, name=name)
        for name, item in graph.inputs.items()
        if item.value.type is not None
    }

    def run(**tensors: Any) -> Any:
        return model(tensors if graph.inputs_as == "mapping" else next(iter(tensors.values())), training=False)

    frozen = convert_variables_to_constants_v2(tf.function(run, autograph=False).get_concrete_function(**given))
    options = {**option_builder.ProfileOptionBuilder.float_operation(), "output": "none"}
    root = model_analyzer.profile(frozen.graph, run_meta=tf.compat.v1.RunMetadata(), cmd="op", options=options)
    found: Counter[str] = Counter()
    for node in _nodes(root):
        found[node.name] += node.float_ops // 2
    return found


def _nodes(node: Any) -> Iterator[Any]:
    for child in node.children:
        yield child
        yield from _nodes(child)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_costs_are_those_of_the_model(root: Path, name: str) -> None:
    graph = sized(root / "blueprints" / f"{name}.yaml")
    model = compile(graph)
    totals = analyze(graph).summary.totals
    assert totals.parameters == model.count_params()
    assert totals.trainable == sum(int(weight.shape.num_elements()) for weight in model.trainable_variables)
    assert totals.unknown_macs == ()
    found = sum(count for kind, count in profiled(model, graph).items() if kind in PRODUCTS)
    found += OUTER_PRODUCTS.get(name, 0)
    assert abs(totals.macs - found) <= 0.01 * found
