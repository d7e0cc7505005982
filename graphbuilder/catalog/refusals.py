"""Pydantic's errors in graphbuilder's words: what was found, what was expected, and a hint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from graphbuilder.catalog.arguments import as_written
from graphbuilder.errors import Hint, nearest, suggestion

__all__ = ["Refusal", "refusals"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One value that was not accepted.

    Arguments:
        code: GB201 to GB204.
        path: the keys that lead to the value, from what was validated; for a key that is missing or not known, that key
            is the last one.
        message: what is wrong and what was found.
        found: the value, as it would be written.
        expected: what would be accepted.
        hint: how to mend it.
        on_key: whether the key, not the value, is at fault.
        fix: the text that would stand in the place of what is at fault, where one is likely.
        drop: whether leaving the key and its value out would mend it.
        meant: the key that an unknown one was meant to be, where the fix says more than that key.
    """

    code: str
    path: tuple[str | int, ...]
    message: str
    found: str | None = None
    expected: str | None = None
    hint: str | None = None
    on_key: bool = False
    fix: str | None = None
    meant: str | None = None
    drop: bool = False


# Pydantic's names for plain kinds that were not met, in words.
_KINDS = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "int_parsing": "an integer",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a string",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "null",
}

_BOUNDS = {
    "greater_than_equal": ("ge", "at least {}"),
    "greater_than": ("gt", "more than {}"),
    "less_than_equal": ("le", "at most {}"),
    "less_than": ("lt", "less than {}"),
    "multiple_of": ("multiple_of", "a multiple of {}"),
}


def refusals(
    error: ValidationError, data: Any, known: Callable[[tuple[str | int, ...]], Sequence[str]]
) -> list[Refusal]:
    """The errors of one validation, one for each value at fault.

    Arguments:
        error: what pydantic raised.
        data: what was validated.
        known: the keys that are accepted at a path, for near names.

    Alternatives of a union that all failed at the same value become one refusal that expects any of them.
    """
    grouped: dict[tuple[str | int, ...], list[Mapping[str, Any]]] = {}
    for item in error.errors(include_url=False):
        grouped.setdefault(_path(item, data), []).append(item)
    found = [_refusal(path, grouped[path], known, data) for path in _telling(grouped)]
    found = [_misspelt(item, found, data, known) for item in _without_halves(found)]
    # A misspelt key is unknown, and the key it was meant to be is missing: that is one fault.
    found = _paired(found)
    meant = {(*item.path[:-1], item.meant or item.fix) for item in found if item.code == "GB201" and item.fix}
    return [item for item in found if not (item.code == "GB202" and item.path in meant)]


def _free(known: Sequence[str], data: Any, path: tuple[str | int, ...]) -> list[str]:
    """The keys that could still be written at a path: a key that stands there already was not meant by another one."""
    for step in path:
        data = data[step]
    return [key for key in known if not isinstance(data, Mapping) or key not in data]


def _misspelt(
    item: Refusal, found: Sequence[Refusal], data: Any, known: Callable[[tuple[str | int, ...]], Sequence[str]]
) -> Refusal:
    """The refusal of a key that is missing, told at the key that was meant to be it, where any key is taken."""
    if item.code != "GB202" or any(other.code == "GB201" and other.path[:-1] == item.path[:-1] for other in found):
        return item
    for step in item.path[:-1]:
        data = data[step]
    missing = str(item.path[-1])
    others = known(item.path[:-1])
    written = nearest(missing, [str(key) for key in data if key not in others]) if isinstance(data, Mapping) else None
    if written is None or len(written) < 3:
        return item
    hint = Hint(f"did you mean {missing}?", missing)
    path, message = (*item.path[:-1], written), f"{written} is not known here"
    return Refusal("GB201", path, message, written, None, hint, True, missing)


def _without_halves(found: list[Refusal]) -> list[Refusal]:
    """The refusals, with the pieces into which commas cut a quoted text without its key told once."""
    cut: set[tuple[str | int, ...]] = set()
    kept = []
    for item in found:
        half = item.code == "GB201" and str(item.path[-1]).count('"') % 2 == 1
        if not half or item.path[:-1] not in cut:
            kept.append(item)
        if half:
            cut.add(item.path[:-1])
    return kept


def _paired(found: list[Refusal]) -> list[Refusal]:
    """The refusals, with the only key that is not known at a place taken for the only one that is missing there."""
    paired = list(found)
    for index, item in enumerate(found):
        if item.code != "GB201" or item.fix:
            continue
        beside = [other for other in found if other.path[:-1] == item.path[:-1] and other.code in ("GB201", "GB202")]
        missing = [str(other.path[-1]) for other in beside if other.code == "GB202"]
        if len(beside) == 2 and len(missing) == 1 and " " not in str(item.path[-1]):
            paired[index] = replace(item, fix=missing[0], hint=f"did you mean {missing[0]}, which is missing?")
    return paired


