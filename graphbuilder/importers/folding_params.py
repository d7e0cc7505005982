"""What differs between the copies of a block: params, which may follow from each other."""

from __future__ import annotations

import keyword
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from graphbuilder.blueprint.expressions import FUNCTIONS

__all__ = ["MISSING", "Different", "Params"]


class _Missing:
    """Stands for the value of a copy that has no such node."""

    def __repr__(self) -> str:
        return "missing"


MISSING = _Missing()

# How many numbers make a series, and how many copies there may be of a block.
_SERIES, _MOST_COPIES = 4, 1000
# What means something else in a node or in an expression.
_RESERVED = {"index", "block", "repeat", "from", "when", "about", "call", "reuse", "layer", "op", "fuse"}
_WORDS = {"true", "false", "null", *FUNCTIONS, *keyword.kwlist}


class Different(Exception):
    """Copies differ in a way that no param can say."""


@dataclass(eq=False, slots=True)
class _Varying:
    """A value that is not the same in all copies.

    Arguments:
        values: of each copy; MISSING where it does not matter.
        wanted: names for a param, the best first.
        is_flag: whether it says that some nodes are there.
        follows: how to say it by another one, from that one's name.
        series: how to say it by the number of the copy, which `values` are then.
    """

    values: list[Any]
    wanted: tuple[str, ...]
    is_flag: bool = False
    follows: tuple[_Varying, Callable[[str], str]] | None = None
    series: Callable[[str], str] | None = None
    name: str = ""
    default: Any = MISSING

    @property
    def known(self) -> list[Any]:
        """The values that matter."""
        return [value for value in self.values if value is not MISSING]

    @property
    def text(self) -> str:
        """The expression that stands in the block."""
        if self.series is not None:
            return f"$({self.series(self.name)})"
        if self.follows is None:
            return f"${self.name}"
        base, write = self.follows
        text = write(base.name)
        return f"${text}" if text == base.name else f"$({text})"


