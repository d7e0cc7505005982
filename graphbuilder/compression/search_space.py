"""The settings of declared passes that a search may vary, over which values, and what a setting makes of the passes.

Left to itself, a search varies

- `sparsity` of `prune`, and of its overrides, from half of what is declared to 0.97, evenly in the logarithm of the
  share that is left, because that is what the size goes by;
- `learning_rate` of `prune`, from a tenth of the optimizer's to the optimizer's own, evenly in its logarithm, where the
  blueprint writes one of the two: what many zeros cost depends on it more than on anything else;
- `clusters` of `cluster`, over 4, 8, 16, 32, 64 and what is declared;
- `rank` of `low_rank` from half to twice what is declared, or `energy` from 0.5 to 0.99.

`search:` beside a pass says it otherwise, option by option; a list of one number fixes the option. A param's own limits
hold for an option that is written as `$param`, and options that are written as the same param vary together.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from graphbuilder.blueprint import Document, Param
from graphbuilder.compression.declared import declared_passes
from graphbuilder.compression.passes import CompressionPass, Prune
from graphbuilder.compression.plan import plan_compression
from graphbuilder.compression.searched import SEARCHED
from graphbuilder.errors import CommandError, Diagnostic
from graphbuilder.graph import Graph, PassDeclaration

__all__ = ["Dimension", "Place", "Point", "Setting", "Space", "apply", "param_of", "search_space"]

Number: TypeAlias = "int | float"

_MOST_SPARSITY = 0.97
_CLUSTERS = (4, 8, 16, 32, 64)
_ENERGY = (0.5, 0.99)
# The share of a pass's weights that a layer must have for `per_node` to give it a sparsity of its own.
_LEAST_SHARE = 0.01


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an option stands among the declared passes.

    Arguments:
        number: the pass, from 0.
        path: the keys that lead to the option.
    """

    number: int
    path: tuple[str, ...]


