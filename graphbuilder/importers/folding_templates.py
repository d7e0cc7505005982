"""Stretches of nodes laid over each other: which node of one is which of the other, and which only some have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphbuilder.importers.folding_steps import Step, head_of, map_references, references_in

__all__ = ["Slot", "Stretch", "Template", "alike", "moved_reference", "template_of", "with_equal"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Nodes that stand one after the other.

    Arguments:
        start: the position of the first among all.
        steps: the nodes.
        entry: the node or input above the first, or None.
    """

    start: int
    steps: tuple[Step, ...]
    entry: str | None

    @property
    def end(self) -> int:
        """The position behind the last."""
        return self.start + len(self.steps)

    @property
    def exit(self) -> str:
        """What it gives: its last node."""
        return self.steps[-1].name

    def outside(self) -> list[str]:
        """The references to what stands outside, each once; the node above comes first."""
        inside = {step.name for step in self.steps}
        found = dict.fromkeys(
            reference
            for step in self.steps
            for reference in references_in(step.source)
            if head_of(reference) not in inside
        )
        return sorted(found, key=lambda reference: reference != self.entry)


@dataclass(frozen=True, slots=True)
class Slot:
    """A node of a template.

    Arguments:
        number: unlike that of any other slot; a reference to the slot is `#` and its number.
        source: its `from`, in which `@` and a number stands for an input port.
        members: the node of each stretch in this place, or None where that has none.
        first: the first of them.
    """

    number: int
    source: Any
    members: tuple[Step | None, ...]
    first: Step

    @property
    def optional(self) -> bool:
        """Whether some stretches have no such node."""
        return None in self.members


@dataclass(frozen=True, slots=True)
class Template:
    """What several stretches have in common.

    Arguments:
        slots: its nodes in order.
        exit: the reference to what it gives.
        ports: what each stretch has at each input port.
        stretches: the stretches.
    """

    slots: tuple[Slot, ...]
    exit: str
    ports: tuple[tuple[str, ...], ...]
    stretches: tuple[Stretch, ...]


def alike(step: Step) -> tuple[Any, ...]:
    """What two nodes must have in common to be taken for the same."""
    if step.kind[0] == "reuse":
        return ("reuse", "repeat" in step.arguments)
    return (*step.kind, "repeat" in step.arguments)


def template_of(stretch: Stretch) -> Template:
    """A template of one stretch."""
    outside = stretch.outside()
    known = {reference: f"@{number}" for number, reference in enumerate(outside)}
    numbers = {step.name: f"#{number}" for number, step in enumerate(stretch.steps)}

    def renamed(reference: str) -> str:
        return known.get(reference) or moved_reference(reference, numbers)

    slots = tuple(
        Slot(number, map_references(step.source, renamed), (step,), step) for number, step in enumerate(stretch.steps)
    )
    return Template(slots, f"#{len(slots) - 1}", (tuple(outside),), (stretch,))


def with_equal(template: Template, stretch: Stretch, like: int) -> Template:
    """The template with one more stretch that is built as the one of a number is, node by node.

    Arguments:
        template: the template.
        stretch: the further stretch.
        like: the position among the template's stretches of the one that it equals.
    """
    place = {step.name: index for index, step in enumerate(template.stretches[like].steps)}
    slots = tuple(
        replace(slot, members=(*slot.members, None if found is None else stretch.steps[place[found.name]]))
        for slot in template.slots
        for found in [slot.members[like]]
    )
    known = dict(zip(template.stretches[like].outside(), stretch.outside(), strict=True))
    ports = tuple(known[reference] for reference in template.ports[like])
    return Template(slots, template.exit, (*template.ports, ports), (*template.stretches, stretch))


def moved_reference(reference: str, names: Mapping[str, str]) -> str:
    """A reference whose first part has another name now."""
    head, dot, rest = reference.partition(".")
    return f"{names[head]}{dot}{rest}"
