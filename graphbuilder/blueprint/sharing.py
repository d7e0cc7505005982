"""Makes a JSON Schema smaller: what stands in it several times is defined once and referred to."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["shared"]

# How long a part must be, and how often it must stand somewhere, to be worth a definition of its own.
_LENGTH, _TIMES = 60, 3


def shared(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The definitions, with those of parts that they have in common behind them.

    Parts are the schemas of properties, whole and without their descriptions and defaults. They are named after the
    first property that has them.

    Arguments:
        definitions: what stands under `$defs`.
    """
    whole = _Shared(definitions)
    kinds = _Shared(definitions, without=("description", "default"))
    made: dict[str, Any] = {}
    replaced = {name: _replaced(part, (whole, kinds), made) for name, part in definitions.items()}
    return {**replaced, **dict(sorted(made.items()))}


class _Shared:
    """The parts that stand in several places, and the names of their definitions.

    Arguments:
        definitions: where to look.
        without: the keys of a part that stay where they are.
    """

    def __init__(self, definitions: Mapping[str, Any], without: tuple[str, ...] = ()) -> None:
        self.without = without
        counts: Counter[str] = Counter()
        first: dict[str, str] = {}
        for name, schema in _properties(dict(definitions)):
            key = self._key(schema)
            counts[key] += 1
            first.setdefault(key, name)
        self._names: dict[str, str] = {}
        taken: Counter[str] = Counter()
        for key, times in counts.items():
            if times >= _TIMES and len(key) >= _LENGTH:
                base = f"{'type' if without else 'key'}.{re.sub(r'[^A-Za-z0-9_]', '-', first[key])}"
                taken[base] += 1
                self._names[key] = base if taken[base] == 1 else f"{base}-{taken[base]}"

    def _kept(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in schema.items() if key not in self.without}

    def _key(self, schema: Mapping[str, Any]) -> str:
        return json.dumps(self._kept(schema), sort_keys=True)

    def refer(self, schema: Mapping[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        """A part's definition, by name and in full, and what stands in its place; None when it is no such part."""
        name = self._names.get(self._key(schema))
        if name is None:
            return None
        beside = {key: schema[key] for key in self.without if key in schema}
        return name, self._kept(schema), {**beside, "$ref": f"#/$defs/{name}"}


def _properties(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property's name and schema, from the outside in."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            properties = part.get("properties")
            if isinstance(properties, dict):
                yield from ((name, item) for name, item in properties.items() if isinstance(item, dict))
            waiting += reversed(list(part.values()))


def _replaced(schema: Any, tables: tuple[_Shared, ...], made: dict[str, Any]) -> Any:
    """The schema with references in the place of shared parts, whose definitions are added to `made`."""
    if isinstance(schema, list):
        return [_replaced(item, tables, made) for item in schema]
    if not isinstance(schema, dict):
        return schema
    replaced = {}
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict):
            replaced[key] = {name: _referred(part, tables, made) for name, part in value.items()}
        else:
            replaced[key] = _replaced(value, tables, made)
    return replaced


def _referred(schema: Any, tables: tuple[_Shared, ...], made: dict[str, Any]) -> Any:
    if not isinstance(schema, dict) or "$ref" in schema:
        return schema
    for number, table in enumerate(tables):
        found = table.refer(schema)
        if found is not None:
            name, definition, reference = found
            if name not in made:
                made[name] = {}  # it is being made; what it holds is replaced by what follows in the tables
                made[name] = _referred_inside(definition, tables[number + 1 :], tables, made)
            return reference
    return _replaced(schema, tables, made)


def _referred_inside(
    definition: dict[str, Any], below: tuple[_Shared, ...], tables: tuple[_Shared, ...], made: dict[str, Any]
) -> Any:
    """A definition's own schema, of which the type alone may be shared further."""
    return _referred(definition, below, made) if below else _replaced(definition, tables, made)
