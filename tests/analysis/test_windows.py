"""What each layer and op of the catalog does along its axes, on the catalog's own examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from graphbuilder.analysis.windows import along_axes
from graphbuilder.catalog import TensorType, layers, ops
from graphbuilder.catalog.ports import Inputs
from graphbuilder.graph import Call, Layer, Origin, Value
from graphbuilder.text import parse

ORIGIN = Origin(parse("{}"), ())
# What moves positions, and adds or takes away others.
MOVED = ("Cropping1D", "Cropping2D", "Cropping3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")


def examples() -> Iterator[Any]:
    for table in (layers, ops):
        for name in table.names():
            kind = table.get(name)
            assert kind is not None
            for number, example in enumerate(kind.examples):
                yield pytest.param(kind, example, id=f"{name}-{number}")


@pytest.mark.parametrize(("kind", "example"), list(examples()))
def test_windows_lie_over_the_input(kind: Any, example: Any) -> None:
    """The first window reaches the input, the last one begins in it, and an axis that stays keeps its size."""
    entry = kind.model_validate(dict(example.arguments))
    ports = dict(zip((port.name for port in entry.ports), example.inputs, strict=False))
    outputs = entry.outputs(Inputs(ports, example.call))
    given = outputs if isinstance(outputs, TensorType) else outputs[0]
    values = {
        name: Value(name, found) if isinstance(found, TensorType) else tuple(Value(name, each) for each in found)
        for name, found in ports.items()
    }
    target = Layer("node", entry, (), ORIGIN) if kind is layers.get(kind.name()) else entry
    call = Call("node", target, values, example.call, (Value("node", given),), False, 0, ORIGIN)
    taken = next(call.inputs()).type
    assert taken is not None
    for last, along in (along_axes(call, given) or {}).items():
        assert -given.rank < last < 0
        if along is None or -last > taken.rank:
            continue
        before, after = taken.shape[last], given.shape[last]
        if not isinstance(before, int) or not isinstance(after, int) or before == 1:
            continue
        if type(entry).__name__ in MOVED:
            continue
        assert along.first + along.more >= 0
        assert along.first + along.stride * (after - 1) <= before - 1
        if not along.slides and along.stride == 1:
            assert before == after
