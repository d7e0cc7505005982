"""What a node can be: a layer, op, fusion or block by name, what it needs to be told and what it takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

from pydantic import ValidationError

from graphbuilder.blueprint import Document, Node, Param, ReuseNode
from graphbuilder.blueprint.entry_schema import blueprint_key, written
from graphbuilder.blueprint.loading import load_shipped
from graphbuilder.blueprint.shipped import NAMESPACES
from graphbuilder.catalog import REFUSED, Entry, Port, layers, ops
from graphbuilder.editing.levels import Level, refused
from graphbuilder.editing.paths import looked_up
from graphbuilder.editing.rewiring import known_node
from graphbuilder.errors import CommandError, suggestion

__all__ = ["Kind", "KindKey", "kind_of", "kind_of_node", "kind_of_reused", "node_name", "required_arguments"]

KindKey: TypeAlias = Literal["layer", "op", "fuse", "block"]

_KEYS: tuple[KindKey, ...] = get_args(KindKey)
# Where a word of a class name begins, in Keras's names of layers (keras/src/utils/naming.py: to_snake_case).
_WORD_START = re.compile(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])")


# The keys that a node which uses a block may have beside the block's params and those of every node.
BLOCK_KEYS = ("repeat", "trainable", "pretrained")


@dataclass(frozen=True)
class Kind:
    """One kind of node.

    Arguments:
        key: what the node names it with.
        name: what it is called: `Dense`, `matmul`, `gated`, `std.mlp`.
        entry: what the catalog knows of a layer, op or fusion; None for a block or a custom layer.
        params: the params of a block.
        ports: what it is called with; None where nobody knows.
    """

    key: KindKey
    name: str
    entry: type[Entry] | None
    params: Mapping[str, Param]
    ports: tuple[Port, ...] | None

    @property
    def custom(self) -> bool:
        """Whether it is a custom layer, of which nothing is known."""
        return self.entry is None and self.key == "layer"

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The arguments that stand beside its name, as a blueprint calls them; none for a custom layer."""
        if self.entry is None:
            return tuple(self.params)
        return tuple(blueprint_key(self.entry, name) for name in self.entry.model_fields)

    @cached_property
    def keys(self) -> frozenset[str]:
        """Every key that a node of this kind may have beside its name."""
        own = {"layer": ("call",), "op": (), "fuse": ("trainable",), "block": BLOCK_KEYS}[self.key]
        custom = ("args", "gives") if self.custom else ()
        return frozenset((*self.arguments, "from", "when", "about", *own, *custom))

    @property
    def takes_list(self) -> bool:
        """Whether it is called with a list of as many tensors as there are."""
        return bool(self.ports) and self.ports is not None and self.ports[0].many


def required_arguments(kind: Kind) -> dict[str, Any]:
    """The arguments that a node of a kind must have, each with a value that it takes.

    The values of a layer, op or fusion are those of the first example in the catalog; of a block's param, its first
    choice, or a value within its limits.

    Example:
        >>> from graphbuilder.blueprint import parse_blueprint
        >>> required_arguments(kind_of(parse_blueprint("blueprint: 1"), "layer", "Embedding"))
        {'input_dim': 20000, 'output_dim': 128}
    """
    if kind.entry is None:
        return {name: _sample(param) for name, param in kind.params.items() if param.required}
    needed = [name for name, info in kind.entry.model_fields.items() if info.is_required()]
    if not needed and _stands_bare(kind.entry):
        return {}
    # In the order in which an author would write them.
    example = kind.entry.examples[0].arguments
    needed = needed or list(example)
    return {blueprint_key(kind.entry, name): written(value) for name, value in example.items() if name in needed}


def _stands_bare(entry: type[Entry]) -> bool:
    """Whether an entry takes its own defaults: Keras gives defaults to arguments of some layers, and refuses them."""
    try:
        entry.model_validate({})
    except ValidationError:
        return False
    return True


def _sample(param: Param) -> Any:
    """A value that a required param takes."""
    if param.choices:
        return param.choices[0]
    number = min(max(64, param.min or 0), param.max if param.max is not None else 64)
    samples: dict[str, Any] = {
        "int": int(number), "float": number, "bool": True, "str": "relu", "list": [64, 64], "mapping": {},
    }  # fmt: skip
    return samples.get(param.type or "", 64)


