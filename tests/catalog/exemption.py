"""What an exemption is, and how its witness is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphbuilder.catalog.ports import PortTypes
from tests.catalog.cases import Case
from tests.catalog.findings import Finding
from tests.catalog.names import entry_kind

__all__ = ["Exemption", "on", "training"]


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


def on(name: str, arguments: Mapping[str, Any], *inputs: PortTypes) -> Callable[[], Case]:
    """The case of a layer that is called on these tensors."""

    def case() -> Case:
        kind = entry_kind(name)
        return Case(kind, arguments, {port.name: found for port, found in zip(kind.ports, inputs, strict=False)}, {})

    return case


def training(name: str, arguments: Mapping[str, Any], *inputs: PortTypes) -> Callable[[], Case]:
    """The same in training."""
    case = on(name, arguments, *inputs)
    return lambda: replace(case(), call={"training": True})