@dataclass(slots=True)
class Params:
    """The params of a block.

    Arguments:
        count: how many copies there are.
    """

    count: int
    _varying: list[_Varying] = field(default_factory=list)
    _bases: list[_Varying] = field(default_factory=list)

    def flag(self, present: Sequence[bool], wanted: Sequence[str]) -> _Varying:
        """A param that says whether some nodes are there; its `text` stands behind `when`."""
        for known in self._varying:
            if known.is_flag and known.values == list(present):
                return known
        found = _Varying(list(present), tuple(wanted), is_flag=True)
        self._varying.append(found)
        return found

    def general(self, values: Sequence[Any], wanted: Sequence[str]) -> Any:
        """What all copies have, with params where they differ; `settle` and `written` make plain data of it.

        Arguments:
            values: of each copy, or MISSING.
            wanted: names for a param.
        """
        known = [value for value in values if value is not MISSING]
        first = known[0]
        if all(_equal(value, first) for value in known) and not _has_expression(first):
            return first
        if all(isinstance(value, list) and len(value) == len(first) for value in known):
            items = [[_part(value, index) for value in values] for index in range(len(first))]
            apart = [item for item in items if len({repr(each) for each in item if each is not MISSING}) > 1]
            if len(apart) == 1:
                return [self.general(item, wanted) for item in items]
        if all(isinstance(value, Mapping) and list(value) == list(first) for value in known):
            return {key: self.general([_part(value, key) for value in values], (key, *wanted)) for key in first}
        return self._one_of(list(values), tuple(wanted))

    def _one_of(self, values: list[Any], wanted: tuple[str, ...]) -> _Varying:
        for known in self._varying:
            pairs = [(a, b) for a, b in zip(known.values, values, strict=True) if MISSING not in (a, b)]
            # That they agree on a single value says little.
            telling = len({repr(a) for a, _ in pairs}) > 1
            if telling and not known.is_flag and all(_equal(a, b) for a, b in pairs):
                known.values = [b if a is MISSING else a for a, b in zip(known.values, values, strict=True)]
                return known
        found = _Varying(values, wanted)
        self._varying.append(found)
        return found

    def settle(self) -> None:
        """Finds what follows from what, and names the rest."""
        for each in self._varying:
            _find_series(each)
        bases: list[_Varying] = []
        for each in sorted(self._varying, key=_simplest):
            each.follows = next(
                ((base, write) for base in bases for write in [_following(each, base)] if write is not None), None
            )
            if each.follows is None:
                bases.append(each)
        self._bases = [each for each in self._varying if each.follows is None]
        taken: set[str] = set()
        rows = self._distinct()
        for base in self._bases:
            base.name = _name(base.wanted, taken)
            base.default = _default(base, rows)
            taken.add(base.name)

    def written(self, value: Any) -> Any:
        """Plain data of what `general` gave."""
        if isinstance(value, _Varying):
            return value.text
        if isinstance(value, Mapping):
            return {key: self.written(item) for key, item in value.items()}
        return [self.written(item) for item in value] if isinstance(value, list) else value

    def declared(self) -> dict[str, Any]:
        """As under `params`."""
        return {base.name: _declaration(base) for base in self._bases}

    def given(self, number: int) -> dict[str, Any]:
        """What the node of one copy says beside `block`."""
        return {
            base.name: value
            for base in self._bases
            for value in [base.values[number]]
            if value is not MISSING and (base.default is MISSING or not _equal(value, base.default))
        }

    def follow(self, number: int, other: int) -> bool:
        """Whether the second copy says what the first does, or what the one after that would."""
        for base in self._bases:
            one, two = base.values[number], base.values[other]
            if base.series is not None and isinstance(one, int):
                one += 1
            if not _equal(one, two):
                return False
        return True

    def constant(self, wanted: str, value: Any) -> str | None:
        """A param for what is the same in all copies, and how to say it; None where its name is taken."""
        if any(base.name == wanted for base in self._bases) or wanted in _RESERVED or wanted in _WORDS:
            return None
        self._bases.append(_Varying([value] * self.count, (wanted,), name=wanted, default=value))
        return f"${wanted}"

    def _distinct(self) -> list[int]:
        """Of copies that are the same in everything, the first."""
        seen: dict[str, int] = {}
        for number in range(self.count):
            seen.setdefault(repr([each.values[number] for each in self._varying]), number)
        return list(seen.values())


def _simplest(one: _Varying) -> tuple[bool, float]:
    """What others rather follow from comes first: what says that nodes are there, then small numbers."""
    numbers = [value for value in one.known if type(value) is int]
    return not one.is_flag, sum(numbers) if len(numbers) == len(one.known) else math.inf


def _part(value: Any, key: Any) -> Any:
    return MISSING if value is MISSING else value[key]


def _equal(one: Any, two: Any) -> bool:
    """Whether two values are the same, their types included."""
    return type(one) is type(two) and repr(one) == repr(two)


def _has_expression(value: Any) -> bool:
    if isinstance(value, str):
        return "$" in value.replace("$$", "")
    if isinstance(value, Mapping):
        return any(map(_has_expression, value.values()))
    return isinstance(value, list) and any(map(_has_expression, value))


def _following(one: _Varying, base: _Varying) -> Callable[[str], str] | None:
    """How to say one value by another, from the other's name; None where it does not follow from it."""
    pairs = [(a, b) for a, b in zip(one.values, base.values, strict=True) if a is not MISSING]
    if one.series is not None or base.series is not None or any(b is MISSING for _, b in pairs):
        return None
    distinct = {repr((a, b)): (a, b) for a, b in pairs}
    if len(distinct) < 2 or any(not _is_plain(value) for pair in distinct.values() for value in pair):
        return None
    if one.is_flag and not base.is_flag:
        return None
    return _multiple(list(distinct.values())) or _choice(list(distinct.values()), base)


