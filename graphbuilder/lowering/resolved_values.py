"""Arguments, constants and plain data as a blueprint without params writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from graphbuilder.catalog import Entry, LayerEntry
from graphbuilder.catalog.objects import ObjectSpec
from graphbuilder.graph import Constant, constant_of
from graphbuilder.limits import limit

__all__ = ["Unwritable", "literal", "plain_entry", "written_constant", "written_entry"]


class Unwritable(Exception):
    """What a blueprint has no words for.

    Arguments:
        code: the diagnostic's code.
        message: what it is, in one sentence without a full stop.
        hint: how to mend it.
    """

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def written_entry(entry: Entry) -> dict[str, Any]:
    """The arguments of a layer or op that are not at their defaults, as they stand beside its name.

    Defaults are left out because a blueprint means the catalog's own, whatever Keras is installed: `backend` gives the
    twin every argument, and Keras 3 is held to one version.

    Arguments:
        entry: the layer or op.

    Raises:
        Unwritable: an argument is one that a blueprint cannot say.

    Example:
        >>> from graphbuilder.catalog import layers
        >>> conv = layers.get("Conv2D")(filters=8, kernel_size=3, activation={"leaky_relu": {"negative_slope": 0.1}})
        >>> written_entry(conv)
        {'filters': 8, 'kernel_size': 3, 'activation': {'leaky_relu': {'negative_slope': 0.1}}}
    """
    return {name: literal(value) for name, value in plain_entry(entry).items()}


def plain_entry(entry: Entry) -> dict[str, Any]:
    """The same, before dollar signs are escaped."""
    found: dict[str, Any] = {}
    fields = type(entry).model_fields
    sizes = {name for name in fields if isinstance(getattr(entry, name), tuple)}
    # What must be given comes first, numbers before sizes, as people write it; what every layer has comes last.
    for name in sorted(fields, key=lambda name: _place(fields[name].is_required(), name, sizes)):
        value = getattr(entry, name)
        if fields[name].is_required() or value != fields[name].default:
            found[name] = _plain(value)
    for name, value in found.items():
        short = _one_for_all(value)
        if short is not None and _same(entry, {**found, name: short}):
            found[name] = short
    # A wrapper's own layer has a key of the format.
    return {"wraps" if name == "layer" else name: value for name, value in found.items()}


def _place(required: bool, name: str, sizes: set[str]) -> int:
    """How far in front an argument stands."""
    return (1 if name in sizes else 0) if required else (3 if name in LayerEntry.model_fields else 2)


def _plain(value: Any) -> Any:
    """A value of the catalog as plain data."""
    if isinstance(value, ObjectSpec):
        return {value.name: _plain(value.options)} if value.options else value.name
    if isinstance(value, LayerEntry):
        return {"layer": type(value).name(), **plain_entry(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)
    raise Unwritable("GB204", f"it holds a {type(value).__name__}, which is no plain data")


def _one_for_all(value: Any) -> int | None:
    """The number that stands everywhere in a list of sizes, or in lists of them."""
    leaves = list(_leaves(value)) if isinstance(value, list) and value else [None]
    first = leaves[0]
    return first if type(first) is int and all(type(leaf) is int and leaf == first for leaf in leaves) else None


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _same(entry: Entry, arguments: Mapping[str, Any]) -> bool:
    """Whether arguments make the same entry; one size stands for all axes in some layers, in others it does not."""
    try:
        return type(entry).model_validate(dict(arguments)) == entry
    except ValidationError:
        return False


def written_constant(constant: Constant) -> Any:
    """A constant as it stands under `from`.

    Example:
        >>> from graphbuilder.graph import constant_of
        >>> [written_constant(constant) for constant in (constant_of(2.0), constant_of([1, 2]), constant_of(1, "int8"))]
        [2.0, {'constant': [1, 2]}, {'constant': 1, 'dtype': 'int8'}]
    """
    value = _plain(constant.value)
    if constant_of(value).dtype != constant.dtype:
        return {"constant": value, "dtype": constant.dtype}
    return {"constant": value} if isinstance(value, list) else value


def literal(value: Any) -> Any:
    """Plain data with each dollar sign written so that it stands for itself, not for a param.

    What is written under `about` is for people and never evaluated.

    Raises:
        Unwritable: a string with a dollar sign is longer than what is read as an expression.

    Example:
        >>> literal({"price": ["$5"], "about": "in $"})
        {'price': ['$$5'], 'about': 'in $'}
    """
    if isinstance(value, str):
        escaped = value.replace("$", "$$")
        if escaped != value and len(escaped) > limit("expression"):
            told = f"it holds a string with a dollar sign that would be {len(escaped):,} characters long"
            raise Unwritable("GB208", told, f"strings with a dollar sign have at most {limit('expression'):,}")
        return escaped
    if isinstance(value, Mapping):
        return {key: _plain(item) if key == "about" else literal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [literal(item) for item in value]
    return _plain(value)
