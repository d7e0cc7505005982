"""Where a model repeats itself: stretches of nodes between places where a single tensor goes on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from graphbuilder.importers.folding_blocks import with_blocks
from graphbuilder.importers.folding_cost import cost_of
from graphbuilder.importers.folding_names import differently_named, is_made_up
from graphbuilder.importers.folding_overlay import laid_over, likeness_at_most
from graphbuilder.importers.folding_steps import Scope, Step, head_of, map_references, references_in
from graphbuilder.importers.folding_templates import Stretch, Template, alike, template_of, with_equal

__all__ = ["best_division"]

# How many ways to divide the nodes are tried in full: of all nodes, and of those that blocks have taken some from.
_TRIED, _TRIED_AGAIN = 4, 2
# How long a stretch may be that is laid over others, and how many stretches that no other equals.
_LONGEST, _MOST_CLASSES = 120, 16
# How many pairs of nodes are compared in stretches that are not equal, so that large models do not take long.
_MOST_COMPARED = 300_000
# How much of the longer one must be found in the other, each node alike counting 10.
_LIKE_ENOUGH = 7.0
# How many words of the nodes' names tell stretches apart.
_WORDS = (1, 2, 3, 4)
# How many lines a stretch takes that comes right after one like it: none where `repeat` says it.
_REPEATED = 0.5
_BASE, _MODULUS = 1_000_003, (1 << 61) - 1


def best_division(scope: Scope) -> Scope | None:
    """The scope with its repeated stretches as blocks; None where that makes nothing shorter."""
    division = _Division(scope)
    best, least = None, cost_of(scope)
    for bounds in division.promising():
        found = with_blocks(scope, division.templates(bounds))
        cost = cost_of(found)
        if cost < least:
            best, least = found, cost
    return best


class _Division:
    """The ways to divide the nodes of a scope into stretches.

    Arguments:
        scope: the scope.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.steps = scope.steps
        self.inputs = scope.inputs
        self.readers = scope.readers()
        self.place = {step.name: index for index, step in enumerate(scope.steps)}
        self.kinds = _numbered([alike(step) for step in scope.steps])
        self.cuts = self._cuts()
        self.hashes = self._hashes()
        self._compared = 0
        self._laid: dict[tuple[tuple[int, int], ...], tuple[Template, float] | None] = {}

    def _cuts(self) -> list[int]:
        """The positions at which only what the node above gives goes on; the inputs may go everywhere."""
        ends = [0] * (len(self.steps) + 2)
        for index, step in enumerate(self.steps):
            readers = self.readers.get(step.name)
            if readers:
                ends[index + 1] += 1
                ends[max(readers) + 1] -= 1
        cuts, living = [0], 0
        for position in range(1, len(self.steps)):
            living += ends[position]
            readers = self.readers.get(self.steps[position - 1].name, [0])
            if living == 0 or (living == 1 and max(readers) >= position):
                cuts.append(position)
        return [*cuts, len(self.steps)]

    def _hashes(self) -> list[int]:
        """Of the nodes before each position; equal differences are stretches that are wired alike."""
        numbers: dict[str, int] = {}
        found = [0]
        for index, step in enumerate(self.steps):
            wired = map_references(step.source, lambda reference, index=index: self._relative(reference, index))  # type: ignore[misc]
            shared = self._relative(step.kind[1], index) if step.kind[0] == "reuse" else None
            token = numbers.setdefault(repr((alike(step), wired, shared)), len(numbers) + 1)
            found.append((found[-1] * _BASE + token) % _MODULUS)
        return found

    def _relative(self, reference: str, index: int) -> str:
        head, dot, rest = reference.partition(".")
        if head in self.place:
            return f"{index - self.place[head]}{dot}{rest}"
        # An input that one node takes is the node above the first; one that many take is the same everywhere.
        return f"{index + 1}" if self.readers.get(head) == [0] else reference

    def class_of(self, start: int, end: int) -> tuple[int, int]:
        """Equal for stretches that are the same but for arguments and names."""
        power = pow(_BASE, end - start, _MODULUS)
        return end - start, (self.hashes[end] - self.hashes[start] * power) % _MODULUS

    def promising(self) -> list[tuple[int, ...]]:
        """The ways that look best, as the positions at which stretches begin and end."""
        found = dict.fromkeys(self._ways())
        tried = _TRIED_AGAIN if self.scope.divided else _TRIED
        return sorted(found, key=lambda bounds: (self._estimate(bounds), bounds))[:tried]

    def _ways(self) -> Iterator[tuple[int, ...]]:
        for depth in _WORDS:
            for words in (self._words(self.steps, depth), self._words(self.steps[::-1], depth)[::-1]):
                yield self._bounds(lambda cut, words=words: words[cut - 1] != words[cut])  # type: ignore[misc]
        for kinds in self._signatures():
            before: dict[int, list[int]] = {}
            behind: dict[int, list[int]] = {}
            for cut in self.cuts[1:-1]:
                before.setdefault(kinds[cut], []).append(cut)
                behind.setdefault(kinds[cut - 1], []).append(cut)
            for chosen in (*before.values(), *behind.values()):
                if len(chosen) > 1:
                    yield (0, *chosen, len(self.steps))

    def _words(self, steps: Sequence[Step], depth: int) -> list[str]:
        """The first words of each node's name; where Keras made that up, those of the node before it."""
        found: list[str] = []
        for step in steps:
            before = found[-1] if found else ""
            found.append(before if is_made_up(step.name) else "_".join(step.name.split("_")[:depth]))
        return found

    def _bounds(self, chosen: Callable[[int], bool]) -> tuple[int, ...]:
        return (0, *filter(chosen, self.cuts[1:-1]), len(self.steps))

    def _signatures(self) -> Iterator[list[int]]:
        """What each node is, more and more exactly: its kind, then with the kinds around it, before and behind."""
        flags = [repr([(k, v) for k, v in step.arguments.items() if isinstance(v, bool)]) for step in self.steps]
        first = _numbered([(alike(step), flag) for step, flag in zip(self.steps, flags, strict=True)])
        yield first
        sources = [
            [self.place.get(head_of(reference), -1) for reference in references_in(step.source)] for step in self.steps
        ]
        targets = [self.readers.get(step.name, []) for step in self.steps]
        for around in (sources, targets):
            kinds = first
            for _ in range(2):
                kinds = _numbered(
                    [
                        (kind, tuple(sorted(kinds[index] if index >= 0 else -1 for index in near)))
                        for kind, near in zip(kinds, around, strict=True)
                    ]
                )
                yield kinds

    def _estimate(self, bounds: Sequence[int]) -> float:
        """How many lines there would be, guessed."""
        counted: Counter[tuple[int, int]] = Counter()
        used: dict[tuple[int, int], float] = defaultdict(float)
        example: dict[tuple[int, int], tuple[int, int]] = {}
        above = None
        for start, end in pairwise(bounds):
            found = self.class_of(start, end)
            counted[found] += 1
            used[found] += 1 if found != above else _REPEATED
            example[found] = (start, end)
            above = found
        templates: list[Counter[int]] = []
        total = 0.0
        for found, count in sorted(counted.items(), key=lambda item: (-item[1] * item[0][0], item[0])):
            start, end = example[found]
            if end - start == 1 or end - start > _LONGEST:
                total += count * (end - start)
                continue
            kinds = Counter(self.kinds[start:end])
            apart = [((kinds - known).total() + (known - kinds).total()) for known in templates]
            new = end - start + 4.0 if count > 1 else float(end - start)
            total += min(new, *(each + 1.0 for each in apart)) if apart else new
            total += used[found]
            if len(templates) < _MOST_CLASSES:
                templates.append(kinds)
        return total

    def templates(self, bounds: Sequence[int]) -> list[Template]:
        """The stretches between positions, those that are alike laid over each other; longest savings first."""
        classes: dict[tuple[int, int], list[Stretch]] = {}
        for start, end in pairwise(bounds):
            classes.setdefault(self.class_of(start, end), []).append(self._stretch(start, end))
        found: list[Template] = []
        ordered = sorted(classes.values(), key=lambda same: (-len(same) * len(same[0].steps), same[0].start))
        for number, same in enumerate(ordered):
            if len(same[0].steps) > _LONGEST or number >= (_MOST_CLASSES if len(same) == 1 else 2 * _MOST_CLASSES):
                continue
            fits = self._fitting(found, same)
            if fits is not None:
                index, template = fits
                found[index] = template
            elif len(same[0].steps) > 1:
                found.append(_all_equal(template_of(same[0]), same[1:], 0))
        return found

    def _stretch(self, start: int, end: int) -> Stretch:
        entry = self.steps[start - 1].name if start else self.inputs[0] if len(self.inputs) == 1 else None
        return Stretch(start, self.steps[start:end], entry)

    def _fitting(self, templates: Sequence[Template], same: Sequence[Stretch]) -> tuple[int, Template] | None:
        """The template that equal stretches fit best, with them in it."""
        best: tuple[float, int, Template] | None = None
        for stretch in self._parts(same):
            for index, template in enumerate(templates):
                least = _LIKE_ENOUGH if best is None else best[0]
                self._compared += len(template.slots) * len(stretch.steps)
                if self._compared > _MOST_COMPARED or likeness_at_most(template, stretch) <= least:
                    continue
                laid = self._laid_over(template, stretch)
                if laid is not None and laid[1] > least:
                    best = laid[1], index, laid[0]
        if best is None:
            return None
        _, index, template = best
        return index, _all_equal(template, same[1:], len(template.stretches) - 1)

    def _laid_over(self, template: Template, stretch: Stretch) -> tuple[Template, float] | None:
        """The same for the same stretches, in whatever division they come."""
        key = (*((each.start, each.end) for each in template.stretches), (stretch.start, stretch.end))
        if key not in self._laid:
            self._laid[key] = laid_over(template, stretch)
        return self._laid[key]

    def _parts(self, same: Sequence[Stretch]) -> Iterator[Stretch]:
        """A stretch, or, where it is the only one of its kind, what is left of it without a beginning or an end."""
        stretch = same[0]
        inner = [cut for cut in self.cuts if stretch.start < cut < stretch.end]
        named = [cut for cut in inner if differently_named(self.steps[cut - 1], self.steps[cut])]
        if len(same) > 1 or not named:
            yield stretch
        if len(same) > 1:
            return
        inner = named or inner
        for cut in inner[:12]:
            yield self._stretch(cut, stretch.end)
        for cut in inner[-12:]:
            yield self._stretch(stretch.start, cut)


def _all_equal(template: Template, stretches: Sequence[Stretch], like: int) -> Template:
    for stretch in stretches:
        template = with_equal(template, stretch, like)
    return template


def _numbered(keys: Sequence[Any]) -> list[int]:
    known: dict[Any, int] = {}
    return [known.setdefault(key, len(known)) for key in keys]
