"""Whether a mask passes a layer, against Keras 3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.catalog.answers import Accepted, catalog_answer, keras_answer
from tests.catalog.cases import Case
from tests.catalog.exemptions import exempted
from tests.catalog.findings import Finding, Findings
from tests.catalog.names import LAYERS, layer_kind
from tests.catalog.strategies import systematic_cases

# That a layer drops a mask is what is looked at here.
pytestmark = pytest.mark.filterwarnings("ignore:.*input with a mask attached:UserWarning")


def mask_findings(case: Case) -> Iterator[Finding]:
    if any("mask" in port for port in case.inputs):
        return  # a mask given by hand is the call's own affair
    for masked in (False, True):
        ours = catalog_answer(case, masked)
        if not isinstance(ours, Accepted) or (masked and next(case.leaves()).rank < 2):
            return
        theirs = keras_answer(case, masked)
        if isinstance(theirs, Accepted) and theirs.masked is not ours.masked:
            yield Finding(f"mask of {'a masked' if masked else 'an unmasked'} input", case, str(theirs), str(ours))


@pytest.mark.parametrize("name", LAYERS)
def test_masks_pass_as_in_keras(name: str) -> None:
    kind = layer_kind(name)
    found = Findings(kind)
    for case in systematic_cases(kind)[::2]:
        found.add(finding for finding in mask_findings(case) if not exempted(finding))
    found.report()
