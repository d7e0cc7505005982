"""Every exemption still has something to exempt."""

from __future__ import annotations

import pytest

from tests.catalog.comparison import all_against_keras, all_against_twin
from tests.catalog.exemptions import ACTIVATIONS, EXEMPTIONS, NUMBERS, OBJECTS, SIGNATURES, Exemption
from tests.catalog.test_masks import mask_findings


@pytest.mark.filterwarnings("ignore:.*input with a mask attached:UserWarning")
@pytest.mark.parametrize(
    "exemption", EXEMPTIONS, ids=lambda exemption: f"{exemption.entries or 'all'}: {exemption.what}"
)
def test_every_exemption_is_needed(exemption: Exemption) -> None:
    case = exemption.witness()
    found = [*all_against_keras(case), *all_against_twin(case), *mask_findings(case)]
    assert any(exemption.covers(finding) for finding in found), f"nothing to exempt: {list(map(str, found))}"


def test_every_exemption_has_a_reason() -> None:
    assert all(exemption.reason for exemption in EXEMPTIONS)
    assert all([*ACTIVATIONS.values(), *NUMBERS.values(), *OBJECTS.values(), *SIGNATURES.values()])
