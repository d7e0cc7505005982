"""The option `align:` of a fusion: auto, none, or adapters branch by branch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from graphbuilder.catalog.arguments import as_written, conflict, refuse
from graphbuilder.errors import suggestion
from graphbuilder.fusion.adapters import ADAPTERS, Adapter

__all__ = ["Align", "Stated"]

# The adapters of each branch that the author speaks of; those of others are picked.
Stated: TypeAlias = Mapping[str, tuple[Adapter, ...]]

_FORM = "auto, none, or a mapping from branch to adapters"


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _adapter(value: Any, place: tuple[str | int, ...]) -> Adapter:
    """One adapter: its name, or {name: option}.

    Raises:
        PydanticCustomError: it is none.
    """
    name, option = value, None
    if isinstance(value, dict) and len(value) == 1:
        name, option = next(iter(value.items()))
    kind = ADAPTERS.get(name) if isinstance(name, str) else None
    if kind is None:
        hint = suggestion(str(name), list(ADAPTERS), listing=f"adapters are {', '.join(ADAPTERS)}")
        raise conflict(place, f"{as_written(value)} is no adapter", hint=hint)
    if kind.option is None:
        if option is not None:
            raise conflict(place, f"{name} takes no option", f"{name} alone")
        return Adapter(kind.name)
    if kind.option == "units" and _integer(option):
        return Adapter(kind.name, option)
    if kind.option == "size":
        sizes = option if isinstance(option, (list, tuple)) else [option]
        if sizes and all(map(_integer, sizes)):
            return Adapter(kind.name, tuple(sizes))
    example = "64" if kind.option == "units" else "[7, 7]"
    found = f"{name} has no option" if option is None else f"{name} is {as_written(option)}"
    raise conflict(place, found, f"{{{name}: {example}}}" if option is None else f"a positive size, such as {example}")


def _align(value: Any) -> Any:
    """The option as written, its adapters made."""
    if value in ("auto", "none") and isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise refuse(_FORM, "write none" if value is None or value is False else None)
    found = {}
    for branch, written in value.items():
        several = written if isinstance(written, (list, tuple)) else [written]
        if written in (None, "none"):
            several = []
        listed = isinstance(written, (list, tuple))
        found[branch] = tuple(
            _adapter(item, (branch, index) if listed else (branch,)) for index, item in enumerate(several)
        )
    return found


def _schema() -> dict[str, Any]:
    plain = [{"const": kind.name, "description": kind.about} for kind in ADAPTERS.values() if kind.option is None]
    size: dict[str, Any] = {"type": "integer", "minimum": 1}
    options: dict[str, dict[str, Any]] = {
        "units": size,
        "size": {"anyOf": [size, {"type": "array", "items": size, "minItems": 1}]},
    }
    mapped = {
        "type": "object",
        "properties": {
            kind.name: {"description": kind.about, **options[kind.option]} for kind in ADAPTERS.values() if kind.option
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    one: dict[str, Any] = {"anyOf": [*plain, mapped]}
    several = {"type": "array", "items": one}
    branches = {"type": "object", "additionalProperties": {"anyOf": [*plain, {"const": "none"}, mapped, several]}}
    return {"anyOf": [{"enum": ["auto", "none"]}, branches]}


# "auto", "none" or `Stated`; the validator alone decides, so that its messages are the ones that are told.
Align = Annotated[Any, BeforeValidator(_align), WithJsonSchema(_schema())]
