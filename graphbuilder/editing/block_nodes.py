"""The nodes of a block as nodes of their own: names, sources, the values of params."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from graphbuilder.blueprint import BlockNode, BlockPlace, Document, ExpressionError, ReuseNode, resolve_values
from graphbuilder.blueprint.forms import KINDS
from graphbuilder.blueprint.shipped import NAMESPACES
from graphbuilder.editing.changes import changed_data
from graphbuilder.editing.checking import lowered
from graphbuilder.editing.levels import Level, refused
from graphbuilder.editing.param_text import substituted
from graphbuilder.editing.references import references
from graphbuilder.editing.rewriting import Follow, followed_nodes
from graphbuilder.errors import Related

__all__ = ["BlockNodes"]


class BlockNodes:
    """The nodes that a node which uses a block stands for.

    Arguments:
        level: where the node stands.
        node: its name.

    Raises:
        CommandError: nodes of their own could not say what the block says.
    """

    def __init__(self, level: Level, node: str) -> None:
        self.level = level
        self.document: Document = level.document
        self.node = node
        written = level.definition.nodes[node]
        assert isinstance(written, BlockNode)
        self.written = written
        self.order = list(level.definition.nodes)
        self.uses = level.uses()
        found = self.document.find_block(written.block)
        assert found is not None, written.block
        self.place: BlockPlace = found
        self._refuse_reuse()
        self._refuse_whole()
        self.copies = self._copies()
        # Without a written `repeat`, paths have no numbers.
        self.numbered = "repeat" in written.model_fields_set
        self.brought: dict[str, Any] = {}
        self._brought_as: dict[str, str] = {}
        self.values = [self._values(index) for index in range(self.copies)]
        self.left_out = [self._left_out(index) for index in range(self.copies)]
        self.names = self._names()
        self.sources: list[dict[str, str]] = []
        self.outputs: list[dict[str, str]] = []
        self._connect()
        self.nodes = dict(self._nodes())
        if not self.nodes:
            self._refuse_nothing()

    # What is asked for, checked.

    def _refuse_reuse(self) -> None:
        """Refuses that another node uses the weights of the whole block again, which single nodes cannot give.

        Raises:
            CommandError: GB310.
        """
        for name, node in self.level.definition.nodes.items():
            if isinstance(node, ReuseNode) and node.reuse == self.node:
                place = self.document.source.position(self.level.at("nodes", name, "reuse"))
                raise refused(
                    self.document, "GB310", f"{name} uses the weights of {self.node} as a whole",
                    self.level.at("nodes", self.node), key=True, hint=f"inlined, it has no name for {name}",
                    related=(Related("it does so here", None, place),),
                )  # fmt: skip

    def _refuse_whole(self) -> None:
        """Refuses what is said of the block as a whole and single nodes cannot say.

        Raises:
            CommandError: GB303.
        """
        said = {
            "pretrained": "gives its weights to the whole block",
            "trainable": "says from which node of the block on training changes it",
        }
        for key, what in said.items():
            value = getattr(self.written, key)
            if value is None or key in self.place.definition.params or isinstance(value, bool):
                continue
            if key == "trainable" and isinstance(value, str):
                continue
            raise refused(
                self.document, "GB303", f"{key} of {self.node} {what}, which single nodes cannot say",
                self.level.at("nodes", self.node, key), hint=f"take {key} away first",
            )  # fmt: skip

    def _copies(self) -> int:
        """How often the block stands here.

        Raises:
            CommandError: GB303, that depends on params, or the node may be left out.
        """
        where = self.level.at("nodes", self.node)
        if self.written.when is not True:
            raise refused(
                self.document, "GB303", f"{self.node} has a when, which leaves the whole block out at once",
                (*where, "when"), hint="single nodes cannot say that; decide the when first",
            )  # fmt: skip
        try:
            number = resolve_values(self.written.repeat, {})
        except ExpressionError:
            raise refused(
                self.document, "GB303", f"{self.node} has as many copies as its params say, {self.written.repeat}",
                (*where, "repeat"), hint="write a number first",
            ) from None  # fmt: skip
        if number == 0 or not self.place.definition.nodes:
            self._refuse_nothing()
        return int(number)

    def _refuse_nothing(self) -> NoReturn:
        message = f"{self.node} stands for no nodes, so nothing could take its place"
        where = self.level.at("nodes", self.node)
        raise refused(self.document, "GB303", message, where, key=True, hint=f"delete {self.node} instead")

    # Names.

    def _names(self) -> list[dict[str, str]]:
        """The new name of each of the block's nodes that are not left out, copy by copy."""
        found: list[dict[str, str]] = []
        taken: set[str] = set()
        for index in range(self.copies):
            number = f"_{index}" if self.copies > 1 else ""
            names = {}
            for name in self.place.definition.nodes:
                if name not in self.left_out[index]:
                    names[name] = self.level.free_name(f"{self.node}{number}_{name}", taken)
                    taken.add(names[name])
            found.append(names)
        return found

    def _left_out(self, index: int) -> dict[str, str | None]:
        """The nodes whose `when` is false in a copy, each with what it passes on."""
        found: dict[str, str | None] = {}
        above: str | None = next(iter(self.place.ports), None)
        for name, node in self.place.definition.nodes.items():
            when = self._substituted(name, node.when, self.values[index])
            if not isinstance(when, str) and not when:
                passed = above if node.source is None else next((ref for ref, _ in references(node.source, ())), None)
                found[name] = passed
            above = name
        return found

    def _connect(self) -> None:
        """What is connected to the ports of each copy, and what each gives."""
        ports = list(self.place.ports)
        definition = self.place.definition
        outputs = definition.outputs
        if outputs is None:
            outputs = list(definition.nodes)[-1]
        self.single = isinstance(outputs, str)
        given: Mapping[Any, str] = {"0": outputs} if isinstance(outputs, str) else outputs
        if isinstance(outputs, list):
            given = dict(enumerate(outputs))
        sources = dict(zip(ports, self._taken(ports), strict=True))
        for index in range(self.copies):
            self.sources.append(sources)
            made = {str(port): self.seen(index)(reference) for port, reference in given.items()}
            self.outputs.append(made)
            following = {ports[0]: made["0"]} if self.single and ports else made
            sources = {port: following.get(port, source) for port, source in sources.items()}

    def _taken(self, ports: list[str]) -> list[str]:
        """What is connected to each port of the first copy, in their order."""
        source = self.written.source
        if source is None:
            source = self._above(self.node)
        if isinstance(source, Mapping):
            return [source[port] for port in ports]
        return list(source) if isinstance(source, list) else [source] if ports else []

    def _above(self, name: str) -> str | None:
        """What a node takes that does not say so."""
        return next((use.reference for use in self.uses if use.implied and use.consumer == name), None)

    def seen(self, index: int) -> Follow:
        """What a reference within a copy of the block becomes.

        Arguments:
            index: the copy.
        """

        def follow(reference: str) -> str:
            first, dot, rest = reference.partition(".")
            passed = self.left_out[index].get(first)
            while passed is not None:
                first, dot, rest = passed.partition(".")
                passed = self.left_out[index].get(first)
            if first in self.sources[index]:
                return self.sources[index][first]
            return f"{self.names[index][first]}{dot}{rest}" if first in self.names[index] else reference

        return follow

    # The nodes.

    def _nodes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The new nodes in order, as plain data."""
        place = self.order.index(self.node)
        above = self.order[place - 1] if place else None
        inner = Level(self.place.document, None if not self.place.path else str(self.place.path[1]))
        for index in range(self.copies):
            before = next(iter(self.place.ports), None)
            for name, written in self._followed(inner, index).items():
                if name not in self.left_out[index]:
                    node = self._without_params(name, written, self.values[index])
                    taken = None if "from" in node or before is None else self.seen(index)(before)
                    if (
                        taken is not None
                        and taken != above
                        and (above or list(self.level.definition.inputs) != [taken])
                    ):
                        node = _with_from(node, taken)
                    if "block" in node:
                        node["block"] = self._reachable(node["block"], self.place)
                    self._trained(node, self._path(index, name))
                    above = self.names[index][name]
                    yield above, node
                before = name

    def _path(self, index: int, name: str) -> str:
        """The path of a node of the block before it was inlined, from the level where the block is used."""
        return f"{self.node}.{index}.{name}" if self.numbered else f"{self.node}.{name}"

    def _trained(self, node: dict[str, Any], path: str) -> None:
        """Lets a new node say of training what was said of the whole block."""
        said = self.written.trainable
        if said is None or "trainable" in self.place.definition.params or "op" in node or "reuse" in node:
            return
        if ":" in node.get("layer", ""):
            node["args"] = {**node.get("args", {}), "trainable": said}
        elif "layer" not in node or self._owns_weights(path):
            node["trainable"] = said

    def _owns_weights(self, path: str) -> bool:
        """Whether a layer has weights, of which alone training can be spoken; true where that is not known."""
        graph = lowered(self.document).graph
        found = () if graph is None else graph.layers.items()
        return all(layer.weights != () for name, layer in found if name == path or name.endswith(f".{path}"))

    def _followed(self, inner: Level, index: int) -> dict[str, Any]:
        """The block's nodes with what they refer to under its new names."""
        kept = [name for name in inner.definition.nodes if name not in self.left_out[index]]
        data = changed_data(self.place.document.source.data, list(followed_nodes(inner, kept, self.seen(index))))
        for step in (*self.place.path, "nodes"):
            data = data[step]
        return {name: copy.deepcopy(node) for name, node in data.items()}

    def _values(self, index: int) -> dict[str, Any]:
        """What each param of the block stands for in a copy, as it is written outside."""
        values: dict[str, Any] = {"index": index}
        for name, param in self.place.definition.params.items():
            if name in self.written.arguments:
                values[name] = self.written.arguments[name]
            else:
                values[name] = self._substituted(name, param.default, values)
        return values

    def _substituted(self, what: str, value: Any, values: Mapping[str, Any]) -> Any:
        try:
            return substituted(value, values)
        except ExpressionError as error:
            raise refused(
                self.document, "GB208", f"{what} of {self.written.block} cannot be written outside it: {error.message}",
                self.level.at("nodes", self.node), key=True, hint=error.hint,
            ) from None  # fmt: skip

    def _without_params(self, name: str, written: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """A node with the values of params in their place; a `when` that is always true is left out."""
        made: dict[str, Any] = self._substituted(name, dict(written), values)
        if not isinstance(made.get("when", ""), str):
            del made["when"]
        return made

    # Blocks that the block uses.

    def _reachable(self, name: str, place: BlockPlace) -> str:
        """What a block that is named in another file is called here; it is brought along where it has no name here."""
        inner = place.document.find_block(name)
        assert inner is not None, name
        hidden = name.partition(".")[0] in self.document.blueprint.imports
        if place.document is self.document or (name.partition(".")[0] in NAMESPACES and not hidden):
            return name
        space = self.written.block if not self.place.path else self.written.block.rpartition(".")[0]
        for tried in (f"{space}.{name}", name):
            here = self.document.find_block(tried)
            if here is not None and here.definition is inner.definition:
                return tried
        return self._bring(name, inner)

    def _bring(self, name: str, place: BlockPlace) -> str:
        """Takes a block of another file along.

        Raises:
            CommandError: GB205, it is a whole file.
        """
        if not place.path:
            raise refused(self.document, "GB205", f"{name}, which {self.written.block} uses, has no name in this file")
        if name in self._brought_as:
            return self._brought_as[name]
        blocks = self.document.blueprint.blocks
        free, number = name.rpartition(".")[2], 2
        while free in blocks or free in self.brought or free in self.document.blueprint.imports:
            free, number = f"{name.rpartition('.')[2]}_{number}", number + 1
        self._brought_as[name] = free
        data = place.document.source.data
        for step in place.path:
            data = data[step]
        made = self.brought[free] = copy.deepcopy(data)
        for node in made["nodes"].values():
            if "block" in node:
                node["block"] = self._reachable(node["block"], place)
        return free


def _with_from(node: dict[str, Any], taken: str) -> dict[str, Any]:
    """A node with a `from` behind the key that says what kind it is."""
    made: dict[str, Any] = {}
    for key, value in node.items():
        made[key] = value
        if key in KINDS:
            made["from"] = taken
    return made
