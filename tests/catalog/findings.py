"""Disagreements between the catalog and Keras: collected over many configurations, told once for each kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from graphbuilder.catalog import Entry
from tests.catalog.cases import Case
from tests.catalog.strategies import cases, systematic_cases

__all__ = ["Finding", "Findings", "examined"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement.

    Arguments:
        what: which comparison failed, such as "output shape".
        case: the configuration.
        theirs: what Keras says.
        ours: what the catalog says.
    """

    what: str
    case: Case
    theirs: str
    ours: str

    @property
    def sort(self) -> str:
        """What groups findings that are probably one fault."""
        text = re.sub(r"\d+|\(.*?\)|'[^']*'|\[.*?\]", "#", f"{self.theirs[:90]} {self.ours[:60]}")
        changed = ",".join(
            sorted(
                key
                for key, value in self.case.arguments.items()
                if all(example.arguments.get(key, ...) != value for example in self.case.kind.examples)
            )
        )
        return f"{self.what} {changed} {re.sub('#[#, ]*', '#', text)}"

    def __str__(self) -> str:
        return f"{self.what}: {self.case}\n    Keras  {self.theirs}\n    ours   {self.ours}"


class Findings:
    """The disagreements of one entry, the shortest of each sort."""

    def __init__(self, kind: type[Entry]) -> None:
        self.kind = kind
        self.looked_at = 0
        self._sorts: dict[str, tuple[int, Finding]] = {}

    def add(self, found: Iterable[Finding]) -> None:
        """Takes the findings of one configuration."""
        self.looked_at += 1
        for finding in found:
            count, best = self._sorts.get(finding.sort, (0, finding))
            shorter = finding if len(str(finding.case)) < len(str(best.case)) else best
            self._sorts[finding.sort] = (count + 1, shorter)

    def report(self) -> None:
        """Fails the test that runs, with all findings told, if there are any."""
        if self._sorts:
            pytest.fail(str(self), pytrace=False)

    def __str__(self) -> str:
        lines = [f"{self.kind.name()}: {len(self._sorts)} sorts of disagreement in {self.looked_at} configurations"]
        for count, finding in sorted(self._sorts.values(), key=lambda item: (item[1].what, -item[0]))[:25]:
            lines.append(f"({count} times) {finding}")
        return "\n".join(lines)


def examined(
    kind: type[Entry], check: Callable[[Case], Iterable[Finding]], share: float = 0.4, every: int = 1
) -> Findings:
    """What a check finds over the entry's systematic cases and over random ones.

    Arguments:
        kind: the entry.
        check: compares one configuration.
        share: how many random cases for each example that the Hypothesis profile asks for; a case builds a layer, which
            costs a hundred times what other properties do.
        every: how many systematic cases are passed over for one that is looked at, plus one.
    """
    found = Findings(kind)
    for case in systematic_cases(kind)[::every]:
        found.add(check(case))

    # Findings are grouped and the shortest is told, so nothing is raised and nothing shrunk.
    @settings(
        max_examples=max(1, int(settings().max_examples * share)),
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(kind))
    def draw_many(case: Case) -> None:
        found.add(check(case))

    draw_many()
    return found
