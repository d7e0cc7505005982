"""A plan as plain data, to be written beside a model, read back and compared; and the sizes that it predicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from graphbuilder.compression.conversions import Scheme
from graphbuilder.compression.options import ConstantSchedule, PolynomialSchedule
from graphbuilder.compression.passes import Cluster, CompressionPass, Prune, Quantize
from graphbuilder.compression.plan import CompressionPlan, LayerPlan, Stage
from graphbuilder.compression.sizes import PredictedSize, predict_size
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.graph import Graph
from graphbuilder.text import Source, TextLimits, parse
from graphbuilder.text.files import read_bytes

__all__ = [
    "PLAN_VERSION",
    "plan_data",
    "plan_differences",
    "predicted_sizes",
    "read_plan",
    "require_plan",
    "scheme_of",
]

# The version of the form that `plan_data` gives.
PLAN_VERSION: Literal[1] = 1

# Options that a plan has elsewhere, layer by layer, or that change nothing of what is done.
_ELSEWHERE = frozenset({"where", "overrides", "search", "about"})


def scheme_of(plan: CompressionPlan) -> Scheme:
    """The scheme that the model is converted under: that of the pass that quantizes, else floats."""
    schemes: list[Scheme] = [
        stage.declared.scheme for stage in plan.stages if isinstance(stage.declared, Quantize) and stage.targets
    ]
    return schemes[-1] if schemes else "float32"


def predicted_sizes(plan: CompressionPlan, graph: Graph) -> tuple[PredictedSize, PredictedSize]:
    """What the model comes to as a .tflite file before and after all passes that change no shape."""
    sparsity: dict[str, float] = {}
    clusters: dict[str, int] = {}
    floats: set[str] = set()
    for stage in plan.stages:
        if isinstance(stage.declared, Quantize) and stage.declared.in_training and stage.targets:
            floats = set(graph.layers) - {target.layer for target in stage.targets}
        for target in stage.targets:
            options = target.options
            if isinstance(options, Prune):
                share = 0.5 if options.structure == "2:4" else options.sparsity or 0.0
                # Zeros that an earlier pass made stay, unless this one may lose them.
                had = sparsity.get(target.layer, 0.0) if options.preserve == "auto" else 0.0
                sparsity[target.layer] = max(had, share)
            elif isinstance(options, Cluster):
                clusters[target.layer] = options.clusters
    after = predict_size(graph, scheme_of(plan), sparsity=sparsity, clusters=clusters, floats=floats)
    return predict_size(graph, "float32"), after


def plan_data(plan: CompressionPlan, graph: Graph) -> dict[str, Any]:
    """The plan as {plan, model, stages, predicted}.

    Arguments:
        plan: the plan.
        graph: the graph that it is for.
    """
    before, after = predicted_sizes(plan, graph)
    return {
        "plan": PLAN_VERSION,
        "model": plan.model,
        "stages": [_stage(stage) for stage in plan.stages],
        "predicted": {
            "scheme": scheme_of(plan),
            "before": _size(before),
            "after": _size(after),
            "error": {"raw": after.raw_error, "gzip": after.gzip_error},
        },
    }


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "stage": stage.number,
        "pass": stage.declared.name(),
        "does": stage.declared.label(),
        "options": _options(stage.declared),
        "layers": [_layer(one) for one in stage.layers if one.ruling.acts],
        "skipped": [_skip(one) for one in stage.skipped],
        "left_out": [_skip(one) for one in stage.left_out],
        "keeps": sorted({layer for layer, _ in stage.keeps}),
    }


def _options(declared: CompressionPass) -> dict[str, Any]:
    """The options of a pass as a blueprint would write them, defaults included."""
    return {name: _written(getattr(declared, name)) for name in type(declared).model_fields if name not in _ELSEWHERE}


def _written(value: Any) -> Any:
    """An option as JSON has it."""
    if isinstance(value, (ConstantSchedule, PolynomialSchedule)):
        name = "constant" if isinstance(value, ConstantSchedule) else "polynomial"
        return {name: asdict(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return {key: _written(item) for key, item in asdict(value).items()}
    return list(value) if isinstance(value, tuple) else value


def _layer(one: LayerPlan) -> dict[str, Any]:
    found: dict[str, Any] = {
        "layer": one.layer,
        "kind": one.kind,
        "verdict": str(one.ruling.verdict),
        "weights": list(one.ruling.weights),
        "asked": {name: _written(value) for name, value in one.asked().items()},
    }
    if one.ruling.reason is not None:
        found["reason"] = one.ruling.reason
    return found


def _skip(one: LayerPlan) -> dict[str, Any]:
    return {"layer": one.layer, "kind": one.kind, "reason": one.ruling.reason or str(one.ruling.verdict)}


def _size(size: PredictedSize) -> Mapping[str, int]:
    return {"raw": size.raw, "gzip": size.gzip}


class _Part(BaseModel):
    """A part of a written plan. Keys of a later version are let be."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _WrittenLayer(_Part):
    layer: str
    kind: str
    weights: list[str]
    asked: dict[str, Any]


