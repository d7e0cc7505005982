"""The memory of activations, held against every order that a graph could be run in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.analysis.memory import memory_of, tasks_of
from graphbuilder.analysis.ordering import Task, best_order, peak_of
from graphbuilder.analysis.sizes import sample_bytes
from graphbuilder.api import lower, parse
from graphbuilder.catalog import TensorType
from graphbuilder.graph import Graph


def graph_of(text: str) -> Graph:
    return lower(parse(f"blueprint: 1\n{text}"))


@st.composite
def tasks(draw: st.DrawFn, most: int = 7) -> list[Task]:
    """A model's inputs, and a few tasks that take values made before them."""
    found = [Task((), ((0, draw(st.integers(0, 20))),))]
    values = [0]
    for _ in range(draw(st.integers(1, most))):
        takes = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))
        numbers = range(len(values), len(values) + draw(st.integers(1, 2)))
        gives = tuple((number, draw(st.integers(0, 20))) for number in numbers)
        kept = frozenset(number for number in numbers if draw(st.integers(0, 9)) == 0)
        found.append(Task(tuple(takes), gives, kept))
        values.extend(numbers)
    return found


def orders(found: Sequence[Task]) -> Iterator[tuple[int, ...]]:
    """Every order in which each task stands after those that it takes something of."""
    giver = {number: index for index, task in enumerate(found) for number, _ in task.gives}
    needs = [{giver[number] for number in task.takes} for task in found]

    def longer(order: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(order) == len(found):
            yield order
        for index in range(len(found)):
            if index not in order and needs[index] <= set(order):
                yield from longer((*order, index))

    return longer(())


def simple_peak(found: Sequence[Task], order: Sequence[int]) -> int:
    """The peak, counted anew at each step from what is still to be taken."""
    worst = 0
    for step, index in enumerate(order):
        made = [value for done in order[: step + 1] for value in found[done].gives]
        kept = {number for task in found for number in task.kept}
        wanted = {number for later in order[step:] for number in found[later].takes}
        now = {number for number, _ in found[index].gives}
        worst = max(worst, sum(size for number, size in made if number in wanted | kept | now))
    return worst


@given(tasks())
def test_no_order_holds_less(found: list[Task]) -> None:
    order, at_least = best_order(found)
    best = min(simple_peak(found, other) for other in orders(found))
    assert simple_peak(found, order) == peak_of(found, order)[0] == best == at_least


@given(tasks(most=60))
def test_an_order_is_one_and_never_worse_than_the_files(found: list[Task]) -> None:
    order, at_least = best_order(found)
    place = {index: step for step, index in enumerate(order)}
    giver = {number: index for index, task in enumerate(found) for number, _ in task.gives}
    assert sorted(order) == list(range(len(found)))
    assert all(place[giver[number]] < place[index] for index, task in enumerate(found) for number in task.takes)
    peak = peak_of(found, order)[0]
    assert at_least <= peak <= peak_of(found, range(len(found)))[0]
    assert peak == simple_peak(found, order)


def test_where_there_are_too_many_orders_a_good_one_is_found() -> None:
    """Two hundred branches, each large in the middle: run one after the other they hold little."""
    found = [Task((), ((0, 5),))]
    found += [Task((0,), ((number, 50 + number % 7),)) for number in range(1, 201)]
    found += [Task((number,), ((number + 200, 1),)) for number in range(1, 201)]
    found += [Task(tuple(range(201, 401)), ((401, 1),))]
    order, at_least = best_order(found)
    peak = peak_of(found, order)[0]
    assert peak_of(found, range(len(found)))[0] > 10_000
    assert at_least <= peak <= 5 + 200 + 57


def test_the_peak_of_a_chain_is_two_neighbours(root: Path) -> None:
    found = memory_of(lower(root / "blueprints" / "cnn.yaml"))
    assert found.peak == found.peak_as_written == 4 * (62 * 62 * 32 + 31 * 31 * 32)
    assert (found.at, found.best, found.unknown) == ("pool", True, ())
    assert found.held == (("conv", 492_032), ("pool", 123_008))


def test_a_shortcut_is_held_until_it_is_added() -> None:
    found = memory_of(
        graph_of(
            "inputs: {x: {shape: [8, 8, 4]}}\n"
            "nodes:\n"
            "  a: {layer: Conv2D, filters: 4, kernel_size: 3, padding: same}\n"
            "  b: {layer: Conv2D, filters: 4, kernel_size: 3, padding: same}\n"
            "  c: {layer: Add, from: [b, x]}\n"
        )
    )
    assert found.peak == 3 * 8 * 8 * 4 * 4
    assert found.at == "b"


def test_a_better_order_than_the_files_is_found() -> None:
    wide = "filters: 64, kernel_size: 3, padding: same"
    narrow = "{layer: GlobalAveragePooling2D, from: %s}"
    graph = graph_of(
        "inputs: {x: {shape: [8, 8, 1]}}\n"
        "nodes:\n"
        f"  a: {{layer: Conv2D, from: x, {wide}}}\n"
        f"  b: {{layer: Conv2D, from: x, {wide}}}\n"
        f"  c: {{layer: Conv2D, from: x, {wide}}}\n"
        f"  d: {narrow % 'a'}\n  e: {narrow % 'b'}\n  f: {narrow % 'c'}\n"
        "  g: {layer: Concatenate, from: [d, e, f]}\n"
    )
    found = memory_of(graph)
    image, pooled, given_ = 4 * 8 * 8 * 64, 4 * 64, 4 * 8 * 8
    assert found.peak_as_written == 3 * image + given_
    assert found.peak == image + pooled * 2 + given_
    assert found.best
    names = list(graph.calls)
    listed = tasks_of(graph)[0]
    assert peak_of(listed, [0, *(names.index(name) + 1 for name in found.order)])[0] == found.peak


def test_what_is_unknown_is_in_no_sum_and_named() -> None:
    found = memory_of(
        graph_of("inputs: {x: {shape: [steps, 8]}}\nnodes: {a: {layer: LSTM, units: 4}, b: {layer: Dense, units: 2}}")
    )
    assert found.unknown == ("x",)
    assert found.peak == 4 * (4 + 2)


@pytest.mark.parametrize(
    ("dtype", "size"), [("bool", 1), ("uint8", 1), ("float16", 2), ("int32", 4), ("complex64", 8), ("string", None)]
)
def test_sizes_are_those_of_the_dtype(dtype: str, size: int | None) -> None:
    assert sample_bytes(TensorType(("batch", 3, 5), dtype)) == (None if size is None else 15 * size)
