"""Lays a stretch of nodes over a template: which nodes are the same, and which only one of them has."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphbuilder.importers.folding_steps import Step, first_of, head_of, map_references, references_in
from graphbuilder.importers.folding_templates import Slot, Stretch, Template, alike, moved_reference

__all__ = ["laid_over", "likeness_at_most"]

# What it is worth that two nodes are taken for the same, that they say the same, and what an optional one costs.
_SAME_KIND, _SAME_ARGUMENTS, _SAME_NAME, _OPTIONAL = 10, 3, 1, -2
# The most that a node can count, and the least that is looked at, for each node of the longer one.
_LIKE_MOST, _LIKE_LEAST = _SAME_KIND + _SAME_ARGUMENTS + _SAME_NAME, 6.0
# How many optional nodes may come together.
_APART = 16


@dataclass(frozen=True, slots=True)
class _Path:
    """A way through two sequences so far.

    Arguments:
        score: what it is worth.
        moves: of each node in order: a slot's position and a step's position, -1 for none.
        sources: the sources of the slots, by number, where they are not the template's.
        places: the slots of the stretch's nodes, by name.
        present: the numbers of the template's slots that the stretch has.
        ports: what the stretch has at each port; None where that is not known yet.
    """

    score: float
    moves: tuple[tuple[int, int], ...]
    sources: Mapping[int, Any]
    places: Mapping[str, str]
    present: frozenset[int]
    ports: tuple[str | None, ...]


def likeness_at_most(template: Template, stretch: Stretch) -> float:
    """How well a stretch can fit a template at best, for each node of the longer one."""
    mine, theirs = [alike(slot.first) for slot in template.slots], [alike(step) for step in stretch.steps]
    longer = max(len(mine), len(theirs))
    common = (Counter(mine) & Counter(theirs)).total()
    if common * _LIKE_MOST < longer * _LIKE_LEAST:
        return 0.0
    # The longest sequence of kinds that both have.
    above = [0] * (len(theirs) + 1)
    for kind in mine:
        line = [0]
        for column, other in enumerate(theirs):
            line.append(above[column] + 1 if kind == other else max(line[-1], above[column + 1]))
        above = line
    common = above[-1]
    return (common * _LIKE_MOST + (len(mine) + len(theirs) - 2 * common) * _OPTIONAL) / longer


def laid_over(template: Template, stretch: Stretch) -> tuple[Template, float] | None:
    """The template with one more stretch, and how well it fits for each node of the longer one; None where it does not.

    Nodes that only one of them has become optional: left out, they pass on the first of what they take, and so the
    others must be connected as if they were not there.

    Arguments:
        template: the template.
        stretch: the further stretch.
    """
    return _Overlay(template, stretch).best()


@dataclass(slots=True)
class _Overlay:
    template: Template
    stretch: Stretch
    _fresh: int = field(init=False)
    _sources: dict[int, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._fresh = 1 + max(slot.number for slot in self.template.slots)
        self._sources = {slot.number: slot.source for slot in self.template.slots}

    def best(self) -> tuple[Template, float] | None:
        slots, steps = self.template.slots, self.stretch.steps
        kinds, others = [alike(slot.first) for slot in slots], [alike(step) for step in steps]
        ports = tuple(self.stretch.entry if number == 0 else None for number in range(len(self.template.ports[0])))
        above: list[_Path | None] = []
        for row in range(len(slots) + 1):
            line: list[_Path | None] = []
            for column in range(len(steps) + 1):
                if row == column == 0:
                    line.append(_Path(0, (), {}, {}, frozenset(), ports))
                    continue
                path = None
                if abs(row - column) <= _APART:
                    if row and column and kinds[row - 1] == others[column - 1]:
                        path = self._matched(above[column - 1], row - 1, column - 1)
                    least = -math.inf if path is None else path.score
                    if row:
                        path = self._skipped(above[column], row - 1, least) or path
                    least = -math.inf if path is None else path.score
                    if column:
                        path = self._inserted(line[column - 1], column - 1, least) or path
                line.append(path)
            above = line
        path = above[-1]
        if path is None or None in path.ports:
            return None
        exit_ = self._unified(path, self.template.exit, self.stretch.exit)
        return None if exit_ is None else (self._joined(path, exit_[0]), path.score / max(len(slots), len(steps)))

    def _matched(self, path: _Path | None, row: int, column: int) -> _Path | None:
        if path is None:
            return None
        slot, step = self.template.slots[row], self.stretch.steps[column]
        if step.kind[0] == "reuse" and path.places.get(head_of(step.kind[1])) != self._owner(slot):
            return None
        source = self._unified_source(path, slot.source, step.source)
        if source is None:
            return None
        written, ports = source
        score = path.score + _SAME_KIND + _likeness(slot, step)
        return _Path(
            score,
            (*path.moves, (row, column)),
            path.sources if written is slot.source else {**path.sources, slot.number: written},
            {**path.places, step.name: f"#{slot.number}"},
            path.present | {slot.number},
            ports,
        )

    def _owner(self, slot: Slot) -> str | None:
        """The slot whose layer a slot calls again, or None where that is outside."""
        head = head_of(slot.first.kind[1])
        for each in self.template.slots:
            if any(member is not None and member.name == head for member in each.members):
                return f"#{each.number}"
        return None

    def _skipped(self, path: _Path | None, row: int, least: float) -> _Path | None:
        slot = self.template.slots[row]
        if path is None or path.score + _OPTIONAL <= least:
            return None
        if slot.first.kind[0] == "reuse" or not isinstance(first_of(slot.source), str):
            return None
        score, moves = path.score + _OPTIONAL, (*path.moves, (row, -1))
        return _Path(score, moves, path.sources, path.places, path.present, path.ports)

    def _inserted(self, path: _Path | None, column: int, least: float) -> _Path | None:
        step = self.stretch.steps[column]
        if path is None or path.score + _OPTIONAL <= least:
            return None
        if step.kind[0] == "reuse" or not isinstance(first_of(step.source), str):
            return None
        known = {name: f"@{number}" for number, name in enumerate(path.ports) if name is not None}
        for reference in references_in(step.source):
            if reference not in known and head_of(reference) not in path.places:
                return None
        source = map_references(
            step.source, lambda reference: known.get(reference) or moved_reference(reference, path.places)
        )
        number = self._fresh + column
        return _Path(
            path.score + _OPTIONAL,
            (*path.moves, (-1, column)),
            {**path.sources, number: source},
            {**path.places, step.name: f"#{number}"},
            path.present,
            path.ports,
        )

    def _unified_source(self, path: _Path, one: Any, two: Any) -> tuple[Any, tuple[str | None, ...]] | None:
        """A `from` that means both; None where there is none."""
        if isinstance(one, str) and isinstance(two, str):
            return self._unified(path, one, two)
        if isinstance(one, Mapping) and isinstance(two, Mapping) and list(one) == list(two) and "constant" not in one:
            found = self._unified_source(path, list(one.values()), list(two.values()))
            return None if found is None else (dict(zip(one, found[0], strict=True)), found[1])
        if not (isinstance(one, list) and isinstance(two, list) and len(one) == len(two)):
            same = type(one) is type(two) and repr(one) == repr(two)
            return (one, path.ports) if same else None
        items = []
        for mine, theirs in zip(one, two, strict=True):
            found = self._unified_source(path, mine, theirs)
            if found is None:
                return None
            items.append(found[0])
            path = replace(path, ports=found[1])
        return (one if items == one else items), path.ports

    def _unified(self, path: _Path, one: str, two: str) -> tuple[str, tuple[str | None, ...]] | None:
        """A reference that means one of the template's and one of the stretch's."""
        if head_of(two) in path.places:
            theirs = moved_reference(two, path.places)
        elif two in path.ports:
            theirs = f"@{path.ports.index(two)}"
        elif one.startswith("@") and path.ports[int(one[1:])] is None:
            number = int(one[1:])
            return one, (*path.ports[:number], two, *path.ports[number + 1 :])
        else:
            return None
        if one == theirs:
            return one, path.ports
        if not (one.startswith("#") or theirs.startswith("#")):
            return None
        # Left out in the stretch, what the template names passes on what the stretch names; or the other way round.
        if theirs in self._passed(path, one, lambda number: number in path.present or number >= self._fresh):
            return one, path.ports
        if one in self._passed(path, theirs, lambda number: number < self._fresh):
            return theirs, path.ports
        return None

    def _passed(self, path: _Path, reference: Any, stays: Callable[[int], bool]) -> Iterator[str]:
        """What a reference stands for where nodes are left out."""
        while isinstance(reference, str) and reference.startswith("#") and "." not in reference:
            number = int(reference[1:])
            if stays(number):
                return
            reference = first_of(path.sources[number] if number in path.sources else self._sources[number])
            if isinstance(reference, str):
                yield reference

    def _joined(self, path: _Path, exit_: str) -> Template:
        count = len(self.template.stretches)
        slots = []
        for row, column in path.moves:
            old = self.template.slots[row] if row >= 0 else None
            member = self.stretch.steps[column] if column >= 0 else None
            number = old.number if old is not None else self._fresh + column
            before: Sequence[Step | None] = (None,) * count if old is None else old.members
            first = old.first if old is not None else member
            assert first is not None
            source = path.sources[number] if number in path.sources else self._sources[number]
            slots.append(Slot(number, source, (*before, member), first))
        ports = tuple(name for name in path.ports if name is not None)
        return Template(tuple(slots), exit_, (*self.template.ports, ports), (*self.template.stretches, self.stretch))


def _likeness(slot: Slot, step: Step) -> float:
    """How much a node says what those of a slot say."""
    other = slot.first
    if other.arguments == step.arguments:
        return _SAME_ARGUMENTS + _SAME_NAME * (other.name.rpartition("_")[2] == step.name.rpartition("_")[2])
    keys = {*other.arguments, *step.arguments}
    same = sum(
        key in other.arguments and key in step.arguments and repr(other.arguments[key]) == repr(step.arguments[key])
        for key in keys
    )
    share = same / len(keys) if keys else 1
    return _SAME_ARGUMENTS * share + _SAME_NAME * (other.name.rpartition("_")[2] == step.name.rpartition("_")[2])
