"""Everything that a node can name, and what is said of it: layers, ops, fusions and standard blocks."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphbuilder.blueprint.entry_schema import (
    argument_schemas,
    blueprint_key,
    call_schema,
    in_words,
    param_schema,
    written,
)
from graphbuilder.blueprint.loading import load_shipped
from graphbuilder.blueprint.schema import Block, Blueprint, Param
from graphbuilder.blueprint.shipped import NAMESPACES, blocks_in
from graphbuilder.catalog import Entry, LayerEntry, Port, layers, ops
from graphbuilder.fusion import FusionStrategy, strategies
from graphbuilder.registry import Registry

__all__ = ["TABLES", "Argument", "Item", "block_item", "block_names", "entry_item", "items"]

# The tables by the key that a node names their things with.
TABLES: Mapping[str, Registry[Any]] = {"layer": layers, "op": ops, "fuse": strategies}


@dataclass(frozen=True, slots=True)
class Argument:
    """Something that is written beside a node's kind.

    Arguments:
        name: its key.
        type: what it takes, in words.
        required: whether it must be written.
        default: its value otherwise, as a blueprint writes it.
        about: what it is.
        sample: a value that it takes, where it is required and a block's.
    """

    name: str
    type: str
    required: bool
    default: Any
    about: str
    sample: Any = None


@dataclass(frozen=True, slots=True)
class Item:
    """A layer, op, fusion or block.

    Arguments:
        key: what a node names it with: layer, op, fuse or block.
        name: its name.
        family: where it is listed.
        about: its documentation.
        arguments: what is written beside it.
        ports: what it is called with.
        call: call arguments that are not tensors.
        entry: the catalog's entry; None for a block.
        taps: a block's names for values inside it.
    """

    key: str
    name: str
    family: str
    about: str
    arguments: tuple[Argument, ...]
    ports: tuple[Port, ...]
    call: tuple[Argument, ...]
    entry: type[Entry] | None = None
    taps: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The first sentence or line of its documentation, without a full stop at its end."""
        return self.about.split("\n")[0].rstrip(".")


def items(key: str) -> Iterator[Item]:
    """All things of one kind: layer, op, fuse or block."""
    if key == "block":
        yield from (block_item(name) for name in block_names())
        return
    for name in TABLES[key].names():
        entry = TABLES[key].get(name)
        if entry is not None:
            yield entry_item(key, entry)


def entry_item(key: str, entry: type[Entry]) -> Item:
    """What is said of a layer, an op or a fusion."""
    return Item(
        key=key,
        name=entry.name(),
        family=entry.family,
        about=inspect.getdoc(entry) or "",
        arguments=tuple(_arguments(entry)),
        ports=entry.ports,
        call=tuple(
            Argument(
                name, in_words(call_schema(each)).removesuffix(" or null"), False, written(each.default), each.about
            )
            for name, each in entry.call_arguments.items()
        ),
        entry=entry,
    )


def _arguments(entry: type[Entry]) -> Iterator[Argument]:
    """An entry's arguments: those it needs, its others, and last those that every layer, or every fusion, has."""
    schemas = argument_schemas(entry)
    found = []
    for name, info in entry.model_fields.items():
        key = blueprint_key(entry, name)
        default = None if info.is_required() else written(info.default)
        found.append(Argument(key, in_words(schemas[key]), info.is_required(), default, info.description or ""))
    shared = next((kind for kind in (LayerEntry, FusionStrategy) if issubclass(entry, kind)), None)
    general = shared.model_fields if shared is not None else {}
    yield from sorted(found, key=lambda argument: (not argument.required, argument.name in general))


def block_names() -> list[str]:
    """The standard blocks, as a node names them."""
    return [f"{space}.{block}" for space in NAMESPACES for block in blocks_in(space)]


def block_item(name: str) -> Item:
    """What is said of a standard block."""
    place = load_shipped(name)
    if place is None:
        raise LookupError(name)
    definition: Block | Blueprint = place.definition
    params = (
        Argument(key, in_words(param_schema(param)), param.required, param.default, param.about or "", _sample(param))
        for key, param in definition.params.items()
    )
    return Item(
        key="block",
        name=name,
        family=name.partition(".")[0],
        about=" ".join((definition.about or "").split()),
        arguments=tuple(sorted(params, key=lambda argument: not argument.required)),
        ports=tuple(Port(port, about=spec.about or "") for port, spec in place.ports.items()),
        call=(),
        taps=tuple(definition.taps),
    )


def _sample(param: Param) -> Any:
    """A value that a required param takes."""
    if param.choices:
        return param.choices[0]
    number = min(max(64, param.min or 0), param.max or 64)
    samples: dict[str, Any] = {
        "int": int(number),
        "float": number,
        "bool": True,
        "str": "relu",
        "list": [64, 64],
        "mapping": {},
    }
    return samples.get(param.type or "", 64)