Setting: TypeAlias = Mapping[Place, Number]
# The value of each dimension, by its name.
Point: TypeAlias = Mapping[str, Number]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One number that a search varies.

    Arguments:
        name: what people call it, the only one of that name in its space.
        places: the options that have this value.
        declared: the value that they have now.
        choices: the values that it may have, ascending; empty for a range.
        low: the least value of a range.
        high: the largest value of a range.
        scale: in what a range is even: the value, its logarithm, or the logarithm of 1 minus it.
    """

    name: str
    places: tuple[Place, ...]
    declared: Number
    choices: tuple[Number, ...] = ()
    low: float = 0.0
    high: float = 0.0
    scale: Literal["value", "log", "log_rest"] = "value"

    @property
    def bounds(self) -> tuple[float, float]:
        """The ends of the raw numbers that stand for its values; for choices, those of their indexes."""
        if self.choices:
            return 0, len(self.choices) - 1
        if self.scale == "log_rest":
            return 1 - self.high, 1 - self.low
        return self.low, self.high

    def value(self, raw: float) -> Number:
        """The value that a raw number stands for, with no more digits than tell settings apart."""
        if self.choices:
            return self.choices[round(raw)]
        # Two digits of a learning rate, three of a share.
        rounded = float(f"{raw:.2g}") if self.scale == "log" else round(1 - raw if self.scale == "log_rest" else raw, 3)
        return min(max(rounded, self.low), self.high)

    def raw(self, value: Number) -> float:
        """The raw number that stands for the value nearest to one."""
        if self.choices:
            return min(range(len(self.choices)), key=lambda index: abs(self.choices[index] - value))
        value = min(max(value, self.low), self.high)
        low, high = self.bounds
        return min(max(1 - value if self.scale == "log_rest" else value, low), high)

    @property
    def smallest(self) -> Number:
        """The value that makes the smallest model."""
        option = self.places[0].path[-1]
        low, high = self.bounds
        return self.value(low if option != "sparsity" or self.scale == "log_rest" else high)

    def __str__(self) -> str:
        """Its values in words."""
        if self.choices:
            return ", ".join(f"{choice:g}" for choice in self.choices)
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Space:
    """Everything that a search varies.

    Arguments:
        dimensions: in the order of the passes.
        unwritten: places at which nothing is written, with the value that is meant there.
    """

    dimensions: tuple[Dimension, ...]
    unwritten: Mapping[Place, Number]

    @property
    def count(self) -> int | None:
        """How many points it has; None for a space with a range in it."""
        if any(not dimension.choices for dimension in self.dimensions):
            return None
        return math.prod(len(dimension.choices) for dimension in self.dimensions)

    def declared(self) -> dict[str, Number]:
        """The point of the settings that are declared, or the one nearest to it."""
        return {one.name: one.value(one.raw(one.declared)) for one in self.dimensions}

    def smallest(self) -> dict[str, Number]:
        """The point that makes the smallest model."""
        return {dimension.name: dimension.smallest for dimension in self.dimensions}

    def setting(self, point: Point) -> dict[Place, Number]:
        """What a point means for the declared passes; what is left at a value that nobody wrote stays unwritten."""
        return {
            place: point[dimension.name]
            for dimension in self.dimensions
            for place in dimension.places
            if self.unwritten.get(place) != point[dimension.name]
        }


def apply(declarations: Sequence[PassDeclaration], setting: Setting) -> tuple[PassDeclaration, ...]:
    """The declared passes with other options; what is given stays as it is.

    Arguments:
        declarations: the passes of a graph.
        setting: the values by their places.
    """
    changed = [copy.deepcopy(dict(one.options)) for one in declarations]
    for place, value in setting.items():
        inside = changed[place.number]
        for key in place.path[:-1]:
            inside = inside.setdefault(key, {})
        inside[place.path[-1]] = value
    return tuple(
        replace(one, options=options) if any(place.number == number for place in setting) else one
        for number, (one, options) in enumerate(zip(declarations, changed, strict=True))
    )


def search_space(graph: Graph, document: Document | None = None, *, per_node: bool = False) -> Space:
    """What a search may vary of a graph's passes.

    Arguments:
        graph: the graph, whose passes were checked.
        document: the blueprint, for the limits of params and for what is written as the same one.
        per_node: whether each layer that is pruned has a sparsity of its own, but for those with next to no weights.

    Raises:
        CommandError: GB842, there is nothing that could vary.
    """
    options = [one for one in _options(graph, per_node) if one.number is not None]
    # A layer without a sparsity of its own has its pass's, which varies too.
    unwritten = {
        one.place: one.number
        for one in options
        if not one.written and one.number is not None and len(one.place.path) == 1
    }
    groups: dict[Any, list[_Option]] = {}
    for option in options:
        param = None if document is None else param_of(document, option.place)
        groups.setdefault(("param", param) if param is not None else option.place, []).append(option)
    found = []
    for key, group in groups.items():
        limits = document.blueprint.params[key[1]] if document is not None and isinstance(key, tuple) else None
        dimension = _dimension(group, limits)
        if len(dimension.choices) == 1 or (not dimension.choices and dimension.low >= dimension.high):
            continue
        found.append(dimension)
    if not found:
        hint = "such as search: {sparsity: [0.5, 0.95]} beside a prune pass"
        raise CommandError(Diagnostic("GB842", "the declared passes have no setting that could vary", hint=hint))
    return Space(tuple(_named(found, graph)), unwritten)


def param_of(document: Document, place: Place) -> str | None:
    """The param that an option is written as, `$name` and nothing else; None where it is written otherwise."""
    written: Any = document.source.data.get("compression", [])
    for key in ("", *place.path):
        inside = written[place.number] if key == "" else written.get(key) if isinstance(written, dict) else None
        written = inside
    if isinstance(written, str) and written.startswith("$") and written[1:] in document.blueprint.params:
        return written[1:]
    return None


@dataclass(frozen=True, slots=True)
class _Option:
    """An option that can vary: where it stands, its value, and the pass that it belongs to."""

    place: Place
    number: Number | None
    written: bool
    declared: CompressionPass
    rate: float | None

    @property
    def name(self) -> str:
        return self.place.path[-1]


def _options(graph: Graph, per_node: bool) -> Iterator[_Option]:
    """The options that can vary, pass by pass."""
    passes, _ = declared_passes(graph)
    rate = _optimizer_rate(graph)
    for index, one in enumerate(passes):
        made = one.declared
        own = dict(_layer_sparsities(graph, index)) if per_node and isinstance(made, Prune) else {}
        covered = len(own) == len(one.options)
        for name in made.searched:
            value = getattr(made, name)
            if name == "learning_rate":
                stated = name in made.search or (isinstance(made, Prune) and (value is not None or rate is not None))
                assumed = value if value is not None else None if rate is None else rate / 10
                if name in made.search and assumed is None:
                    assumed = made.search[name][0]
                if stated:
                    yield _Option(Place(index, (name,)), assumed, value is not None, made, rate)
            elif value is not None and not (isinstance(made, Prune) and (made.structure == "2:4" or covered)):
                yield _Option(Place(index, (name,)), value, True, made, rate)
            for pattern, values in made.overrides.items():
                if name in values and pattern not in own and values.get("structure") != "2:4":
                    place = Place(index, ("overrides", pattern, name))
                    yield _Option(place, values[name], True, made, rate)
        for layer, sparsity in own.items():
            written = "sparsity" in made.overrides.get(layer, {})
            yield _Option(Place(index, ("overrides", layer, "sparsity")), sparsity, written, made, rate)


def _layer_sparsities(graph: Graph, index: int) -> Iterator[tuple[str, float]]:
    """The layers that a pass prunes, but for those with few weights, with the sparsity that each is asked for."""
    plan, _ = plan_compression(graph)
    sizes = {}
    for target in plan.stages[index].targets:
        weights = graph.layers[target.layer].weights or ()
        sizes[target.layer] = sum(weight.size for weight in weights if weight.name in target.weights)
    for target in plan.stages[index].targets:
        options = target.options
        large = sizes[target.layer] >= _LEAST_SHARE * sum(sizes.values())
        if large and isinstance(options, Prune) and options.structure != "2:4" and options.sparsity is not None:
            yield target.layer, options.sparsity


def _optimizer_rate(graph: Graph) -> float | None:
    """The learning rate that the blueprint writes for its optimizer."""
    optimizer = (graph.training or {}).get("optimizer")
    options = next(iter(optimizer.values())) if isinstance(optimizer, dict) and len(optimizer) == 1 else None
    rate: Any = options.get("learning_rate") if isinstance(options, dict) else None
    return float(rate) if type(rate) in (int, float) and rate > 0 else None


def _dimension(group: Sequence[_Option], limits: Param | None) -> Dimension:
    """The dimension of options that vary together; its name is only the option's yet."""
    first = group[0]
    number = first.number
    assert number is not None
    made = _ranged(first, number)
    made = replace(made, places=tuple(option.place for option in group))
    if limits is None:
        return made
    low = -math.inf if limits.min is None else limits.min
    high = math.inf if limits.max is None else limits.max
    choices = made.choices
    if limits.choices is not None:
        held = [each for each in limits.choices if type(each) in (int, float)]
        choices = tuple(sorted(each for each in held if made.choices or made.low <= each <= made.high))
    return replace(
        made,
        choices=tuple(each for each in choices if low <= each <= high),
        low=max(made.low, low),
        high=min(made.high, high),
    )


