"""A compression report with everything in it, of numbers that were measured once."""

from __future__ import annotations

import numpy as np

from graphbuilder.compression.report import (
    Accuracy,
    AgreementFacts,
    Artifact,
    Histogram,
    LatencyFacts,
    LayerFacts,
    Report,
    Skip,
    Stage,
)

_RUNS = [
    # Name, pass, raw, gzip, accuracy in Keras and in TFLite.
    ("as it was", None, 608_236, 560_440, 0.9911, 0.9911),
    ("prune 80 %", "prune", 608_236, 189_000, 0.9889, 0.9889),
    ("cluster 16", "cluster", 608_236, 71_300, 0.9911, 0.9911),
    ("quantize int8, aware in training", "quantize", 158_512, 38_069, 0.9956, 0.9933),
]


def sample_report() -> Report:
    """Four stages on digits."""
    random = np.random.default_rng(0)
    dense = random.normal(0, 0.05, 8_000)
    pruned = np.where(np.abs(dense) < np.quantile(np.abs(dense), 0.8), 0, dense)
    clustered = np.round(pruned / 0.02) * 0.02
    stages = []
    for number, (name, declared, raw, gzip, keras, lite) in enumerate(_RUNS):
        values = (dense, pruned, clustered, clustered)[number]
        layers = tuple(
            LayerFacts(
                node=node,
                kind=kind,
                parameters=parameters,
                macs=macs,
                asked_sparsity=0.8 if number else None,
                sparsity=0.8 - 0.002 * index if number else 0.0,
                asked_clusters=16 if number > 1 else None,
                unique=16 if number > 1 else parameters,
                unique_per_channel=16 if number > 1 else parameters // 32,
                bits=8 if number > 2 else 32,
                histogram=Histogram.of(values * (1 + index)),
            )
            for index, (node, kind, parameters, macs) in enumerate(
                [
                    ("conv1", "Conv2D", 288, 10_368),
                    ("encoder.2.<attention>", "Conv2D", 18_432, 294_912),
                    ("hidden", "Dense", 131_072, 131_072),
                ]
            )
        )
        stages.append(
            Stage(
                name=name,
                pass_name=declared,
                seconds=12.5 * number,
                parameters=151_594,
                macs=437_632,
                layers=layers,
                skips=(Skip(node="norm", pass_name="prune", reason="it has no kernel"),) if number == 1 else (),
                artifacts=(
                    Artifact(path=f"{number}.tflite", kind="tflite", scheme="int8" if number > 2 else "float32",
                             raw=raw, gzip=gzip, predicted_raw=raw + 500, predicted_gzip=gzip + 900),
                ),
                accuracy=(Accuracy(output="answer", metric="accuracy", keras=keras, lite=lite, samples=450),),
                agreement=(AgreementFacts(output="answer", scale=1.0, typical=0.012, largest=0.2, samples=450),),
                latency=LatencyFacts(median=0.12, p90=0.15, runs=50, warm_up=10, batch=1, threads=1, cores=2,
                                     runtime="ai-edge-litert 2.3.0", delegate=True),
                notes=("The step of 80 % was reached after 3 epochs & kept.",) if number == 1 else (),
            )
        )  # fmt: skip
    return Report(
        name="digits",
        blueprint="blueprints/digits.yaml",
        versions={"graphbuilder": "0.1.0", "tensorflow": "2.21.0"},
        seed=0,
        stages=tuple(stages),
    )
