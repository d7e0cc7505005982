"""Where the catalog may differ from Keras, each with the reason. `test_exemptions.py` asks that each is still needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.catalog.findings import Finding
from tests.catalog.strategies import Case

__all__ = ["EXEMPTIONS", "NUMBERS", "SIGNATURES", "Exemption", "exempted"]


@dataclass(frozen=True, slots=True)
class Exemption:
    """A known difference.

    Arguments:
        entries: the entries it is about, as words; empty for all.
        what: the comparison that fails, as `Finding.what` names it.
        when: whether a finding is this difference.
        reason: why the catalog is right, or why it does not matter.
        witness: a configuration that still shows it.
    """

    entries: str
    what: str
    when: Callable[[Finding], bool]
    reason: str
    witness: Callable[[], Case]

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is this difference."""
        named = not self.entries or finding.case.kind.name() in self.entries.split()
        return named and finding.what == self.what and self.when(finding)


# Arguments of constructors, and of calls as "call.…", that are not as in Keras 3.
SIGNATURES: dict[tuple[str, str], str] = {}

# Layers whose examples the two Kerases compute differently.
NUMBERS: dict[str, str] = {}

EXEMPTIONS: tuple[Exemption, ...] = ()


def exempted(finding: Finding) -> bool:
    """Whether a finding is a known difference."""
    return any(exemption.covers(finding) for exemption in EXEMPTIONS)
