"""What tells whether an edit left the graph what it was sees every way in which it could not have."""

from __future__ import annotations

import pytest

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.editing.rewriting import first_renamed
from graphbuilder.editing.sameness import difference
from graphbuilder.lowering import lower

BEFORE = """\
blueprint: 1
inputs: {x: {shape: [8]}, y: {shape: [8]}}
nodes:
  a: {layer: Dense, from: x, units: 8}
  b: {layer: Dense, from: y, units: 8}
  sum: {op: subtract, from: [a, b]}
  again: {reuse: a, from: sum}
outputs: again
compression:
  - {pass: prune, sparsity: 0.5, where: {nodes: a}}
"""


def told(after: str) -> str | None:
    return difference(lower(parse_blueprint(BEFORE)), lower(parse_blueprint(after)), first_renamed({"z": "a"}))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "a: {layer: Dense, from: x, units: 8}",
            "a: {layer: Dense, from: x, units: 8, use_bias: false}",
            "the arguments",
        ),
        ("from: [a, b]", "from: [b, a]", "what stands at"),
        ("{reuse: a, from: sum}", "{layer: Dense, from: sum, units: 8}", "the layer is shared"),
        ("outputs: again", "outputs: {o: again}", "the outputs differ"),
        ("outputs: again", "outputs: sum", "number of calls"),
        ("nodes: a}", "nodes: b}", "prune would no longer touch a"),
        ("nodes: a}", "nodes: [a, b]}", "prune would touch b"),
        ("sparsity: 0.5", "sparsity: 0.6", "prune would have other options for a"),
        ("nodes: a}", "nodes: nothing}", "of a pass, nothing matches no layer"),
    ],
)
def test_a_difference_is_told(old: str, new: str, message: str) -> None:
    found = told(BEFORE.replace(old, new))
    assert found is not None
    assert message in found


def test_names_and_the_order_of_calls_make_none() -> None:
    assert told(BEFORE) is None
    swapped = BEFORE.replace("  b: {layer: Dense, from: y, units: 8}\n", "").replace(
        "nodes:\n", "nodes:\n  b: {layer: Dense, from: y, units: 8}\n"
    )
    assert told(swapped) is None
    assert (
        told(BEFORE.replace("  a:", "  z:").replace("[a, b]", "[z, b]").replace(": a,", ": z,").replace(": a}", ": z}"))
        is None
    )
