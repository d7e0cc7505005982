"""Shipped blueprints with one fault made on purpose: one message, which names the line and the node."""

from __future__ import annotations

import pytest

from tests.support.mutant_judging import Judged, Tally, diagnostics_of, tallied
from tests.support.mutants import KINDS, mutants, originals

# Of each kind in every run; `make bench ARGS=--mutants` judges all that there are.
EACH = 16


def told(missed: list[Judged]) -> str:
    """What was missed, for whoever mends it."""
    lines = []
    for item in missed[:20]:
        mutant = item.mutant
        lines.append(f"{mutant.name}:{mutant.line} {mutant.node} ({mutant.kind}): {mutant.change}")
        lines += [f"    {found}" for found in item.said]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def tally() -> Tally:
    return tallied(mutants(0, EACH))[0]


def test_the_originals_are_faultless() -> None:
    for name, (source, _) in originals().items():
        assert diagnostics_of(source.text, name) == ()


def test_every_kind_of_fault_is_made() -> None:
    assert {mutant.kind for mutant in mutants(0, 1)} == set(KINDS)


def test_there_are_five_hundred_faulty_ones(tally: Tally) -> None:
    assert tally.faulty >= 500


def test_one_fault_gives_one_message(tally: Tally) -> None:
    wrong = [item for item in tally.missed if not item.once]
    assert not wrong, told(wrong)


def test_the_message_names_the_line(tally: Tally) -> None:
    wrong = [item for item in tally.missed if not item.line and not item.valid]
    assert tally.line >= 0.99 * tally.faulty, told(wrong)


def test_the_message_names_the_node(tally: Tally) -> None:
    wrong = [item for item in tally.missed if not item.node and not item.valid]
    assert tally.in_a_node >= 300
    assert tally.node >= 0.95 * tally.in_a_node, told(wrong)
