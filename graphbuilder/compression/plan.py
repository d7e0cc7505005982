"""The plan of a compression: for each pass and layer what will be done, or why not, before anything is touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphbuilder.compression.declared import Declared, Finding, declared_passes
from graphbuilder.compression.legality import Ruling, Verdict, ruling
from graphbuilder.compression.orders import order_of
from graphbuilder.compression.passes import Cluster, CompressionPass, LowRank, Prune, Quantize
from graphbuilder.compression.targets import Kept, Target
from graphbuilder.compression.twins import differing
from graphbuilder.errors import Diagnostic
from graphbuilder.graph import Graph

__all__ = ["CompressionPlan", "LayerPlan", "Stage", "plan_compression"]


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """What one pass will do to one layer.

    Arguments:
        layer: its path.
        kind: what it is.
        ruling: whether the pass can change it, and why not.
        options: the pass as it is for this layer.
    """

    layer: str
    kind: str
    ruling: Ruling
    options: CompressionPass

    def asked(self) -> dict[str, Any]:
        """What is asked for, as plain data: the sparsity, the number of clusters, the scheme, the rank."""
        made = self.options
        if isinstance(made, Prune):
            return {"sparsity": 0.5 if made.structure == "2:4" else made.sparsity}
        if isinstance(made, Cluster):
            return {"clusters": made.clusters}
        if isinstance(made, Quantize):
            return {"scheme": made.scheme}
        if isinstance(made, LowRank):
            return {"rank": made.rank} if made.rank is not None else {"energy": made.energy}
        return {}


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass of the plan.

    Arguments:
        number: its place, from 1.
        declared: the pass.
        layers: what is done to each layer that it selects and that owns weights, in the order of the graph.
        keeps: what earlier passes made that this one keeps, by layer and weight.
    """

    number: int
    declared: CompressionPass
    layers: tuple[LayerPlan, ...]
    keeps: Mapping[tuple[str, str], Kept] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The layers that it changes."""
        return tuple(Target(one.layer, one.options, one.ruling.weights) for one in self.layers if one.ruling.acts)

    @property
    def skipped(self) -> tuple[LayerPlan, ...]:
        """The layers that it selects and leaves as they are."""
        return tuple(one for one in self.layers if not one.ruling.acts)


@dataclass(frozen=True, slots=True)
class CompressionPlan:
    """All passes of a blueprint, in order.

    Arguments:
        model: the model's name.
        stages: the passes.
    """

    model: str
    stages: tuple[Stage, ...]


def plan_compression(graph: Graph) -> tuple[CompressionPlan, tuple[Diagnostic, ...]]:
    """The plan of a graph's passes, and what is wrong with them.

    Arguments:
        graph: the graph that declares them.
    """
    declared, found = declared_passes(graph)
    diagnostics = list(found)
    stages: list[Stage] = []
    record: dict[tuple[str, str], Kept] = {}
    for number, one in enumerate(declared, 1):
        finding = Finding(one.origin, diagnostics)
        stage = Stage(number, one.declared, tuple(_layer_plans(graph, one)), _kept(record, one.declared))
        _check_named(one, stage, finding)
        _check_order(stages, stage, finding)
        stages.append(stage)
        _remember(record, stage)
    if declared:
        diagnostics += _differing(graph)
    return CompressionPlan(graph.name, tuple(stages)), tuple(diagnostics)


def _differing(graph: Graph) -> Iterable[Diagnostic]:
    """Nodes that Keras 3 would compute otherwise than the twin, in which compression runs."""
    for node, reason in differing(graph):
        origin = graph.calls[node].origin
        yield Diagnostic(
            "GB823",
            reason,
            file=origin.source.name,
            position=origin.position(key=True),
            node=node,
            hint="use another activation, or leave the model uncompressed",
        )


def _layer_plans(graph: Graph, one: Declared) -> Iterable[LayerPlan]:
    for name in one.chosen.layers:
        layer = graph.layers[name]
        options = one.options[name]
        # A layer without weights is no news under a pattern; by name it is told.
        if layer.weights or name in one.chosen.named or one.declared.name() == "quantize":
            yield LayerPlan(name, layer.kind, ruling(options, layer), options)


def _check_named(one: Declared, stage: Stage, finding: Finding) -> None:
    """What is named outright must be changed, and a pass must change something."""
    before = len(finding.found)
    for planned in stage.layers:
        if planned.ruling.acts or planned.layer not in one.named_at:
            continue
        illegal = planned.ruling.verdict is Verdict.ILLEGAL
        code = "GB833" if illegal else "GB832"
        what = "cannot be done to" if illegal else "has no effect on"
        reason = f": {planned.ruling.reason}" if planned.ruling.reason else ""
        message = f"{one.declared.name()} {what} {planned.layer}, {planned.kind}{reason}"
        finding.add(code, message, *one.named_at[planned.layer], found=planned.layer, hint="take it out of the list")
    if not stage.targets and len(finding.found) == before:
        reasons = _reasons(stage.skipped)
        message = f"{one.declared.name()} changes no layer of the model"
        finding.add("GB835", message, key=False, hint=reasons or "its `where` leaves no layer that has weights")


def _check_order(earlier: Sequence[Stage], later: Stage, finding: Finding) -> None:
    """What a pass makes of a layer must be something that an earlier one lets it do."""
    touched = {target.layer for target in later.targets}
    name = later.declared.name()
    for stage in earlier:
        shared = [target.layer for target in stage.targets if target.layer in touched]
        order = order_of(stage.declared.name(), name, same_layer=bool(shared))
        if order.allowed or not touched:
            continue
        where = f" of {shared[0]}" + (f" and {len(shared) - 1} more" if len(shared) > 1 else "") if shared else ""
        message = f"{name} cannot follow {stage.declared.name()}{where}: {order.reason}"
        finding.add("GB834", message, "pass", hint=order.hint)
        return


def _reasons(skipped: Sequence[LayerPlan]) -> str | None:
    told = dict.fromkeys(f"{one.kind}: {one.ruling.reason}" for one in skipped if one.ruling.reason)
    return "; ".join(list(told)[:3]) or None


def _kept(record: Mapping[tuple[str, str], Kept], declared: CompressionPass) -> dict[tuple[str, str], Kept]:
    """What earlier passes made, unless the pass says that it may be lost."""
    return dict(record) if declared.preserve == "auto" else {}


def _remember(record: dict[tuple[str, str], Kept], stage: Stage) -> None:
    """Adds what a stage makes of weights to the record."""
    for target in stage.targets:
        for weight in target.weights:
            had = record.get((target.layer, weight), Kept()) if stage.declared.preserve == "auto" else Kept()
            if isinstance(target.options, Prune):
                record[target.layer, weight] = Kept(zeros=True, values=had.values)
            elif isinstance(target.options, Cluster):
                record[target.layer, weight] = Kept(zeros=had.zeros, values=True)
