"""The memory that the values of a graph take while it runs, and an order of its calls that takes little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphbuilder.analysis.ordering import Task, best_order, peak_of
from graphbuilder.analysis.sizes import sample_bytes
from graphbuilder.graph import Graph, Value, flatten

__all__ = ["Memory", "memory_of", "tasks_of"]


@dataclass(frozen=True, slots=True)
class Memory:
    """What activations take at most while one sample goes through a model, weights not counted.

    A value is held from the call that gives it to the last call that takes it; what the model is given is held from
    the start, what it gives to the end. No call works in place. Keras runs the calls in the order of the file, other
    runtimes may choose.

    Arguments:
        peak: the bytes held at the worst moment of the best order that was found.
        peak_as_written: the same in the order of the file.
        at_least: bytes that every order takes at some moment.
        order: the calls in the best order.
        at: the call during which the peak is reached; None where nothing is held.
        held: the values that are held then, with their bytes, the largest first.
        unknown: the values of unknown size; they are in none of the sums.
    """

    peak: int
    peak_as_written: int
    at_least: int
    order: tuple[str, ...]
    at: str | None
    held: tuple[tuple[str, int], ...]
    unknown: tuple[str, ...]

    @property
    def best(self) -> bool:
        """Whether it is known that no order takes less."""
        return self.peak == self.at_least


def memory_of(graph: Graph) -> Memory:
    """The memory that the activations of a graph take for one sample.

    Arguments:
        graph: the graph.

    Example:
        >>> from graphbuilder.api import lower
        >>> found = memory_of(lower("blueprints/cnn.yaml"))
        >>> found.peak, found.at, found.held
        (615040, 'pool', (('conv', 492032), ('pool', 123008)))
    """
    tasks, values = tasks_of(graph)
    names = list(graph.calls)
    order, at_least = best_order(tasks)
    written, _, _ = peak_of(tasks, range(len(tasks)))
    peak, moment, held = peak_of(tasks, order)
    sizes = {number: size for task in tasks for number, size in task.gives}
    listed = sorted(
        ((values[number].name, sizes[number]) for number in held if sizes[number]), key=lambda item: -item[1]
    )
    return Memory(
        peak=peak,
        peak_as_written=written,
        at_least=at_least,
        order=tuple(names[number - 1] for number in order if number),
        at=names[moment - 1] if moment and listed else None,
        held=tuple(listed),
        unknown=tuple(value.name for value in values if sample_bytes(value.type) is None),
    )


def tasks_of(graph: Graph) -> tuple[Sequence[Task], Sequence[Value]]:
    """The calls of a graph as what they take and give, and the values behind the numbers.

    The first task gives the model's inputs; those of the calls follow in their order.

    Arguments:
        graph: the graph.
    """
    values = [
        *(item.value for item in graph.inputs.values()),
        *(value for call in graph.calls.values() for value in call.outputs),
    ]
    number = {value.name: index for index, value in enumerate(values)}
    kept = {number[leaf.name] for leaf in flatten(graph.outputs) if isinstance(leaf, Value)}

    def sized(found: Sequence[Value]) -> tuple[tuple[int, int], ...]:
        return tuple((number[value.name], sample_bytes(value.type) or 0) for value in found)

    inputs = [item.value for item in graph.inputs.values()]
    tasks = [Task((), sized(inputs), frozenset(number[value.name] for value in inputs) & kept)]
    for call in graph.calls.values():
        takes = tuple(dict.fromkeys(number[value.name] for value in call.inputs()))
        gives = sized(call.outputs)
        tasks.append(Task(takes, gives, frozenset(index for index, _ in gives) & kept))
    return tasks, values
