"""What else could be done to the branches of a fusion: each tried by lowering the whole blueprint with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from graphbuilder.blueprint import Document, FuseNode
from graphbuilder.catalog import Inputs, Misfit, TensorType
from graphbuilder.catalog.tensor import elements, is_float
from graphbuilder.errors import Diagnostic
from graphbuilder.fusion import Branch, FusionStrategy, plan, strategies
from graphbuilder.fusion.adapters import ADAPTERS, MOST_TOKENS, Adapter
from graphbuilder.graph import FusedBranch, Fusion, Graph
from graphbuilder.graph.model import Locator
from graphbuilder.lowering import try_lower

__all__ = ["MOST_TRIED", "Alternative", "alternatives_of"]

_Chain: TypeAlias = tuple[Adapter, ...]

# How many alternatives of a branch are lowered; a blueprint of 200 nodes takes about 10 ms for each.
MOST_TRIED = 10

# A vector of more numbers than this is no sensible alternative: what comes behind it would get hundreds of millions of
# parameters.
_MOST_NUMBERS = 65_536

# Steps along each axis of a map that becomes a sequence: 16 × 16 places are as many as a Vision Transformer takes.
_SIDE = round(MOST_TOKENS**0.5)


@dataclass(frozen=True, slots=True)
class Alternative:
    """Something else that could be done to a branch.

    Arguments:
        written: the line to write in the fusion's node, such as `align: {image: max_pool}`.
        adapters: what is done, in order, each as `align:` writes it.
        does: what the adapters do, in one line.
        branch: what the branch would be merged as.
        merged: what the fusion would give.
        parameters: how many more numbers the model's weights would hold; None where unknown.
        macs: how many more multiply-accumulates one sample would take; None where unknown.
        others: what would be done to the other branches that is not done to them now: how each is merged, by name.
    """

    written: str
    adapters: tuple[str, ...]
    does: str
    branch: TensorType
    merged: TensorType
    parameters: int | None
    macs: int | None
    others: Mapping[str, TensorType | None]


def alternatives_of(
    document: Document, graph: Graph, fusion: Fusion, params: Mapping[str, Any] | None
) -> dict[str, tuple[Alternative, ...]]:
    """What else could be done to each branch, by the branch's name.

    Arguments:
        document: the user's file.
        graph: its graph.
        fusion: one of the graph's.
        params: the values that the file's params were set to.
    """
    kind = strategies.get(fusion.strategy)
    node = _node_at(document, fusion.origin.source, fusion.origin.path)
    if kind is None or not isinstance(node, FuseNode) or any(branch.value.type is None for branch in fusion.branches):
        return {}
    trial = _Trial(document, graph, fusion, kind.model_construct(**fusion.options), node, params)
    return {branch.name: tuple(trial.alternatives(branch)) for branch in fusion.branches}


class _Trial:
    """Tries adapters on the branches of one fusion.

    Arguments:
        document: the user's file.
        graph: its graph.
        fusion: one of the graph's.
        strategy: its way of merging.
        node: the node as it is written.
        params: the values that the file's params were set to.
    """

    def __init__(
        self,
        document: Document,
        graph: Graph,
        fusion: Fusion,
        strategy: FusionStrategy,
        node: FuseNode,
        params: Mapping[str, Any] | None,
    ) -> None:
        self.document = document
        self.graph = graph
        self.fusion = fusion
        self.strategy = strategy
        self.node = node
        self.params = params
        self.branches = [Branch(each.name, each.value, each.role) for each in fusion.branches]
        asked = strategy.align
        self.stated: dict[str, _Chain] = dict(asked) if isinstance(asked, Mapping) else {}
        steps = plan(strategy, self.branches).steps
        names = [branch.name for branch in self.branches]
        self.now = {name: tuple(step.adapter for step in done) for name, done in zip(names, steps, strict=True)}

    def alternatives(self, branch: FusedBranch) -> Iterator[Alternative]:
        """The candidates for one branch that compile."""
        seen = {self.now[branch.name]}
        tried = 0
        for chain in _candidates(branch, self.now[branch.name]):
            if chain in seen or tried >= MOST_TRIED:
                continue
            seen.add(chain)
            align = {**self.stated, branch.name: chain}
            planned = self._planned(align)
            if planned is None:
                continue
            if planned[branch.name] == branch.adapted.type and self._others(planned, branch):
                # What is as good for this branch should leave the others as they are.
                kept = {name: done for name, done in self.now.items() if done and name != branch.name}
                align = {**align, **kept} if self._planned({**align, **kept}) is not None else align
            tried += 1
            found = self._lowered(branch, chain, align)
            if found is not None:
                yield found

    def _planned(self, align: Mapping[str, _Chain]) -> dict[str, TensorType] | None:
        """How the branches would be merged; None where they do not fit."""
        try:
            steps = plan(self.strategy, self.branches, align).steps
        except Misfit:
            return None
        return {
            branch.name: done[-1].gives if done else branch.type
            for branch, done in zip(self.branches, steps, strict=True)
        }

    def _others(self, planned: Mapping[str, TensorType | None], branch: FusedBranch) -> dict[str, TensorType | None]:
        """The other branches that would be merged as something else than now."""
        return {
            other.name: planned[other.name]
            for other in self.fusion.branches
            if other.name != branch.name and planned[other.name] != other.adapted.type
        }

    def _lowered(self, branch: FusedBranch, chain: _Chain, align: Mapping[str, _Chain]) -> Alternative | None:
        """The alternative, if the whole blueprint compiles with it and no warning blames it."""
        origin = self.fusion.origin
        data = {name: [_data(adapter) for adapter in adapters] for name, adapters in align.items()}
        node = self.node.model_copy(update={"align": data})
        lowered = try_lower(_with_node(self.document, origin.source, origin.path, node), self.params)
        after = lowered.graph.fusions.get(self.fusion.name) if lowered.graph is not None else None
        if lowered.graph is None or after is None or any(self._blames(found) for found in lowered.diagnostics):
            return None
        merged = {each.name: each.adapted.type for each in after.branches}
        adapted = merged[branch.name]
        if adapted is None or after.gives.type is None:
            return None
        return Alternative(
            _line(align),
            tuple(adapter.written for adapter in chain),
            "; then ".join(ADAPTERS[adapter.name].about for adapter in chain) or "as it is",
            adapted,
            after.gives.type,
            _more(self.graph.parameters, lowered.graph.parameters),
            _more(_macs(self.graph), _macs(lowered.graph)),
            self._others(merged, branch),
        )

    def _blames(self, found: Diagnostic) -> bool:
        """Whether a warning says that what was tried does not suit."""
        return found.code == "GB311" and (found.node or "").startswith(f"{self.fusion.name}.")


def _candidates(branch: FusedBranch, now: _Chain) -> Iterator[_Chain]:
    """What is worth trying on a branch, the plainest first; a chain that does not fit its type is left out.

    Arguments:
        branch: the branch.
        now: what is done to it now.
    """
    given, adapted = branch.value.type, branch.adapted.type
    assert given is not None
    plain: list[_Chain] = [(Adapter(name),) for name in _plain(branch, given)]
    chains = list(plain)
    width = adapted.shape[-1] if adapted is not None else None
    if any(adapter.name == "project" for adapter in now) and isinstance(width, int):
        project = Adapter("project", width)
        chains += [(project,), *((*chain, project) for chain in plain)]
    if given.rank == 4 and branch.value.modalities != ("audio",):
        known = [axis for axis in given.shape[1:-1] if isinstance(axis, int)]
        side = min(_SIDE, max(known, default=2) // 2)
        chains += [(Adapter("shrink", most), Adapter("tokens")) for most in (side, side // 2) if most > 1]
        chains += [(Adapter("shrink", 2), Adapter("flatten"))]
    if given.rank >= 4 and branch.value.modalities != ("image",):
        start = Adapter("frames") if given.rank >= 5 else Adapter("steps")
        chains += [(start, Adapter("pool")), (start, Adapter("max_pool")), (start, Adapter("last"))]
    if given.rank == 3 and given.shape[1] != 1 and not branch.value.masked:
        chains += [(Adapter("shrink", 8), Adapter("flatten"))]
    if adapted is not None and adapted.rank == 3 and given.rank >= 3:
        chains += [(Adapter("pool"), Adapter("token"))]  # all of it as one step
    chains += [()]
    for chain in chains:
        first = () if is_float(given.dtype) else (Adapter("cast"),)
        if _sensible(given, (*first, *chain)):
            yield (*first, *chain)


def _plain(branch: FusedBranch, given: TensorType) -> list[str]:
    """The adapters without an option that make sense for a type and modality."""
    image = branch.value.modalities == ("image",)
    # The last step of a sequence that has a mask is padding as often as not.
    names = {
        2: ["token"],
        3: ["pool", "max_pool", *([] if branch.value.masked else ["last"]), "flatten"],
        4: ["pool", "max_pool", "tokens", *([] if image else ["steps"]), "flatten"],
    }
    return names.get(given.rank, ["frames", "pool", "max_pool"] if given.rank >= 5 else ["expand"])


def _sensible(given: TensorType, chain: _Chain) -> bool:
    """Whether a chain fits a type, and does not make it longer than what comes behind could bear."""
    here = given
    for adapter in chain:
        try:
            entry = adapter.entry(here)
            gives = entry.outputs(Inputs({entry.ports[0].name: here}))
        except Misfit:
            return False
        if not isinstance(gives, TensorType) or (adapter.name == "shrink" and gives.shape == here.shape):
            return False
        here = gives
        numbers = elements(here.shape[1:])
        if here.rank == 2 and given.rank > 2 and (numbers is None or numbers > _MOST_NUMBERS):
            return False
    return True


def _data(adapter: Adapter) -> Any:
    """An adapter as plain data, as a blueprint holds it."""
    if adapter.option is None:
        return adapter.name
    option = adapter.option
    return {adapter.name: list(option) if isinstance(option, tuple) else option}


def _line(align: Mapping[str, _Chain]) -> str:
    """The option `align` as a blueprint writes it, on one line."""
    parts = []
    for name, adapters in align.items():
        texts = [adapter.written for adapter in adapters] or ["none"]
        parts.append(f"{name}: {texts[0]}" if len(texts) == 1 else f"{name}: [{', '.join(texts)}]")
    return f"align: {{{', '.join(parts)}}}"


def _node_at(document: Document, source: Locator, path: tuple[str | int, ...]) -> Any:
    """The node at a place of the file or of one that it imports; None where there is none."""
    holder = _holder(document, source)
    here: Any = holder.blueprint if holder is not None else None
    for step in path:
        here = here.get(step) if isinstance(here, dict) else getattr(here, str(step), None)
    return here


def _holder(document: Document, source: Locator) -> Document | None:
    if document.source is source:
        return document
    return next((found for each in document.imports.values() if (found := _holder(each, source)) is not None), None)


def _with_node(document: Document, source: Locator, path: tuple[str | int, ...], node: FuseNode) -> Document:
    """The document with another node at a place of it, or of a file that it imports."""
    if document.source is source:
        return replace(document, blueprint=_replaced(document.blueprint, path, node))
    imports = {name: _with_node(each, source, path, node) for name, each in document.imports.items()}
    return replace(document, imports=imports)


def _replaced(part: Any, path: tuple[str | int, ...], node: FuseNode) -> Any:
    if not path:
        return node
    step, *rest = path
    if isinstance(part, dict):
        return {**part, step: _replaced(part[step], tuple(rest), node)}
    return part.model_copy(update={str(step): _replaced(getattr(part, str(step)), tuple(rest), node)})


def _macs(graph: Graph) -> int | None:
    known = [call.macs for call in graph.calls.values()]
    return None if None in known else sum(macs for macs in known if macs is not None)


def _more(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before
