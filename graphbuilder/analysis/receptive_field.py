"""How much of the input each number of a convolutional path depends on.

Size, stride and start follow Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks",
Distill, 2019, https://distill.pub/2019/computing-receptive-fields, formulas 2, 3 and 4, read from the input on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from graphbuilder.analysis.windows import Along, along_axes
from graphbuilder.catalog import TensorType
from graphbuilder.graph import Call, Graph, Value

__all__ = ["AxisField", "ReceptiveField", "receptive_fields"]


@dataclass(frozen=True, slots=True)
class AxisField:
    """What a number depends on along one axis of an input.

    The number at position i depends on the positions from `start + i * stride` on, `size` of them. Those outside the
    input are padding.

    Arguments:
        axis: the axis of the input; the batch is 0.
        size: how many positions; None where it is the whole axis, of unknown size.
        stride: by how much the field moves from one number to the next; None where there is one field for all numbers.
        start: the first position of the field of the first number; below 0 in the padding.
        exact: whether the outermost positions count for each number whose field lies within the input. Where not, as
            behind a layer that enlarges, the number depends on at most these.
    """

    axis: int
    size: Fraction | None
    stride: Fraction | None
    start: Fraction
    exact: bool


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """What the numbers of a value depend on, of one input.

    Arguments:
        input: the input's name.
        axes: along each axis over which windows slide on the way.
    """

    input: str
    axes: tuple[AxisField, ...]


@dataclass(frozen=True, slots=True)
class _Reach:
    """What a value sees of one axis of an input.

    Arguments:
        own: the axis of the value along which the field moves; None where it does not.
        size: of the field, None for all.
        stride: by how much it moves.
        start: where it begins.
        exact: whether its ends are touched.
        slid: whether a window has slid along the axis.
    """

    own: int | None
    size: Fraction | None
    stride: Fraction = Fraction(1)
    start: Fraction = Fraction(0)
    exact: bool = True
    slid: bool = False

    @property
    def end(self) -> Fraction | None:
        return None if self.size is None else self.start + self.size

    def still(self, tensor: TensorType | None, *, exact: bool) -> _Reach:
        """What all positions along the value's axis see together."""
        if self.own is None:
            return replace(self, exact=self.exact and exact)
        count = None if tensor is None or self.own >= tensor.rank else tensor.shape[self.own]
        known = isinstance(count, int) and self.size is not None
        size = self.size + self.stride * (count - 1) if known else None  # type: ignore[operator]
        return replace(self, own=None, size=size, exact=self.exact and exact)

    def through(self, along: Along) -> _Reach:
        """What is seen through a window that slides along the value's axis."""
        assert self.size is not None
        return _Reach(
            self.own,
            self.size + self.stride * along.more,
            self.stride * along.stride,
            self.start + self.stride * along.first,
            self.exact and along.exact,
            self.slid or along.slides,
        )


# By the input and the axis of it.
_Sight: TypeAlias = Mapping[tuple[str, int], _Reach]


def receptive_fields(graph: Graph) -> dict[str, tuple[ReceptiveField, ...]]:
    """The receptive fields of the calls of a graph, of the first value of each; none where no window slid.

    Where an axis is of unknown size, padding "same" counts as for a multiple of the stride.

    Arguments:
        graph: the graph.

    Example:
        >>> from graphbuilder.api import lower
        >>> axis = receptive_fields(lower("blueprints/cnn.yaml"))["pool"][0].axes[0]
        >>> int(axis.size), int(axis.stride), int(axis.start)
        (4, 2, 0)
    """
    seen: dict[str, _Sight] = {}
    for name, item in graph.inputs.items():
        rank = item.value.type.rank if item.value.type is not None else 0
        seen[name] = {(name, axis): _Reach(axis, Fraction(1)) for axis in range(1, rank)}
    found = {}
    for call in graph.calls.values():
        sight = _sight(call, seen)
        for value in call.outputs:
            seen[value.name] = sight
        found[call.name] = _fields(sight)
    return found


def _fields(sight: _Sight) -> tuple[ReceptiveField, ...]:
    """What is told of a value."""
    inputs: dict[str, list[AxisField]] = {}
    for (name, axis), reach in sight.items():
        if reach.slid:
            stride = None if reach.own is None else reach.stride
            inputs.setdefault(name, []).append(AxisField(axis, reach.size, stride, reach.start, reach.exact))
    return tuple(ReceptiveField(name, tuple(axes)) for name, axes in inputs.items())


def _sight(call: Call, seen: Mapping[str, _Sight]) -> _Sight:
    """What the outputs of a call see."""
    values = list(dict.fromkeys(call.inputs()))
    given = call.outputs[0].type
    steps = None if given is None or len(call.outputs) > 1 else along_axes(call, given)
    parts = [_moved(seen[value.name], value, given, steps) for value in values]
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: _together([part[key] for part in parts if key in part], given) for key in keys}


def _moved(
    sight: _Sight, value: Value, given: TensorType | None, steps: Mapping[int, Along | None] | None
) -> dict[tuple[str, int], _Reach]:
    """What one input of a call lets its output see.

    Arguments:
        sight: what the input sees.
        value: the input.
        given: the call's output.
        steps: what is done along each axis of the output, counted from its last: a window, or None where positions are
            mixed; None where nothing is known of the call, which may then depend on all positions or on few.
    """
    found = {}
    for key, reach in sight.items():
        tensor = value.type
        if reach.own is None or reach.size is None:
            found[key] = reach
        elif steps is None or given is None or tensor is None:
            found[key] = reach.still(tensor, exact=False)
        else:
            last = reach.own - tensor.rank
            step = steps.get(last)
            spread = tensor.shape[reach.own] == 1 and given.rank >= -last and given.shape[last] != 1
            if step is None or (spread and not step.slides):
                found[key] = replace(reach.still(tensor, exact=True), slid=reach.slid)
            else:
                found[key] = replace(reach.through(step), own=given.rank + last)
    return found


def _together(parts: Iterable[_Reach], given: TensorType | None) -> _Reach:
    """What is seen through several inputs of a call at once."""
    first, *others = parts
    for other in others:
        first = _both(first, other, given)
    return first


def _both(one: _Reach, two: _Reach, given: TensorType | None) -> _Reach:
    slid = one.slid or two.slid
    if one.own == two.own and (one.own is None or one.stride == two.stride):
        return _hull(one, two, slid, exact=True)
    still_one, still_two = one.still(given, exact=True), two.still(given, exact=True)
    for fixed, moving in ((one, still_two), (two, still_one)):
        # A field that does not move, and holds all that the other ever sees, is what both see.
        if fixed.own is None and _holds(fixed, moving):
            return replace(fixed, slid=slid)
    return _hull(still_one, still_two, slid, exact=False)


def _holds(one: _Reach, two: _Reach) -> bool:
    if one.end is None or two.end is None:
        return one.end is None
    return one.start <= two.start and two.end <= one.end


def _hull(one: _Reach, two: _Reach, slid: bool, *, exact: bool) -> _Reach:
    start = min(one.start, two.start)
    size = None if one.end is None or two.end is None else max(one.end, two.end) - start
    return replace(one, size=size, start=start, exact=exact and one.exact and two.exact, slid=slid)