def _telling(grouped: Mapping[tuple[str | int, ...], Sequence[Mapping[str, Any]]]) -> list[tuple[str | int, ...]]:
    """The paths whose complaints tell most.

    The alternatives of a union complain about the value, and those of its own kind about places inside it. That the
    value is of another kind than an alternative wants says less than what is wrong inside; anything else says more.
    """
    dropped = set()
    for path in grouped:
        for depth in range(1, len(path)):
            outer = path[:depth]
            if outer in grouped:
                only_kinds = all(item["type"] in _KINDS for item in grouped[outer])
                dropped.add(outer if only_kinds else path)
    return [path for path in grouped if path not in dropped]


def _path(item: Mapping[str, Any], data: Any) -> tuple[str | int, ...]:
    """The keys that lead to a fault, without the names that pydantic puts in for the alternatives of a union."""
    path: list[str | int] = []
    here = data
    location = item["loc"]
    for index, step in enumerate(location):
        if (isinstance(here, Mapping) and step in here) or (
            isinstance(here, (list, tuple)) and isinstance(step, int) and step < len(here)
        ):
            here = here[step]
        elif not (item["type"] == "missing" and index == len(location) - 1):
            continue
        path.append(step)
    if item["type"] == "conflict":
        path.extend(item["ctx"]["path"])
    return tuple(path)


def _name(path: Sequence[str | int]) -> str:
    """What a message calls the value at a path: its key, with the number of an item behind it."""
    if not path:
        return "the value"
    if isinstance(path[-1], int) and len(path) > 1:
        return f"{_name(path[:-1])}[{path[-1]}]"
    return str(path[-1])


def _refusal(
    path: tuple[str | int, ...],
    items: Sequence[Mapping[str, Any]],
    known: Callable[[tuple[str | int, ...]], Sequence[str]],
    data: Any,
) -> Refusal:
    first = items[0]
    kind = first["type"]
    name = _name(path)
    context = first.get("ctx", {})
    if kind == "missing":
        return Refusal("GB202", path, f"{name} is missing", hint=context.get("hint"), on_key=True)
    if kind == "extra_forbidden":
        known_keys = known(path[:-1])
        keys = _free(known_keys, data, path[:-1])
        meant = nearest(name, known_keys)
        taken = meant is not None and meant not in keys
        hint = f"{meant} stands beside it already" if taken else suggestion(name, keys)
        if first["input"] is None and " " in name:
            word, _, value = name.partition(" ")
            if word in keys:
                fix = f"{word}: {value.strip()}"
                hint = f"a colon is missing: write `{fix}`"
                return Refusal("GB201", path, f"{name} is not known here", name, None, hint, True, fix, word)
            hint = "a comma ends a value inside {…}; put quotes around a text that has one"
        near = hint.fix if isinstance(hint, Hint) else None
        return Refusal("GB201", path, f"{name} is not known here", found=name, hint=hint, on_key=True, fix=near)
    found = as_written(first["input"])
    if kind == "conflict":
        return Refusal(
            context["code"], path, context["message"], found, context["expected"], context["hint"], context["on_key"],
            context["fix"],
        )  # fmt: skip
    expected = " or ".join(dict.fromkeys(_expected(item) for item in items))
    wrong_type = all(item["type"] in _KINDS for item in items)
    hint = next((item["ctx"]["hint"] for item in items if item.get("ctx", {}).get("hint")), None)
    if kind == "literal_error" and isinstance(first["input"], str):
        choices = [choice.strip("' ") for choice in context["expected"].replace(" or ", ", ").split(",")]
        hint = suggestion(first["input"], choices) if len(choices) > 1 else None
        hint = hint if isinstance(hint, Hint) else None
    if first["input"] == "None":
        hint = Hint("write null", "null")
    elif kind == "dict_type" and isinstance(first["input"], list):
        hint = "write `name: {…}` for each, without dashes"
    return Refusal("GB204" if wrong_type else "GB203", path, f"{name} is {found}", found, expected, hint)


def _expected(item: Mapping[str, Any]) -> str:
    kind = item["type"]
    context = item.get("ctx", {})
    if kind in _KINDS:
        return _KINDS[kind]
    if kind in _BOUNDS:
        key, phrase = _BOUNDS[kind]
        return phrase.format(context[key])
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "")
    if "expected" in context:
        return str(context["expected"])
    return str(item["msg"])