def _ranged(option: _Option, number: Number) -> Dimension:
    """The values of one option: those that `search:` states, or those that are usual."""
    name = option.name
    scale: Literal["value", "log", "log_rest"] = (
        "log_rest" if name == "sparsity" else "log" if name == "learning_rate" else "value"
    )
    made = Dimension(name, (option.place,), number, scale=scale)
    stated: tuple[Number, ...] | None = option.declared.search.get(name)
    if stated is not None:
        if len(stated) == 2 and SEARCHED[name].continuous:
            return replace(made, low=float(stated[0]), high=float(stated[1]))
        return replace(made, choices=stated)
    if name == "sparsity":
        return replace(made, low=number / 2, high=max(_MOST_SPARSITY, (1 + number) / 2))
    if name == "clusters":
        return replace(made, choices=tuple(sorted({*_CLUSTERS, number})))
    if name == "rank":
        return replace(made, choices=_ranks(int(number)))
    if name == "energy":
        return replace(made, low=min(_ENERGY[0], number), high=max(_ENERGY[1], number))
    rate = option.rate if option.rate is not None else 3 * number
    return replace(made, low=min(number, rate / 10), high=max(number, rate))


def _ranks(rank: int) -> tuple[int, ...]:
    """Ranks from half to twice one, each about a quarter larger than the one before.

    Example:
        >>> _ranks(16)
        (8, 10, 13, 16, 20, 25, 32)
    """
    return tuple(sorted({max(1, round(rank * 2 ** (step / 3))) for step in range(-3, 4)}))


def _named(dimensions: Sequence[Dimension], graph: Graph) -> Iterator[Dimension]:
    """The dimensions by names that differ: `sparsity`, `sparsity of conv`, `prune 2 sparsity`."""
    kinds = [str(one.options["pass"]) for one in graph.compression]
    names = [_name(one) for one in dimensions]
    for dimension, name in zip(dimensions, names, strict=True):
        number = dimension.places[0].number
        if names.count(name) == 1:
            yield replace(dimension, name=name)
            continue
        same = [index for index, kind in enumerate(kinds) if kind == kinds[number]]
        which = f" {same.index(number) + 1}" if len(same) > 1 else ""
        yield replace(dimension, name=f"{kinds[number]}{which} {name}")


def _name(dimension: Dimension) -> str:
    path = dimension.places[0].path
    return f"{path[-1]} of {path[1]}" if len(path) > 1 else path[-1]
