"""The plan of a compression: for each pass and layer what will be done, or why not, before anything is touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphbuilder.compression.conversions import ConversionRuling, Scheme, rulings
from graphbuilder.compression.declared import Declared, Finding, declared_passes
from graphbuilder.compression.kernels import kernels_of
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
            asked: dict[str, Any] = {"sparsity": 0.5 if made.structure == "2:4" else made.sparsity}
            return asked if made.structure == "unstructured" else {**asked, "structure": made.structure}
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
        left_out: what becomes of the layers with kernels that it does not select, where the conversion to 8 bits after
            it changes those too.
    """

    number: int
    declared: CompressionPass
    layers: tuple[LayerPlan, ...]
    keeps: Mapping[tuple[str, str], Kept] = field(default_factory=dict)
    left_out: tuple[LayerPlan, ...] = ()

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
        layers = tuple(_layer_plans(graph, one))
        left_out = tuple(_left_out(graph, one, layers))
        stage = Stage(number, one.declared, layers, _kept(record, one.declared), left_out)
        if not _check_whole(graph, one, finding):
            _check_named(one, stage, finding)
        _check_order(stages, stage, finding)
        stages.append(stage)
        _remember(record, stage)
    if declared:
        diagnostics += _differing(graph)
        diagnostics += _unconvertible(graph, stages)
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


def _unconvertible(graph: Graph, stages: Sequence[Stage]) -> Iterable[Diagnostic]:
    """Nodes that TFLite's converter cannot take, as floats, for comparison, or as the passes have the model."""
    quantizing = [stage for stage in stages if isinstance(stage.declared, Quantize)]
    ways: list[tuple[str, Mapping[str, ConversionRuling]]] = [("TFLite", rulings(graph, "float32"))]
    for stage in quantizing[-1:]:
        scheme, aware = _converted(stage.declared)
        trained = {target.layer for target in stage.targets} if aware else None
        ways.append((f"TFLite under {scheme}", rulings(graph, scheme, trained=trained)))
    told: set[str] = set()
    for what, found in ways:
        for name, conversion in found.items():
            if conversion.legal or name in told:
                continue
            told.add(name)
            origin = graph.layers[name].origin
            yield Diagnostic(
                "GB811",
                f"{graph.layers[name].kind} cannot be converted to {what}: {conversion.reason}",
                file=origin.source.name,
                position=origin.position(key=True),
                node=name,
                hint=conversion.fix,
            )


def _converted(declared: CompressionPass) -> tuple[Scheme, bool]:
    """The scheme that a pass has the model converted under, and whether training was aware of it."""
    assert isinstance(declared, Quantize)
    return declared.scheme, declared.in_training


def _layer_plans(graph: Graph, one: Declared) -> Iterable[LayerPlan]:
    found: Mapping[str, ConversionRuling] = {}
    if isinstance(one.declared, Quantize):
        scheme, aware = _converted(one.declared)
        found = rulings(graph, scheme, trained=set(one.chosen.layers) if aware else None)
        if aware:
            # What cannot be trained for 8 bits tells on what it feeds.
            acting = [
                name
                for name in one.chosen.layers
                if ruling(one.declared, graph.layers[name], conversion=found[name]).acts
            ]
            fed = rulings(graph, scheme, trained=set(acting))
            found = {name: fed[name] if name in acting else conversion for name, conversion in found.items()}
    for name in one.chosen.layers:
        layer = graph.layers[name]
        options = one.options[name]
        # A layer without weights is no news under a pattern; by name it is told.
        if layer.weights or name in one.chosen.named or one.declared.name() == "quantize":
            yield LayerPlan(name, layer.kind, ruling(options, layer, conversion=found.get(name)), options)


def _left_out(graph: Graph, one: Declared, layers: Sequence[LayerPlan]) -> Iterable[LayerPlan]:
    """What becomes of the layers that training for 8 bits does not touch, and that are converted all the same."""
    if not isinstance(one.declared, Quantize) or not one.declared.in_training:
        return
    trained = {planned.layer for planned in layers if planned.ruling.acts}
    # Of these it is told already that they stay floats.
    told = {planned.layer for planned in layers if planned.ruling.verdict is not Verdict.ILLEGAL}
    for name, conversion in rulings(graph, one.declared.scheme, trained=trained).items():
        layer = graph.layers[name]
        if name not in told and conversion.legal and kernels_of(layer):
            yield LayerPlan(name, layer.kind, Ruling(Verdict.NO_EFFECT, conversion.reason), one.declared)


def _check_whole(graph: Graph, one: Declared, finding: Finding) -> bool:
    """Whether a pass is confined to some layers, although it has the whole model converted; if so, that is told."""
    declared = one.declared
    if not isinstance(declared, Quantize) or declared.in_training:
        return False
    spared = [
        name for name, layer in graph.layers.items() if name not in one.chosen.layers and ruling(declared, layer).acts
    ]
    if not spared:
        return False
    others = f" and {len(spared) - 1} more" if len(spared) > 1 else ""
    message = f"{declared.label()} after training converts the whole model, and `where` leaves out {spared[0]}{others}"
    hint = "leave `where` out"
    if declared.scheme == "int8":
        hint += ", or write aware: true, which trains only the chosen layers for 8 bits"
    finding.add("GB836", message, "where", key=True, hint=hint)
    return True


def _check_named(one: Declared, stage: Stage, finding: Finding) -> None:
    """What is named outright must be changed, and a pass must change something."""
    before = len(finding.found)
    after_training = isinstance(one.declared, Quantize) and not one.declared.in_training
    for planned in stage.layers:
        if planned.ruling.acts or planned.layer not in one.named_at:
            continue
        illegal = planned.ruling.verdict is Verdict.ILLEGAL
        if illegal and after_training:
            # Told of at the node, which cannot be converted whether it is named or not.
            continue
        code = "GB833" if illegal else "GB832"
        what = "cannot be done to" if illegal else "has no effect on"
        reason = f": {planned.ruling.reason}" if planned.ruling.reason else ""
        message = f"{one.declared.name()} {what} {planned.layer}, {planned.kind}{reason}"
        hint = planned.ruling.fix or "take it out of the list"
        finding.add(code, message, *one.named_at[planned.layer], found=planned.layer, hint=hint)
    unconverted = after_training and any(planned.ruling.verdict is Verdict.ILLEGAL for planned in stage.layers)
    if not stage.targets and not unconverted and len(finding.found) == before:
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
