"""Short chains that come again and again, wherever they stand: a convolution, its normalization, an activation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphbuilder.importers.folding_blocks import with_blocks
from graphbuilder.importers.folding_cost import cost_of
from graphbuilder.importers.folding_names import differently_named
from graphbuilder.importers.folding_steps import Scope, Step
from graphbuilder.importers.folding_templates import Stretch, Template, alike, template_of, with_equal

__all__ = ["with_chains"]

_LONGEST, _LEAST_COPIES = 6, 3


def with_chains(scope: Scope) -> Scope | None:
    """The scope with the chains as blocks that make it shortest, one after the other; None where none does.

    The nodes of a chain need not stand together. Where they do not, the order of nodes changes, which Keras does not
    see: it orders layers by what feeds what.
    """
    best: Scope | None = None
    while True:
        found = _with_best_chain(best or scope)
        if found is None:
            return best
        best = found


def _with_best_chain(scope: Scope) -> Scope | None:
    chains = list(_chains(scope))
    place = {step.name: index for index, step in enumerate(scope.steps)}
    counted: dict[tuple[tuple[object, ...], ...], list[tuple[Step, ...]]] = {}
    for chain in chains:
        kinds = [alike(step) for step in chain]
        for length in range(2, _LONGEST + 1):
            end = 0
            for start in range(len(chain) - length + 1):
                if start >= end or kinds[start : start + length] != kinds[end - length : end]:
                    counted.setdefault(tuple(kinds[start : start + length]), []).append(chain[start : start + length])
                    end = start + length
    ordered = sorted(counted.items(), key=lambda item: (-len(item[1]) * (len(item[0]) - 1), repr(item[0])))
    best, least = None, cost_of(scope)
    for _, copies in ordered[:4]:
        free = _apart(copies)
        if len(free) < _LEAST_COPIES:
            continue
        stretches = [Stretch(place[copy[0].name], copy, str(copy[0].source)) for copy in free]
        template: Template = template_of(stretches[0])
        for stretch in stretches[1:]:
            template = with_equal(template, stretch, 0)
        found = with_blocks(scope, [template])
        if cost_of(found) < least:
            best, least = found, cost_of(found)
    return best


def _apart(copies: Sequence[tuple[Step, ...]]) -> list[tuple[Step, ...]]:
    """The copies that share no node with one before them."""
    used: set[str] = set()
    found = []
    for copy in copies:
        names = {step.name for step in copy}
        if not names & used:
            used |= names
            found.append(copy)
    return found


def _chains(scope: Scope) -> Iterator[tuple[Step, ...]]:
    """The longest chains, in each of which every node feeds the next one alone."""
    readers = scope.readers()
    by_name = {step.name: step for step in scope.steps}
    feeds: dict[str, Step] = {}
    for step in scope.steps:
        above = step.source if isinstance(step.source, str) else None
        if above in by_name and len(readers[above]) == 1 and _may_stand_in_chain(step):
            feeds[above] = step
    fed = {step.name for step in feeds.values()}
    for step in scope.steps:
        if step.name in fed or not _may_stand_in_chain(step) or not isinstance(step.source, str):
            continue
        chain = [step]
        while chain[-1].name in feeds and not differently_named(chain[-1], feeds[chain[-1].name]):
            chain.append(feeds[chain[-1].name])
        if len(chain) > 1:
            yield tuple(chain)


def _may_stand_in_chain(step: Step) -> bool:
    return step.kind[0] != "reuse"
