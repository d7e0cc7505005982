"""What shipped blueprints come to as .tflite files, with and without zeros and shared values."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.backend.supervision import run_task
from graphbuilder.backend.worker_protocol import Progress, TaskKind

__all__ = ["sizes_measured"]

TASK = {"test.sizes": TaskKind("tests.support.size_runs:size_run", legacy_keras=True)}


def size_run(arguments: Mapping[str, Any], report: Callable[[Progress], None]) -> Any:
    """Converts one blueprint under several schemes, with random weights of some sparsity and number of values."""
    import numpy as np
    import tf_keras

    from graphbuilder.api import lower
    from graphbuilder.backend.build import build
    from graphbuilder.backend.converting import Conversion, convert_exported, export_model
    from graphbuilder.backend.converting_names import names_of_graph
    from graphbuilder.compression.sizes import file_size

    tf_keras.utils.set_random_seed(0)
    graph = lower(arguments["blueprint"])
    model = build(graph, keras=2, compiled=False)
    random = np.random.default_rng(0)
    for weight in model.trainable_weights:
        if len(weight.shape) > 1:
            # Trained weights are spread like this, and not evenly, as fresh ones are.
            values = random.normal(0, 0.05, weight.shape)
            least = np.quantile(np.abs(values), arguments["sparsity"])
            kept = np.abs(values) > least
            if arguments["clusters"] is not None:
                centres = np.quantile(
                    values[kept], (np.arange(arguments["clusters"] - 1) + 0.5) / arguments["clusters"]
                )
                values = centres[np.abs(values[..., None] - centres).argmin(-1)]
            weight.assign(np.where(kept, values, 0) if arguments["sparsity"] else values)
    samples = {}
    for name, given in graph.inputs.items():
        kind = given.value.type
        assert kind is not None
        shape = (2, *(size if isinstance(size, int) else 5 for size in kind.shape[1:]))
        whole = kind.dtype.startswith("int")
        samples[name] = (random.integers(0, 8, shape) if whole else random.normal(size=shape)).astype(kind.dtype)
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = export_model(model, Path(scratch) / "exported", names_of_graph(graph))
        for scheme in arguments["schemes"]:
            report(Progress(scheme))
            size = file_size(convert_exported(folder, Conversion(scheme), samples).content)
            found[scheme] = [size.raw, size.gzip]
    return found


def sizes_measured(
    blueprint: Path, schemes: list[str], sparsity: float = 0.0, clusters: int | None = None
) -> Iterator[tuple[str, int, int]]:
    """Each scheme with the raw and the gzip size of the blueprint's .tflite file."""
    arguments = {"blueprint": str(blueprint), "schemes": schemes, "sparsity": sparsity, "clusters": clusters}
    for scheme, (raw, gzip) in run_task("test.sizes", arguments, allow=TASK, threads=1).value.items():
        yield scheme, raw, gzip
