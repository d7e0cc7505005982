"""Every example of the catalog comes back from the Keras model that it makes."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuilder.analysis.diff import diff_graphs
from graphbuilder.api import compile, lower, parse
from graphbuilder.graph import Graph
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
    # What means the same may be written otherwise: one number for two, one name of two.
    difference = diff_graphs(graph_of(EXAMPLES[name]), lower(parse(found.text)))
    assert difference.count == 0, found.text
