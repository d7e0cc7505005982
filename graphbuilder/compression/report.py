"""What compressing a model did, as data that is written to `report.json` and loads again.

Every number is measured, or None where it was not; nothing is left out silently: what a pass did not touch is in
`skips`, with the reason.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphbuilder.errors import BlueprintError, Diagnostic

__all__ = [
    "SCHEMA_VERSION",
    "Accuracy",
    "AgreementFacts",
    "Artifact",
    "BudgetFacts",
    "Histogram",
    "LatencyFacts",
    "LayerFacts",
    "Report",
    "Skip",
    "Stage",
    "load_report",
    "save_report",
]

# Raised when a field changes its meaning or goes; a new field with a default does not raise it.
SCHEMA_VERSION: Literal[1] = 1

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    """What all parts of a report have in common. Fields of a later version are let be."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings", allow_inf_nan=True)


class Histogram(_Part):
    """How a layer's weights are spread.

    Arguments:
        low: where the first bin begins.
        high: where the last one ends.
        counts: how many weights lie in each; bins are equally wide.
    """

    low: float
    high: float
    counts: tuple[Count, ...]

    @classmethod
    def of(cls, values: Any, bins: int = 40) -> Histogram | None:
        """The histogram of an array, or None of an empty one, or of one that holds what is no number."""
        import numpy

        flat = numpy.asarray(values, "float64").reshape(-1)
        if not flat.size or not numpy.isfinite(flat).all():
            return None
        counts, edges = numpy.histogram(flat, bins=bins)
        return cls(low=float(edges[0]), high=float(edges[-1]), counts=tuple(int(count) for count in counts))


class LayerFacts(_Part):
    """What became of one layer in one stage; of its kernels, where nothing else is said.

    Arguments:
        node: its path.
        kind: as a blueprint writes it.
        parameters: the numbers of its kernels.
        macs: multiply-accumulates of its calls for one sample.
        asked_sparsity: the share of zeros that was asked for.
        sparsity: the share that it has.
        asked_clusters: how many different values were asked for.
        unique: how many it has, over the whole tensor with the most.
        unique_per_channel: the most in one channel.
        bits: how many one stored number takes.
        rank: the width between two layers that took the place of it.
        histogram: how its weights are spread.
    """

    node: str
    kind: str
    parameters: Count = 0
    macs: Count | None = None
    asked_sparsity: Share | None = None
    sparsity: Share | None = None
    asked_clusters: Count | None = None
    unique: Count | None = None
    unique_per_channel: Count | None = None
    bits: Count | None = None
    rank: Count | None = None
    histogram: Histogram | None = None


class Skip(_Part):
    """A layer that a pass did not touch.

    Arguments:
        node: its path.
        pass_name: the pass, as the blueprint writes it.
        reason: why, in one clause.
    """

    node: str
    pass_name: str
    reason: str


class Artifact(_Part):
    """A file that was written.

    Arguments:
        path: relative to the report.
        kind: `keras`, `weights` or `tflite`.
        scheme: what a .tflite file computes with.
        raw: its bytes.
        gzip: those that gzip makes of it.
        gzip_level: the level of gzip.
        predicted_raw: what was predicted before the run.
        predicted_gzip: the same after gzip.
    """

    path: str
    kind: str
    scheme: str | None = None
    raw: Count
    gzip: Count
    gzip_level: Count = 9
    predicted_raw: Count | None = None
    predicted_gzip: Count | None = None


class Accuracy(_Part):
    """How good a stage is.

    Arguments:
        output: which output is judged.
        metric: how.
        keras: in Keras, with the weights of the stage.
        lite: in the TFLite runtime, with the stage's .tflite file.
        samples: how many samples were judged.
    """

    output: str
    metric: str
    keras: float | None = None
    lite: float | None = None
    samples: Count


