"""Every op against `keras.ops`."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import pytest

from graphbuilder.catalog import TensorType
from tests.catalog.cases import WEAK, Case, example_cases
from tests.catalog.comparison import against_keras, against_twin
from tests.catalog.findings import Finding, Findings, examined
from tests.catalog.names import OP_TWINS, OPS, PAIRS, op_kind


@pytest.mark.parametrize("name", OPS)
def test_keras_has_it(name: str) -> None:
    assert hasattr(keras.ops, name)


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", OPS)
def test_the_catalog_says_what_keras_says(name: str) -> None:
    examined(op_kind(name), against_keras).report()


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", OP_TWINS)
def test_the_catalog_says_what_tf_keras_says(name: str) -> None:
    examined(op_kind(name), against_twin, share=0.2, every=2).report()


def with_constants(case: Case) -> Iterator[Case]:
    """The case with a plain number for each of its operands in turn."""
    count = len(list(case.leaves()))
    for index in range(count):
        for dtype in ("int", "float"):
            changed = case.with_leaf(index, TensorType((), dtype))
            if any(leaf.dtype not in WEAK for leaf in changed.leaves()):
                yield changed


@pytest.mark.parametrize("name", PAIRS)
def test_plain_numbers_as_operands(name: str) -> None:
    kind = op_kind(name)
    found = Findings(kind)
    for example in example_cases(kind):
        for dtype in ("float32", "float16", "int32", "bool", "uint8"):
            case = example.with_leaves([TensorType(leaf.shape, dtype) for leaf in example.leaves()])
            for changed in with_constants(case):
                found.add(constant_findings(changed))
    found.report()


def constant_findings(case: Case) -> Iterator[Finding]:
    yield from against_keras(case)
    yield from against_twin(case)