class _WrittenSkip(_Part):
    layer: str
    kind: str
    reason: str


class _WrittenStage(_Part):
    stage: int
    does: str
    options: dict[str, Any]
    layers: list[_WrittenLayer]
    skipped: list[_WrittenSkip]
    keeps: list[str]


class _WrittenPlan(_Part):
    plan: int
    model: str
    stages: list[_WrittenStage]


def read_plan(path: Path) -> Mapping[str, Any]:
    """Reads a plan that `compress --dry-run -o` wrote, as `plan_data` gave it.

    Arguments:
        path: the file.

    Raises:
        BlueprintError: it cannot be read, is no JSON, is of another version or is no plan (GB818).
    """
    return _read(path)[1]


def _read(path: Path) -> tuple[Source, Mapping[str, Any]]:
    limits = TextLimits()
    source = parse(read_bytes(str(path), str(path), limits), name=str(path), syntax="json", limits=limits)
    data = source.data
    if not isinstance(data, dict) or "plan" not in data:
        hint = "graphbuilder compress FILE --dry-run -o plan.json writes one"
        raise BlueprintError(
            Diagnostic(
                "GB818", "it is no plan of a compression", file=source.name, position=source.nearest(()), hint=hint
            )
        )
    if data["plan"] != PLAN_VERSION:
        raise BlueprintError(
            Diagnostic(
                "GB818",
                f"the plan is of version {data['plan']}",
                file=source.name,
                position=source.position(("plan",)),
                expected=f"version {PLAN_VERSION}",
                hint="write it anew with graphbuilder compress FILE --dry-run -o",
            )
        )
    try:
        _WrittenPlan.model_validate(data)
    except ValidationError as error:
        raise BlueprintError(
            [
                Diagnostic(
                    "GB818",
                    f"{'.'.join(map(str, found['loc']))} is {'missing' if found['type'] == 'missing' else 'wrong'}",
                    file=source.name,
                    position=source.nearest(found["loc"]),
                    hint="write it anew with graphbuilder compress FILE --dry-run -o",
                )
                for found in error.errors(include_url=False)[:20]
            ]
        ) from error
    return source, data


# A difference in words, and the keys that lead to what was written.
_Difference: TypeAlias = tuple[tuple[str | int, ...], str]


