"""Commands on which nodes a pass of compression touches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.compression.selection import is_pattern, matches
from graphbuilder.editing.changes import Change, Delete, Insert, InsertItem, Remove, Replace, changed_data
from graphbuilder.editing.checking import lowered
from graphbuilder.editing.command import Edit
from graphbuilder.editing.levels import listed, refused
from graphbuilder.editing.passing import check_plan, layers_of, planned
from graphbuilder.editing.passing_blocks import pass_names
from graphbuilder.errors import BlueprintError, suggestion
from graphbuilder.graph import Graph
from graphbuilder.text.source import Path

__all__ = ["ExcludeNodes", "IncludeNodes"]


@dataclass(frozen=True, slots=True)
class IncludeNodes:
    """Lets a pass touch some nodes that it has left out.

    Arguments:
        index: which of the passes, from 0.
        nodes: names of nodes, blocks or paths.
        block: the block that the nodes stand in, which are meant in every copy of it; None for the file itself.
    """

    index: int
    nodes: Sequence[str]
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Takes them out of `where.except`, and names them under `where.nodes` where that names others.

        Raises:
            CommandError: there is no such pass or node, or a pattern or kind leaves a node out.
        """
        return _Choice(document, self.index, self.nodes, self.block).edit(include=True)


@dataclass(frozen=True, slots=True)
class ExcludeNodes:
    """Lets a pass leave out some nodes that it touches.

    Arguments:
        index: which of the passes, from 0.
        nodes: names of nodes, blocks or paths.
        block: the block that the nodes stand in, which are meant in every copy of it; None for the file itself.
    """

    index: int
    nodes: Sequence[str]
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Takes them out of `where.nodes` where that names them outright, else names them under `where.except`.

        Raises:
            CommandError: there is no such pass or node, or the pass would touch nothing.
        """
        return _Choice(document, self.index, self.nodes, self.block).edit(include=False)


class _Choice:
    """One pass, and the nodes that it is to touch or to leave out."""

    def __init__(self, document: Document, index: int, chosen: Sequence[str], block: str | None) -> None:
        written = document.source.data.get("compression") or []
        if not 0 <= index < len(written):
            raise refused(document, "GB203", f"there is no pass {index}", ("compression",))
        graph = lowered(document).graph
        if graph is None:
            raise BlueprintError(lowered(document).errors)
        self.document = document
        self.graph: Graph = graph
        self.index = index
        self.nodes = nodes = pass_names(document, chosen, block)
        self.focus = chosen[0].partition(".")[0]
        self.whole: Mapping[str, Any] = written[index]
        self.where: Mapping[str, Any] = self.whole.get("where") or {}
        self.path: Path = ("compression", index, "where")
        for node in nodes:
            if not layers_of(graph, node):
                hint = suggestion(node, list(graph.layers), listing="a pass touches what owns a layer")
                raise refused(document, "GB301", f"{node} owns no layer", hint=hint, found=node)

    def edit(self, *, include: bool) -> Edit:
        """The edit that includes the nodes, or excludes them."""
        name = self.whole["pass"]
        verb = "include" if include else "exclude"
        title = f"{verb} {listed(list(self.nodes))} {'in' if include else 'from'} {name}"
        wanted = [layer for node in self.nodes for layer in layers_of(self.graph, node)]
        touched = self._touched(self.document.source.data)
        if all((layer in touched) is include for layer in wanted):
            return Edit(title, ())
        changes = list(self._included() if include else self._excluded())
        data = changed_data(self.document.source.data, changes)
        after = self._touched(data)
        failed = [layer for layer in wanted if (layer in after) is not include]
        if failed:
            raise self._failed(failed[0], after=data["compression"][self.index], include=include)
        told = check_plan(self.document, data["compression"])
        return Edit(title, tuple(changes), self.focus, told)

    def _touched(self, data: Any) -> set[str]:
        found = planned(self.document, data["compression"])
        if found is None or len(found.plan.stages) <= self.index:
            return set()
        # Stages leave out layers without weights; what is chosen stands in the passes themselves.
        from graphbuilder.compression.declared import declared_passes

        declared = declared_passes(found.graph)[0]
        return set(declared[self.index].chosen.layers) if self.index < len(declared) else set()

    def _included(self) -> Iterable[Change]:
        yield from self._without("except", lambda written: written in self.nodes)
        named = self._list("nodes")
        if named is None:
            return
        new = [node for node in self.nodes if not any(matches(node, written) for written in named)]
        yield from self._with("nodes", new)

    def _excluded(self) -> Iterable[Change]:
        named = self._list("nodes")
        outright = [written for written in named or () if written in self.nodes]
        if named is not None and len(outright) == len(named):
            raise refused(
                self.document, "GB835", f"{self.whole['pass']} would touch no node", (*self.path, "nodes"),
                hint="remove the pass instead",
            )  # fmt: skip
        yield from self._without("nodes", lambda written: written in outright)
        rest = [written for written in named or () if written not in outright]
        still = [node for node in self.nodes if named is None or self._any_chosen(node, rest)]
        yield from self._with("except", still)

    def _any_chosen(self, node: str, named: Sequence[str]) -> bool:
        return any(matches(layer, written) for layer in layers_of(self.graph, node) for written in named)

    def _list(self, key: str) -> list[str] | None:
        written = self.where.get(key)
        return None if written is None else list(written) if isinstance(written, list) else [written]

    def _with(self, key: str, new: Sequence[str]) -> Iterable[Change]:
        """The changes that add names to one of the lists under `where`."""
        if not new:
            return
        written = self.where.get(key)
        value: Any = new[0] if len(new) == 1 else list(new)
        if isinstance(written, list):
            for name in new:
                yield InsertItem((*self.path, key), len(written), name)
        elif written is not None:
            yield Replace((*self.path, key), [written, *new])
        elif "where" not in self.whole:
            yield Insert(self.path[:-1], "where", {key: value}, list(self.whole)[-1])
        else:
            yield Insert(self.path, key, value, list(self.where)[-1] if self.where else None)

    def _without(self, key: str, leaves: Callable[[str], bool]) -> Iterable[Change]:
        """The changes that take names out of one of the lists under `where`."""
        written = self._list(key)
        if written is None or not any(map(leaves, written)):
            return
        if all(map(leaves, written)):
            whole = len(self.where) == 1
            yield Delete(self.path if whole else (*self.path, key))
            return
        for index, name in enumerate(written):
            if leaves(name):
                yield Remove((*self.path, key, index))

    def _failed(self, layer: str, *, after: Mapping[str, Any], include: bool) -> Exception:
        """The refusal where names alone do not do what is asked for."""
        kind = self.graph.layers[layer].kind
        where = after.get("where") or {}
        for key in ("except", "layers", "nodes"):
            written = where.get(key)
            names = [written] if isinstance(written, str) else list(written or ())
            told = [name for name in names if matches(layer, name) or name == kind]
            if include and key == "layers" and names and kind not in names:
                message = f"{self.whole['pass']} touches layers of kind {listed(names)}, and {layer} is {kind}"
                return refused(
                    self.document, "GB303", message, (*self.path, key), hint=f"add {kind} under where.layers"
                )
            if told and (key == "except") is include:
                pattern = next(filter(is_pattern, told), told[0])
                verb = "leaves out" if include else "touches"
                message = f"{pattern} under where.{key} {verb} {layer}"
                return refused(self.document, "GB303", message, (*self.path, key), hint=f"edit {pattern} first")
        verb = "touch" if include else "leave out"
        return refused(self.document, "GB303", f"{self.whole['pass']} cannot {verb} {layer}", self.path)
