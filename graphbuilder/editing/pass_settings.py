"""The settings of compression passes, and values of params, written into the text of a blueprint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphbuilder.blueprint import Document, load_source, names_in
from graphbuilder.compression.search_space import Place, Setting, param_of
from graphbuilder.editing.applying import apply
from graphbuilder.editing.changes import Change, Insert, Replace
from graphbuilder.text import Source
from graphbuilder.text.source import Path

__all__ = ["written"]


def written(document: Document, setting: Setting, params: Mapping[str, Any] | None = None) -> str:
    """The text of a blueprint with other settings of its passes; every byte that they do not concern stays.

    Where an option is written as `$param`, and that param stands nowhere else, its default becomes the new value. It
    must then be one that the param takes. Otherwise the value is written at the option.

    Arguments:
        document: a loaded blueprint; it stays as it is.
        setting: the values by their places.
        params: values that the params are to have from now on, as given by `--set`.

    Raises:
        BlueprintError: GB203, a change would change another place too, through an anchor; or the new text is wrong.
        InternalError: the new text does not say what it should.
    """
    source = document.source
    defaults = dict(params or {})
    for name, places in _params(document, setting).items():
        values = {setting[place] for place in places}
        if len(values) == 1 and len(places) == _uses(source.data, name) and _takes(document, name, values):
            defaults[name] = values.pop()
            setting = {place: value for place, value in setting.items() if place not in places}
    # One after the other, because a change may need the place that an earlier one made.
    for name, value in defaults.items():
        source = _changed(source, _of_param(source.data, name, value))
    for place, value in setting.items():
        for change in _of_option(source.data, place, value):
            source = apply(source, [change]).source
    load_source(source, document.path)
    return ("\ufeff" if source.byte_order_mark else "") + source.text


def _changed(source: Source, change: Change | None) -> Source:
    return source if change is None else apply(source, [change]).source


def _params(document: Document, setting: Setting) -> dict[str, list[Place]]:
    """The places that are written as a param, by the param."""
    found: dict[str, list[Place]] = {}
    for place in setting:
        name = param_of(document, place)
        if name is not None:
            found.setdefault(name, []).append(place)
    return found


def _uses(data: Any, param: str) -> int:
    """How many values of a text name a param; what is written for people does not count."""
    if isinstance(data, str):
        return int("$" in data and param in names_in(data))
    if isinstance(data, dict):
        return sum(_uses(value, param) for key, value in data.items() if key not in ("about", "description"))
    return sum(_uses(item, param) for item in data) if isinstance(data, list) else 0


def _takes(document: Document, name: str, values: set[Any]) -> bool:
    """Whether a param's limits let it have all these values."""
    param = document.blueprint.params[name]
    return all(
        (param.min is None or value >= param.min)
        and (param.max is None or value <= param.max)
        and (param.choices is None or value in param.choices)
        for value in values
    )


def _of_param(data: Any, name: str, value: Any) -> Change | None:
    """The change that gives a param a default; None where it has it already."""
    declared = data["params"][name]
    if not isinstance(declared, dict):
        if isinstance(value, dict):
            return Replace(("params", name), {"default": value})
        return None if _same(declared, value) else Replace(("params", name), value)
    if "default" not in declared:
        return Insert(("params", name), "default", value, None)
    return None if _same(declared["default"], value) else Replace(("params", name, "default"), value)


def _of_option(data: Any, place: Place, value: Any) -> Iterator[Change]:
    """The change that gives an option a value; none where it has it already."""
    path: Path = ("compression", place.number)
    inside = data["compression"][place.number]
    for depth, key in enumerate(place.path):
        if key not in inside:
            # What is missing above the option comes with it.
            made = value
            for outer in reversed(place.path[depth + 1 :]):
                made = {outer: made}
            yield Insert(path, key, made, next(reversed(inside), None))
            return
        path = (*path, key)
        inside = inside[key]
    if not _same(inside, value):
        yield Replace(path, value)


def _same(before: Any, now: Any) -> bool:
    """Whether a value is the one that stands there already, in the same form."""
    return type(before) is type(now) and bool(before == now)