def plan_differences(written: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """How a plan differs from another, in words. Predicted sizes and the wording of reasons are not compared.

    Arguments:
        written: the earlier plan, as `read_plan` gives it.
        now: the later one, as `plan_data` gives it.

    Example:
        >>> stage = {"stage": 1, "does": "cluster 16", "options": {}, "skipped": [], "keeps": []}
        >>> layer = {"layer": "hidden", "kind": "Dense", "weights": ["kernel"], "asked": {"clusters": 16}}
        >>> written = {"plan": 1, "model": "m", "stages": [{**stage, "layers": [layer]}]}
        >>> now = {"plan": 1, "model": "m", "stages": [{**stage, "layers": [{**layer, "asked": {"clusters": 32}}]}]}
        >>> plan_differences(written, now)
        ('stage 1, hidden: clusters was 16 and is 32 now',)
    """
    return tuple(words for _, words in _differences(written, now))


def require_plan(path: Path, plan: CompressionPlan, graph: Graph) -> None:
    """Makes sure that a plan is the one that was written.

    Arguments:
        path: the file with the plan that is wanted.
        plan: the plan as the blueprint declares it now.
        graph: the graph that it is for.

    Raises:
        BlueprintError: the file is no plan (GB818), or the plan is another one now (GB819): each difference at its
            place in the file.
    """
    source, written = _read(path)
    found = [
        Diagnostic(
            "GB819",
            words,
            file=source.name,
            position=source.nearest(place),
            hint="undo the change, or write the plan anew with graphbuilder compress FILE --dry-run -o",
        )
        for place, words in _differences(written, plan_data(plan, graph))
    ]
    if found:
        raise BlueprintError(found)


def _differences(written: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[_Difference]:
    if written["model"] != now["model"]:
        yield ("model",), f"the model was {written['model']} and is {now['model']} now"
    before, after = written["stages"], now["stages"]
    for index, (one, other) in enumerate(zip(before, after, strict=False)):
        yield from _stage_differences(("stages", index), one, other)
    for index, one in enumerate(before[len(after) :], len(after)):
        yield ("stages", index), f"stage {one['stage']}, {one['does']}, is gone"
    for other in after[len(before) :]:
        yield ("stages",), f"stage {other['stage']}, {other['does']}, was not there"


def _stage_differences(
    place: tuple[str | int, ...], one: Mapping[str, Any], other: Mapping[str, Any]
) -> Iterator[_Difference]:
    stage = f"stage {one['stage']}"
    if one.get("pass") != other.get("pass"):
        # Nothing of the two can be compared.
        yield (*place, "does"), f"{stage} was {one['does']} and is {other['does']} now"
        return
    yield from _changed((*place, "options"), stage, one["options"], other["options"])
    before, after = _by_layer(one), _by_layer(other)
    for name, (key, index, layer) in before.items():
        here = (*place, key, index)
        if name not in after:
            yield here, f"{stage}, {name}: was {_became(key)} and is not touched now"
            continue
        found, _, there = after[name]
        if layer["kind"] != there["kind"]:
            yield (*here, "kind"), f"{stage}, {name}: was a {layer['kind']} and is a {there['kind']} now"
        elif found != key:
            reason = f": {there['reason']}" if found == "skipped" else ""
            yield here, f"{stage}, {name}: was {_became(key)} and is {_became(found)} now{reason}"
        elif key == "layers":
            yield from _changed((*here, "asked"), f"{stage}, {name}", layer["asked"], there["asked"])
            if layer["weights"] != there["weights"]:
                listed = [", ".join(each["weights"]) or "none" for each in (layer, there)]
                yield (*here, "weights"), f"{stage}, {name}: weights were {listed[0]} and are {listed[1]} now"
    for name, (key, _, _) in after.items():
        if name not in before:
            yield place, f"{stage}, {name}: was not touched and is {_became(key)} now"
    if one["keeps"] != other["keeps"]:
        lost = _missing(one["keeps"], other["keeps"])
        new = _missing(other["keeps"], one["keeps"])
        words = [f"no longer keeps what earlier passes made of {lost}"] * bool(lost)
        words += [f"now keeps what earlier passes made of {new}"] * bool(new)
        yield (*place, "keeps"), f"{stage}: {' and '.join(words) or 'keeps the same in another order'}"


def _by_layer(stage: Mapping[str, Any]) -> dict[str, tuple[str, int, Mapping[str, Any]]]:
    """What becomes of each layer: the list that it stands in, its place there and what is said of it."""
    return {
        layer["layer"]: (key, index, layer) for key in ("layers", "skipped") for index, layer in enumerate(stage[key])
    }


def _became(key: str) -> str:
    return {"layers": "changed", "skipped": "skipped"}[key]


def _missing(one: Sequence[str], other: Sequence[str]) -> str:
    return ", ".join(name for name in one if name not in other)


def _changed(
    place: tuple[str | int, ...], what: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[_Difference]:
    """Values of one mapping that differ in another."""
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name), after.get(name)
        if one != other:
            yield (*place, name), f"{what}: {name} was {_shown(one)} and is {_shown(other)} now"


def _shown(value: Any) -> str:
    from graphbuilder.catalog.arguments import as_written

    return as_written(value)