class AgreementFacts(_Part):
    """How far the .tflite file's output is from Keras's, over the samples that were compared.

    Arguments:
        output: its name.
        scale: the largest number, in size, that Keras gives.
        typical: the root of the mean squared difference, in the channel in which it is largest.
        largest: the largest difference.
        samples: how many samples were compared.
    """

    output: str
    scale: float
    typical: float
    largest: float
    samples: Count


class LatencyFacts(_Part):
    """How long one call takes, in milliseconds, on the machine that made the report."""

    median: float
    p90: float
    runs: Count
    warm_up: Count
    batch: Count
    threads: Count
    cores: Count
    runtime: str
    delegate: bool


class BudgetFacts(_Part):
    """One bound of a budget, and whether it was held.

    Arguments:
        name: the bound, such as `accuracy_drop`.
        asked: what it allows at most, or for a ratio wants at least.
        found: what was measured, or None where it was not.
        held: whether it was held; what was not measured was not.
        detail: the numbers that it comes of, or why it was not measured.
    """

    name: str
    asked: float
    found: float | None = None
    held: bool
    detail: str | None = None


class Stage(_Part):
    """The model after one pass; the first stage is the model as it was given.

    Arguments:
        name: what was done, such as `prune 80 %`.
        pass_name: the pass, as the blueprint writes it; None for the first stage.
        seconds: how long it took.
        parameters: the numbers of all weights.
        macs: multiply-accumulates for one sample.
        layers: what became of each layer with kernels.
        skips: the layers that the pass left alone.
        artifacts: the files that were written.
        accuracy: how good it is.
        evaluation: the loss and the metrics of the blueprint, as Keras measures them.
        agreement: how faithful its .tflite file is.
        latency: how fast its .tflite file is.
        notes: what else is worth knowing, a sentence each.
    """

    name: str
    pass_name: str | None = None
    seconds: float | None = None
    parameters: Count | None = None
    macs: Count | None = None
    layers: tuple[LayerFacts, ...] = ()
    skips: tuple[Skip, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    accuracy: tuple[Accuracy, ...] = ()
    evaluation: dict[str, float] = Field(default_factory=dict)
    agreement: tuple[AgreementFacts, ...] = ()
    latency: LatencyFacts | None = None
    notes: tuple[str, ...] = ()

    def artifact(self, kind: str = "tflite") -> Artifact | None:
        """The first file of a kind."""
        return next((item for item in self.artifacts if item.kind == kind), None)


class Report(_Part):
    """What compressing a model did, stage by stage.

    Arguments:
        schema_version: of this format.
        name: the model's.
        blueprint: the file that declared it.
        versions: of graphbuilder and the libraries, by name.
        seed: what the run was seeded with.
        stages: in order; the first is the model as it was given.
        budget: the bounds that it was judged by.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    name: str
    blueprint: str | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    seed: int | None = None
    stages: tuple[Stage, ...]
    budget: tuple[BudgetFacts, ...] = ()


def save_report(report: Report, path: Path) -> Path:
    """Writes `report.json`, whole or not at all; the same report gives the same bytes."""
    text = json.dumps(report.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False) + "\n"
    made = path.with_name(f".{path.name}.part")
    made.write_text(text, encoding="utf-8")
    made.replace(path)
    return path


def load_report(path: Path) -> Report:
    """Reads a report.

    Raises:
        BlueprintError: it cannot be read, is of a later version, or is no report.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BlueprintError(Diagnostic("GB817", f"{path} cannot be read: {error}")) from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        message = f"{path} is of version {version}" if version is not None else f"{path} is no compression report"
        hint = "read it with the graphbuilder that wrote it" if isinstance(version, int) else None
        raise BlueprintError(Diagnostic("GB817", message, expected=f"schema_version {SCHEMA_VERSION}", hint=hint))
    try:
        return Report.model_validate(data)
    except ValidationError as error:
        problems = [
            Diagnostic("GB817", f"{path}: {'.'.join(map(str, found['loc']))}: {found['msg']}")
            for found in error.errors()[:20]
        ]
        raise BlueprintError(problems) from error