def kind_of(document: Document, key: str, name: str) -> Kind:
    """The kind of node that a key and a name under it stand for.

    Arguments:
        document: the file, for its blocks and imports.
        key: layer, op, fuse or block.
        name: the name.

    Raises:
        CommandError: GB205, there is no such thing; GB213, it is refused.
    """
    if key == "block":
        return _block(document, name)
    if key not in _KEYS:
        hint = (
            "reuse a node by its name" if key == "reuse" else suggestion(key, _KEYS, listing="layer, op, fuse, block")
        )
        raise refused(document, "GB209", f"{key} is no kind of node that can be made", hint=hint, found=key)
    table: Any = layers if key == "layer" else ops
    if key == "fuse":
        from graphbuilder.fusion import strategies

        table = strategies
    entry = table.get(name)
    if entry is not None:
        return Kind(_KEYS[_KEYS.index(key)], name, entry, {}, tuple(entry.ports))
    if name in REFUSED:
        reason, _, remedy = REFUSED[name].partition("; ")
        raise refused(document, "GB213", f"{name} cannot be used: {reason}", found=name, hint=remedy or None)
    if key == "layer" and re.fullmatch(r"[\w.]+:\w+", name):
        return Kind("layer", name, None, {}, None)
    hint = suggestion(name, table.names(), listing=None)
    for other, found in (("layer", layers), ("op", ops)):
        if other != key and name in found:
            hint = f"it is {'an op' if other == 'op' else 'a layer'}: add it as {other}: {name}"
    article = "an" if key == "op" else "a"
    raise refused(document, "GB205", f"{name} is not {article} {table.kind}", found=name, hint=hint)


def _block(document: Document, name: str) -> Kind:
    place = document.find_block(name)
    space = name.partition(".")[0]
    if place is None and space in NAMESPACES and space not in document.imports:
        # A shipped block is loaded with the file only where it is used.
        place = load_shipped(name)
    if place is None:
        hint = suggestion(name, document.block_names(), listing="declare it under `blocks:`")
        raise refused(document, "GB205", f"{name} is not a block", found=name, hint=hint)
    ports = tuple(Port(port, about=getattr(spec, "about", None) or "") for port, spec in place.ports.items())
    return Kind("block", name, None, place.definition.params, ports)


def kind_of_node(level: Level, node: Node) -> Kind | None:
    """The kind of a node, for one that reuses another that one's; None where it cannot be told."""
    seen: set[str] = set()
    while isinstance(node, ReuseNode):
        if node.reuse in seen or node.reuse not in level.definition.nodes:
            return None
        seen.add(node.reuse)
        node = level.definition.nodes[node.reuse]
    key = node.kind
    try:
        return kind_of(level.document, key, getattr(node, key))
    except CommandError:
        return None


def kind_of_reused(level: Level, reference: str) -> Kind | None:
    """The kind of what a reuse node names; None where it cannot be told.

    Arguments:
        level: where the reuse node stands.
        reference: a node, or a path to what lies inside one.

    Raises:
        CommandError: GB301, there is no such node; GB310, it has no weights of its own.
    """
    parts = reference.split(".")
    known_node(level, parts[0])
    *_, (here, number) = looked_up(level, parts)
    node = here.definition.nodes.get(parts[number]) if number == len(parts) - 1 else None
    if node is not None and node.kind == "op":
        path = here.at("nodes", parts[number])
        message = f"{reference} is an op, which has no weights that could be used again"
        raise refused(level.document, "GB310", message, path, key=True, hint="add the op once more")
    return None if node is None else kind_of_node(here, node)


def node_name(kind: Kind) -> str:
    """What a new node of a kind is called, as far as that is free.

    Example:
        >>> from graphbuilder.blueprint import parse_blueprint
        >>> empty = parse_blueprint("blueprint: 1")
        >>> [node_name(kind_of(empty, *each)) for each in (("layer", "Conv2DTranspose"), ("block", "std.mlp"))]
        ['conv2d_transpose', 'mlp']
    """
    if kind.key == "fuse":
        return "merged"
    last = re.split(r"[.:]", kind.name)[-1]
    word = _WORD_START.sub("_", last).lower()
    return word if re.fullmatch(r"[a-z_][a-z0-9_-]*", word) else f"x_{word}"
