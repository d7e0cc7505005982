"""Orders of tasks that hold little at a time: which way through a graph needs the least memory.

Finding the best order is NP-hard in general (Sethi, "Complete Register Allocation Problems", 1975), and quick for the
graphs that people draw, whose branches are few. What is searched are sets of finished tasks, of which a chain has as
many as tasks. Where there are too many, a beam of the best sets is followed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from operator import add
from typing import NamedTuple

__all__ = ["Task", "best_order", "peak_of"]

# How many steps from one set to another are looked at before the search is given up, and in all along the beam.
_STEPS = 50_000
# How many sets the beam follows at the most, and how many tasks it tries after each.
_BEAM, _TRIED = 16, 8


@dataclass(frozen=True, slots=True)
class Task:
    """One step of an order.

    Arguments:
        takes: the numbers of the values that it takes, each once.
        gives: the values that it gives, each with its number and its size.
        kept: which of those are kept to the end.
    """

    takes: tuple[int, ...]
    gives: tuple[tuple[int, int], ...]
    kept: frozenset[int] = frozenset()


class _State(NamedTuple):
    """A set of finished tasks.

    Arguments:
        done: the tasks, as the bits of a number.
        held: what the values held take.
        peak: the most that was held on the way here.
        ready: the tasks that could be next.
        order: the task that was last, and what came before it.
    """

    done: int
    held: int
    peak: int
    ready: tuple[int, ...]
    order: tuple[object, int] | None


def peak_of(tasks: Sequence[Task], order: Iterable[int]) -> tuple[int, int, tuple[int, ...]]:
    """The most that an order holds at a time, the task at which it does, and the values held then.

    Arguments:
        tasks: the tasks.
        order: all their numbers, each after those that it takes something of.

    Example:
        >>> chain = [Task((), ((0, 4),)), Task((0,), ((1, 8),)), Task((1,), ((2, 1),))]
        >>> peak_of(chain, [0, 1, 2])
        (12, 1, (0, 1))
    """
    left = _takers(tasks)
    sizes = {number: size for task in tasks for number, size in task.gives}
    kept = {number for task in tasks for number in task.kept}
    held: dict[int, None] = {}
    total, worst, at = 0, -1, 0
    then: tuple[int, ...] = ()
    for index in order:
        task = tasks[index]
        for number, size in task.gives:
            held[number] = None
            total += size
        if total > worst:
            worst, at, then = total, index, tuple(held)
        for number in task.takes:
            left[number] -= 1
        for number in (*task.takes, *(number for number, _ in task.gives)):
            if not left[number] and number not in kept and number in held:
                del held[number]
                total -= sizes[number]
    return max(worst, 0), at, then


def best_order(tasks: Sequence[Task]) -> tuple[tuple[int, ...], int]:
    """An order that holds little at a time, and what every order holds at least.

    The two meet where the search came to its end: then no order is better.

    Arguments:
        tasks: the tasks, in some order in which each stands after those that it takes something of.

    Example:
        >>> wide = Task((0,), ((1, 9),)), Task((1,), ((2, 1),)), Task((0,), ((3, 9),)), Task((3,), ((4, 1),))
        >>> best_order([Task((), ((0, 1),)), *wide, Task((2, 4), ((5, 1),))])
        ((0, 1, 2, 3, 4, 5), 11)
    """
    search = _Search(tasks)
    found, bound = search.first_best()
    if found is None:
        found = search.along_a_beam()
        written = peak_of(tasks, range(len(tasks)))[0]
        if written <= found.peak:
            return tuple(range(len(tasks))), bound
    return tuple(_unrolled(found)), bound


def _takers(tasks: Sequence[Task]) -> dict[int, int]:
    """How many tasks take each value."""
    found = {number: 0 for task in tasks for number, _ in task.gives}
    for task in tasks:
        for number in task.takes:
            found[number] += 1
    return found


def _unrolled(state: _State) -> Iterator[int]:
    """The order that led to a set."""
    backwards = []
    step = state.order
    while step is not None:
        step, index = step  # type: ignore[assignment]  # a chain of pairs has no finite type
        backwards.append(index)
    return reversed(backwards)


class _Search:
    """The sets of finished tasks, and the ways between them."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks
        giver = {number: index for index, task in enumerate(tasks) for number, _ in task.gives}
        self._needs = [0] * len(tasks)
        self._followers: list[list[int]] = [[] for _ in tasks]
        takers = dict.fromkeys(giver, 0)
        for index, task in enumerate(tasks):
            for number in task.takes:
                takers[number] |= 1 << index
            for before in sorted({giver[number] for number in task.takes}):
                self._needs[index] |= 1 << before
                self._followers[before].append(index)
        kept = {number for task in tasks for number in task.kept}
        sizes = {number: size for task in tasks for number, size in task.gives}
        self._given = [sum(size for _, size in task.gives) for task in tasks]
        # What a task may set free: a value's size, and the tasks that must be done before it is free.
        self._frees = [
            [
                (sizes[number], takers[number])
                for number in dict.fromkeys([*task.takes, *(number for number, _ in task.gives)])
                if number not in kept and sizes[number]
            ]
            for task in tasks
        ]
        # While a task runs, what it takes and what it gives is there at once.
        taken = (sum(sizes[number] for number in task.takes) for task in tasks)
        self._least = max(map(add, taken, self._given), default=0)
        start = _State(0, 0, 0, tuple(index for index, needs in enumerate(self._needs) if not needs), None)
        self._start = self._quietly(start, self._least)

    def first_best(self) -> tuple[_State | None, int]:
        """The end of an order than which none is better, or None where there are too many; and the least peak."""
        everything = (1 << len(self._tasks)) - 1
        ticket = count()
        # Of equal peaks the set with most behind it is looked at first.
        waiting = [(self._bound(self._start), -self._start.done.bit_count(), next(ticket), self._start)]
        met: set[int] = set()
        bound, steps = self._least, 0
        while waiting:
            bound, _, _, state = heapq.heappop(waiting)
            if state.done == everything:
                return state, bound
            if state.done in met:
                continue
            met.add(state.done)
            # Of each set that follows, all the tasks that wait are looked at again.
            steps += len(state.ready) * (8 + len(state.ready)) // 8
            if steps > _STEPS:
                return None, bound
            for index in state.ready:
                following = self._quietly(self._after(state, index), max(bound, self._least))
                if following.done not in met:
                    key = (self._bound(following), -following.done.bit_count(), next(ticket), following)
                    heapq.heappush(waiting, key)
        return self._start, bound

    def along_a_beam(self) -> _State:
        """The end of a good order: of the sets of each number of tasks, only the best are followed."""
        everything = (1 << len(self._tasks)) - 1
        beam = {self._start.done: self._start}
        while True:
            # Where many tasks wait at a time, looking at each of them costs as much as following more sets.
            waiting = max(len(state.ready) for state in beam.values())
            width = max(1, min(_BEAM, 4 * _STEPS // (len(self._tasks) * (waiting + _TRIED))))
            best: dict[int, _State] = {}
            ended = [state for state in beam.values() if state.done == everything]
            if len(ended) == len(beam):
                return min(ended, key=lambda state: state.peak)
            for state in ended:
                best[state.done] = state
            for state in beam.values():
                for index in self._promising(state):
                    following = self._quietly(self._after(state, index), max(state.peak, self._least))
                    other = best.get(following.done)
                    if other is None or following.peak < other.peak:
                        best[following.done] = following
            kept = sorted(best.values(), key=lambda state: (state.peak, state.held, -state.done.bit_count()))
            beam = {state.done: state for state in kept[:width]}

    def _promising(self, state: _State) -> Sequence[int]:
        """The tasks to try after a set along the beam: those that would hold least."""
        if len(state.ready) <= _TRIED:
            return state.ready

        def harm(index: int) -> tuple[bool, int]:
            return state.held + self._given[index] > state.peak, self._change(state.done, index)

        return heapq.nsmallest(_TRIED, state.ready, key=harm)

    def _bound(self, state: _State) -> int:
        return max(state.peak, self._least)

    def _change(self, done: int, index: int) -> int:
        """By how much more is held once a task is done."""
        after = done | 1 << index
        return self._given[index] - sum(size for size, takers in self._frees[index] if not takers & ~after)

    def _after(self, state: _State, index: int) -> _State:
        """The set with one more task."""
        done = state.done | 1 << index
        freed = tuple(follower for follower in self._followers[index] if not self._needs[follower] & ~done)
        ready = (*(other for other in state.ready if other != index), *freed)
        peak = max(state.peak, state.held + self._given[index])
        held = state.held + self._change(state.done, index)
        return _State(done, held, peak, ready, (state.order, index))

    def _quietly(self, state: _State, bound: int) -> _State:
        """The set with every task done that can do no harm.

        A task that leaves no more than it found, and does not pass what is held at the worst moment in any case, may
        come at once: in every order that continues from here it can be moved to the front.
        """
        moved = True
        while moved:
            moved = False
            for index in state.ready:
                if state.held + self._given[index] <= bound and self._change(state.done, index) <= 0:
                    state = self._after(state, index)
                    moved = True
                    break
        return state
