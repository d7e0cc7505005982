"""Lowers `fuse:` nodes: who the branches are, what is done to them, and the calls that merge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphbuilder.blueprint import FuseNode, Node
from graphbuilder.catalog import LayerEntry, Misfit, OpEntry
from graphbuilder.errors import suggestion
from graphbuilder.fusion import (
    PRESENCE,
    Branch,
    BranchMisfit,
    Calls,
    FusionStrategy,
    NotMade,
    check_presence,
    fuse,
    offer_of,
    plan,
)
from graphbuilder.fusion import strategies as fusions
from graphbuilder.graph import Call, Constant, FusedBranch, Fusion, Layer, Value
from graphbuilder.lowering.arguments import check_entry, find_entry
from graphbuilder.lowering.calls import CallMaker
from graphbuilder.lowering.reports import Reports, chain_of
from graphbuilder.lowering.scope import BROKEN_NODE, Bound, Made, Scope
from graphbuilder.lowering.sources import BROKEN

__all__ = ["Fuser"]

_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """A fusion that was lowered once, so that it can be called again with the same weights."""

    strategy: FusionStrategy
    names: tuple[str, ...]


@dataclass(slots=True)
class _Given:
    """What a fusion is called with.

    Arguments:
        branches: in order, each with the path of its reference under `from`.
        told: which samples have a branch, by the branch's name.
        told_at: the paths of the references to those.
    """

    branches: list[tuple[Branch, _Path]] = field(default_factory=list)
    told: dict[str, Value] = field(default_factory=dict)
    told_at: dict[str, _Path] = field(default_factory=dict)


class Fuser:
    """Lowers the fusions of one graph.

    Arguments:
        reports: told of what does not fit.
        calls: makes the calls.
    """

    def __init__(self, reports: Reports, calls: CallMaker) -> None:
        self.reports = reports
        self.calls = calls
        self.fusions: dict[str, Fusion] = {}
        self._known: dict[str, _Known] = {}

    def lower(self, made: Made, scope: Scope, name: str, source: Any, written: Any, path: _Path, node: Node) -> Bound:
        """Lowers one node.

        Arguments:
            made: the fusion, and under which path its layers are kept.
            scope: where the node stands.
            name: its name there.
            source: what it is called with, resolved.
            written: the same as it is written; for a node without `from`, the name of what it takes.
            path: the keys that lead to it.
            node: the node itself: the fusion, or one that reuses it.
        """
        fusion = made.node
        assert isinstance(fusion, FuseNode)
        node_path = scope.join(name)
        known = self._known.get(made.layer_path)
        if known is None and node is not fusion:
            return BROKEN_NODE  # the fusion to be used again could not be made, which was reported
        strategy = known.strategy if known is not None else self._strategy(scope, fusion, path, node_path)
        if strategy is None or source is BROKEN:
            return BROKEN_NODE
        gatherer = _Gatherer(self.reports, scope, path, node_path, strategy)
        given = gatherer.gather(source, written)
        if given is None:
            return BROKEN_NODE
        branches = [branch for branch, _ in given.branches]
        if known is not None:
            if len(known.names) != len(branches):
                self.reports.add(
                    scope, "GB310", f"{made.layer_path} merges {len(known.names)} branches, and here are "
                    f"{len(branches)}", (*path, "from"), node=node_path, expected="as many",
                )  # fmt: skip
                return BROKEN_NODE
            renamed = dict(zip((branch.name for branch in branches), known.names, strict=True))
            branches = [Branch(renamed[branch.name], branch.value, branch.role) for branch in branches]
            given.told = {renamed[name]: value for name, value in given.told.items()}
            given.told_at = {renamed[name]: place for name, place in given.told_at.items()}
        return self._merge(strategy, branches, given, made, scope, path, node_path, node)

    def _strategy(self, scope: Scope, node: FuseNode, path: _Path, node_path: str) -> FusionStrategy | None:
        kind = find_entry(scope, self.reports, fusions, node.fuse, (*path, "fuse"), node_path)
        return None if kind is None else check_entry(scope, self.reports, kind, node, path, node_path)

    def _merge(
        self,
        strategy: FusionStrategy,
        branches: list[Branch],
        given: _Given,
        made: Made,
        scope: Scope,
        path: _Path,
        node_path: str,
        node: Node,
    ) -> Bound:
        try:
            for branch, value in given.told.items():
                check_presence(branch, value)
            found = plan(strategy, branches)
        except Misfit as misfit:
            if misfit.hint is None and misfit.argument == "align":
                misfit.hint = offer_of(strategy, branches)
            if isinstance(misfit, BranchMisfit):
                self._branch_misfit(misfit, branches, given, scope, path, node_path, node)
                return BROKEN_NODE
            if misfit.argument not in getattr(node, "arguments", {}):
                misfit.argument = None
            # Where a tensor came from says nothing about a name that is not known.
            arguments = {} if misfit.code == "GB301" else {branch.name: branch.value for branch in branches}
            self.calls.misfit(scope, misfit, arguments, path, node_path)
            return BROKEN_NODE
        values: dict[str, Value] = {}
        again = made.layer_path in self._known

        def apply(
            suffix: str, entry: Any, arguments: Mapping[str, Any], options: Mapping[str, Any]
        ) -> tuple[Value, ...] | None:
            behind = f".{suffix}" if suffix else ""
            name = f"{node_path}{behind}"
            layer_path = f"{made.layer_path}{behind}"
            target = self._target(entry, layer_path)
            about = None if suffix else node.about
            new = name if again else layer_path
            call = self.calls.apply(scope, target, arguments, options, path, name, new, about)
            if call is None or (again and not self._owned(call, target, made.layer_path, scope, path, node_path)):
                return None
            values[suffix] = call.outputs[0]
            return call.outputs

        try:
            merged, fused = fuse(strategy, branches, given.told, found, Calls(apply))
        except NotMade:
            return BROKEN_NODE
        self._known.setdefault(made.layer_path, _Known(strategy, tuple(branch.name for branch in branches)))
        self._record(strategy, fused, values, merged, scope, path, node_path, node)
        return Bound({"0": merged}, inner=_inner(values), made=made)

    def _branch_misfit(
        self,
        misfit: BranchMisfit,
        branches: list[Branch],
        given: _Given,
        scope: Scope,
        path: _Path,
        node_path: str,
        node: Node,
    ) -> None:
        """Reports what is wrong with one branch, at the branch."""
        index = next(index for index, branch in enumerate(branches) if branch.name == misfit.branch)
        value, place = branches[index].value, given.branches[index][1]
        if misfit.presence:
            value, place = given.told[misfit.branch], given.told_at[misfit.branch]
        elif misfit.place:
            # Stated adapters are a list, or a single one in its place.
            stated = getattr(node, "arguments", {}).get("align")
            listed = isinstance(stated, Mapping) and isinstance(stated.get(misfit.branch), list)
            place = (*path, *(misfit.place if listed else misfit.place[:-1]))
        self.reports.add(
            scope, misfit.code, misfit.message, place, node=node_path, found=misfit.found, expected=misfit.expected,
            hint=misfit.hint, related=chain_of(value, self.calls.givers),
        )  # fmt: skip

    def _target(self, entry: LayerEntry | OpEntry, layer_path: str) -> Layer | LayerEntry | OpEntry:
        """The layer of an earlier call, for its weights or because it does the same; or what is to be made."""
        had = self.calls.layers.get(layer_path)
        same = had is not None and isinstance(entry, LayerEntry) and (bool(had.weights) or had.entry == entry)
        return had if had is not None and same else entry

    def _owned(self, call: Call, target: object, fusion: str, scope: Scope, path: _Path, node: str) -> bool:
        """Whether a call of a fusion that is used again takes no new weights; False after a report."""
        if target is call.target or not isinstance(call.target, Layer) or not call.target.weights:
            return True
        behind = call.name.removeprefix(f"{node}.")
        self.reports.add(
            scope, "GB310", f"for these branches {fusion} would need a layer {behind} of its own", path, key=True,
            node=node, hint="a fusion called again must be given branches of the shapes of its first call; or make a "
            "fusion of its own",
        )  # fmt: skip
        return False

    def _record(
        self,
        strategy: FusionStrategy,
        fused: tuple[FusedBranch, ...],
        values: Mapping[str, Value],
        merged: Value,
        scope: Scope,
        path: _Path,
        node_path: str,
        node: Node,
    ) -> None:
        self.fusions[node_path] = Fusion(
            node_path,
            strategy.name(),
            {name: getattr(strategy, name) for name in type(strategy).model_fields},
            fused,
            tuple(f"{node_path}.{suffix}" if suffix else node_path for suffix in values),
            merged,
            scope.origin(*path),
            node.about,
        )


def _inner(values: Mapping[str, Value]) -> dict[str, Bound]:
    """What lies inside a fusion, for taps such as `merged.gate` and `merged.image.pool`."""
    inner: dict[str, Any] = {}
    for suffix, value in values.items():
        if not suffix:
            continue
        here = inner
        *outer, last = suffix.split(".")
        for step in outer:
            here = here.setdefault(step, Bound({}, single=False, inner={})).inner
        if last in here:
            here[last].ports = {"0": value}
            here[last].single = True
        else:
            here[last] = Bound.of(value)
            here[last].inner = {}
    return inner


class _Gatherer:
    """Sorts what a fusion is called with into branches and what tells of their presence.

    Arguments:
        reports: told of what is wrong.
        scope: where the node stands.
        path: the keys that lead to it.
        node: its path in the graph.
        strategy: how it merges.
    """

    def __init__(self, reports: Reports, scope: Scope, path: _Path, node: str, strategy: FusionStrategy) -> None:
        self.reports = reports
        self.scope = scope
        self.where: _Path = (*path, "from")
        self.node = node
        self.strategy = strategy
        self.roles = strategy.roles()

    def gather(self, source: Any, written: Any) -> _Given | None:
        """The branches and their presence, or None after a report.

        Arguments:
            source: what the node is called with, resolved.
            written: the same as it is written.
        """
        given = _Given()
        told: Any = None
        if isinstance(source, Mapping):
            for key in source:
                if key not in {port.name for port in (*self.roles, PRESENCE)}:
                    names = [port.name for port in (*self.roles, PRESENCE)]
                    self._wrong(f"{self.strategy.name()} has no input {key}", hint=suggestion(key, names), at=key)
                    return None
            told = source.get(PRESENCE.name)
            for port in self.roles:
                items = source.get(port.name, ())
                places: list[_Path]
                if not isinstance(items, tuple):
                    items, references, places = (items,), [written[port.name]], [(port.name,)]
                else:
                    references = written[port.name] if items else []
                    places = [(port.name, index) for index in range(len(items))]
                if len(items) > 1 and not port.many:
                    message = f"{port.name} of {self.strategy.name()} is a list"
                    self._wrong(message, "one branch", "merge them first, with a fusion of their own", at=port.name)
                    return None
                for item, reference, place in zip(items, references, places, strict=True):
                    if not self._add(given, item, reference, place, self._role(port.name)):
                        return None
        else:
            items = source if isinstance(source, tuple) else (source,)
            references = written if isinstance(source, tuple) else [written]
            for index, (item, reference) in enumerate(zip(items, references, strict=True)):
                role = self.roles[min(index, len(self.roles) - 1)]
                where: _Path = (index,) if isinstance(source, tuple) else ()
                if not self._add(given, item, reference, where, self._role(role.name)):
                    return None
        if not self._enough(given, isinstance(source, Mapping)):
            return None
        return given if told is None or self._presence(given, told, written[PRESENCE.name]) else None

    def _role(self, port: str) -> str | None:
        return port if len(self.roles) > 1 else None

    def _wrong(self, message: str, expected: str | None = None, hint: str | None = None, *, at: str) -> None:
        self.reports.add(
            self.scope, "GB303", message, (*self.where, at), key=True, node=self.node, expected=expected, hint=hint
        )

    def _add(self, given: _Given, item: Any, reference: Any, place: _Path, role: str | None) -> bool:
        """Adds one branch; False after a report."""
        where = (*self.where, *place)
        if not isinstance(item, Value):
            found = "a list or mapping"
            if isinstance(item, Constant):
                found = "an array" if isinstance(item.value, list) else "a number"
            hint = "an op computes with numbers, such as {op: multiply, from: [x, 2.0]}"
            self.reports.add(
                self.scope, "GB303", f"a branch is {found}", where, node=self.node,
                expected="the name of a node or input", hint=hint if isinstance(item, Constant) else None,
            )  # fmt: skip
            return False
        name = str(reference)
        if any(branch.name == name for branch, _ in given.branches):
            self.reports.add(
                self.scope, "GB303", f"{name} stands twice among the branches", where, node=self.node, found=name,
                expected="different branches", hint="leave one out",
            )  # fmt: skip
            return False
        given.branches.append((Branch(name, item, role), where))
        return True

    def _enough(self, given: _Given, mapped: bool) -> bool:
        count = len(given.branches)
        missing = [
            port for port in self.roles if len(self.roles) > 1 and port.name not in {b.role for b, _ in given.branches}
        ]
        if count < 2 or missing:
            names = " and ".join(port.name for port in self.roles)
            hint = "write from: {inputs: [a, b], presence: {a: …}}" if mapped else "write from: [a, b]"
            if len(self.roles) > 1:
                hint = f"write from: {{{', '.join(f'{port.name}: …' for port in self.roles)}}}"
            found = f"{count} branch{'' if count == 1 else 'es'}"
            expected = "at least 2" if len(self.roles) == 1 else names
            self.reports.add(
                self.scope, "GB303", f"{self.strategy.name()} is given {found}", self.where, node=self.node,
                expected=expected, hint=hint,
            )  # fmt: skip
            return False
        return True

    def _presence(self, given: _Given, told: Any, written: Any) -> bool:
        """Sorts what tells of presence by branch; False after a report."""
        names = [branch.name for branch, _ in given.branches]
        place = (*self.where, PRESENCE.name)
        if isinstance(told, tuple) and len(told) == len(names):
            told = dict(zip(names, told, strict=True))
        if not isinstance(told, Mapping):
            self.reports.add(
                self.scope, "GB303", "presence does not say for which branch", place, node=self.node,
                expected="a mapping from branch to tensor", hint=f"write presence: {{{names[0]}: …}}",
            )  # fmt: skip
            return False
        for name in told:
            if name not in names:
                self.reports.add(
                    self.scope, "GB301", f"{name} is no branch", (*place, name), key=True, node=self.node, found=name,
                    expected=f"one of {', '.join(names)}", hint=suggestion(name, names),
                )  # fmt: skip
                return False
        for name, value in told.items():
            where = (*place, name if isinstance(written, Mapping) else names.index(name))
            if not isinstance(value, Value):
                found = "a number" if isinstance(value, Constant) else "a list or mapping"
                self.reports.add(
                    self.scope, "GB303", f"the presence of {name} is {found}", where, node=self.node,
                    expected="a tensor of 1 and 0, one for each sample",
                    hint=f"a branch that every sample has needs none: leave {name} out",
                )  # fmt: skip
                return False
            given.told[name] = value
            given.told_at[name] = where
        return True