def _find_series(one: _Varying) -> None:
    """Turns numbers that grow from copy to copy by the same step into the copies' numbers.

    So `0.1 / 12`, `0.2 / 12` and `0.3 / 12` become `$(0.1 * (number + index) / 12)`; each must come out exactly.
    """
    known = sorted(set(one.known)) if all(type(value) is float and value > 0 for value in one.known) else []
    if len(known) < _SERIES:
        return
    unit = min(two - one for one, two in pairwise(known))
    numbers = [round(value / unit) for value in known]
    if unit < 1e-9 or numbers[0] < 1 or numbers[-1] > _MOST_COPIES:
        return
    by_value = dict(zip(known, numbers, strict=True))
    scaled = ((round(unit * count, 2), count) for count in range(numbers[-1], _MOST_COPIES))
    exact = (
        (scale, count)
        for scale, count in scaled
        if scale and all(scale * number / count == value for value, number in by_value.items())
    )
    scale, count = next(exact, (None, None))
    if scale is not None:
        one.values = [value if value is MISSING else by_value[value] for value in one.values]
        one.wanted = ("number", "copy_number")
        one.series = lambda name: f"{scale} * ({name} + index) / {count}"


def _multiple(pairs: list[tuple[Any, Any]]) -> Callable[[str], str] | None:
    if not all(type(value) is int and value > 0 for pair in pairs for value in pair):
        return None
    a, b = pairs[0]
    if len({y for _, y in pairs}) < 2:
        return None
    if a % b == 0 and a > b and all(x == y * (a // b) for x, y in pairs):
        return lambda name: f"{name} * {a // b}"
    return None


def _choice(pairs: list[tuple[Any, Any]], base: _Varying) -> Callable[[str], str] | None:
    """`2 if padded else 1`: for two pairs of values."""
    if len(pairs) != 2 or _equal(pairs[0][1], pairs[1][1]):
        return None
    if base.is_flag:
        if not all(isinstance(y, bool) for _, y in pairs):
            return None
        by = {y: x for x, y in pairs}
        if by == {True: True, False: False}:
            return lambda name: name
        if by == {True: False, False: True} and all(isinstance(x, bool) for x in by.values()):
            return lambda name: f"not {name}"
        return lambda name: f"{_in_code(by[True])} if {name} else {_in_code(by[False])}"
    # Which of two numbers goes with which is more often chance than meaning, unless there are no more values at all.
    if len({repr(value) for value in base.known}) != 2:
        return None
    (x, y), (z, _) = pairs
    return lambda name: f"{_in_code(x)} if {name} == {_in_code(y)} else {_in_code(z)}"


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return not set(value) & set("'\"\\$\n")
    return value is None or isinstance(value, (bool, int, float))


def _in_code(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"'{value}'" if isinstance(value, str) else repr(value)


def _name(wanted: Iterable[str], taken: set[str]) -> str:
    legal = [name.replace("-", "_") for name in wanted]
    free = [name for name in legal if name not in taken and name not in _RESERVED and name not in _WORDS]
    if free:
        return free[0]
    name, number = f"{legal[-1]}_2", 2
    while name in taken:
        number += 1
        name = f"{legal[-1]}_{number}"
    return name


def _default(base: _Varying, rows: Sequence[int]) -> Any:
    """The value that most copies have, where most have the same one; else MISSING."""
    if base.series is not None:
        return 0 if MISSING in base.values else MISSING
    known = [base.values[row] for row in rows if base.values[row] is not MISSING]
    text, count = Counter(map(repr, known)).most_common(1)[0]
    # A copy to which it does not matter gives none.
    if base.is_flag and count * 2 == len(known):
        return False
    if count * 2 <= len(known) and MISSING not in base.values:
        return MISSING
    return next(value for value in known if repr(value) == text)


_TYPES = {bool: "bool", int: "int", float: "float", str: "str", list: "list", dict: "mapping"}


def _declaration(base: _Varying) -> Any:
    default = base.default
    found = {_TYPES.get(type(value), "any") for value in base.known}
    kind = found.pop() if len(found) == 1 else "float" if found == {"int", "float"} else "any"
    if default is MISSING:
        return {"type": kind}
    if kind != _TYPES.get(type(default)) or _has_expression(default):
        return {"default": default, "type": kind}
    return {"default": default} if kind == "mapping" else default
