"""Every example of the catalog comes back from the Keras model that it makes."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuilder.api import compile, lower, parse
from graphbuilder.graph import Graph
from graphbuilder.lowering.resolved_proof import first_difference
from graphbuilder.text import to_yaml
from tests.lowering.test_resolved import examples, with_all_outputs
from tests.support.importing import import_model

EXAMPLES = dict(examples())


def graph_of(data: dict[str, Any]) -> Graph:
    """The graph of an example, its unknown axes without the names that Keras does not keep."""
    inputs = {
        name: {**given, "shape": [size if isinstance(size, int) else None for size in given["shape"]]}
        for name, given in data["inputs"].items()
    }
    return lower(parse(to_yaml({"name": "example", **with_all_outputs({**data, "inputs": inputs})})))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_comes_back(name: str) -> None:
    found = import_model(compile(graph_of(EXAMPLES[name])))
    assert found.lost == ()
    # keras.ops has one function under two names, and saves one of them.
    wanted = graph_of(EXAMPLES["absolute-0" if name == "abs-0" else name])
    assert first_difference(wanted, lower(parse(found.text))) is None, found.text
