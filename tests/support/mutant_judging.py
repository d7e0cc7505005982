"""What checking says of a blueprint with one fault, judged: the line, the node, and that it is said once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from graphbuilder.api import check
from graphbuilder.blueprint import load_source
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.text import parse
from tests.support.mutants import Mutant

__all__ = ["Judged", "Tally", "diagnostics_of", "judged", "tallied"]


# Warnings of a valid blueprint in which something is of no use: a node, an input, a param.
_NEEDLESS = ("GB306", "GB307", "GB309")


@dataclass(frozen=True, slots=True)
class Judged:
    """One mutant and what was said of it.

    Arguments:
        mutant: the mutant.
        said: what checking found.
    """

    mutant: Mutant
    said: tuple[Diagnostic, ...]

    @property
    def valid(self) -> bool:
        """Whether the change left a valid blueprint: nothing is said, or that something is needless now."""
        return all(found.code in _NEEDLESS for found in self.said)

    @property
    def once(self) -> bool:
        """Whether the one fault gave one message, or a change that left a valid blueprint at most one warning."""
        return len(self.said) == 1 or not self.said

    @property
    def line(self) -> bool:
        """Whether a message names the fault's line.

        A size that is wrong only for what another node needs is told where the two meet, with the way that it came:
        the node that has the size must be on that way.
        """
        if self.mutant.meeting and any(self.mutant.node in _on_the_way(found) for found in self.said):
            return True
        return any(found.position is not None and found.position.line == self.mutant.line for found in self.said)

    @property
    def node(self) -> bool:
        """Whether a message names the node at fault, if there is one."""
        who = self.mutant.node
        return who is None or any(
            who in (found.node or "").split(".") or (self.mutant.meeting and who in _on_the_way(found))
            for found in self.said
        )


def _on_the_way(found: Diagnostic) -> set[str]:
    """The nodes that a shape came through to where it does not fit, by their own names."""
    names: set[str] = set()
    for other in found.related:
        if other.message.startswith("it came from "):
            for link in other.message.removeprefix("it came from ").split(" → "):
                names.update(link.partition(" ")[0].split("."))
    return names


@dataclass(slots=True)
class Tally:
    """How many mutants there were, and of how many a message says what it should."""

    made: int = 0
    valid: int = 0
    once: int = 0
    line: int = 0
    in_a_node: int = 0
    node: int = 0
    missed: list[Judged] = field(default_factory=list)

    @property
    def faulty(self) -> int:
        """How many of them are faulty blueprints."""
        return self.made - self.valid

    def add(self, item: Judged) -> None:
        """Counts one mutant."""
        self.made += 1
        if item.valid:
            self.valid += 1
            if not item.once:
                self.missed.append(item)
            return
        self.once += item.once
        self.line += item.line
        self.in_a_node += item.mutant.node is not None
        self.node += item.node and item.mutant.node is not None
        if not (item.once and item.line and item.node):
            self.missed.append(item)


def diagnostics_of(text: str, name: str) -> tuple[Diagnostic, ...]:
    """What checking a text finds."""
    try:
        document = load_source(parse(text, name=name), None)
    except BlueprintError as error:
        return error.diagnostics
    return check(document).diagnostics


def judged(mutant: Mutant) -> Judged:
    """What checking says of a mutant."""
    return Judged(mutant, diagnostics_of(mutant.text, mutant.name))


def tallied(found: Iterable[Mutant]) -> tuple[Tally, dict[str, Tally]]:
    """The tally of all mutants, and that of each kind.

    Arguments:
        found: the mutants.
    """
    whole = Tally()
    kinds: dict[str, Tally] = {}
    seen: Counter[str] = Counter()
    for mutant in found:
        seen[mutant.text] += 1
        if seen[mutant.text] > 1:
            continue
        item = judged(mutant)
        whole.add(item)
        kinds.setdefault(mutant.kind, Tally()).add(item)
    return whole, kinds
