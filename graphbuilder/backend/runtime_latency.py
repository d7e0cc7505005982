"""How long a converted model takes for one batch."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.backend.runtime import LiteRunner, version
from graphbuilder.backend.worker_protocol import Progress

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Latency", "latency", "latency_task"]


@dataclass(frozen=True, slots=True)
class Latency:
    """How long one call took, in milliseconds.

    Arguments:
        median: half of the runs were faster.
        p90: nine of ten were faster.
        runs: how many were timed.
        warm_up: how many came before them.
        batch: samples at a time.
        threads: how many it computed with.
        cores: how many the machine has.
        runtime: what ran it.
        delegate: whether XNNPACK computed what it can.
    """

    median: float
    p90: float
    runs: int
    warm_up: int
    batch: int
    threads: int
    cores: int
    runtime: str
    delegate: bool

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def latency(
    content: bytes | Path,
    samples: Mapping[str, np.ndarray] | None = None,
    *,
    runs: int = 50,
    warm_up: int = 10,
    threads: int = 1,
    delegate: bool = True,
) -> Latency:
    """Times a model on one batch; copying it in and out is not counted.

    Arguments:
        content: the .tflite file, or its path.
        samples: inputs by name, of which the first batch is taken; None for ones. Open axes get a size of 1 then.
        runs: how many runs are timed.
        warm_up: how many come before.
        threads: how many threads it may compute with.
        delegate: whether XNNPACK computes what it can.
    """
    import numpy

    runner = LiteRunner(content, threads=threads, delegate=delegate)
    size = next(iter(runner.inputs.values())).shape[0] or 1
    given = samples or {
        name: numpy.ones((size, *(axis or 1 for axis in end.shape[1:])), "float32" if end.scale else end.dtype)
        for name, end in runner.inputs.items()
    }
    fitted = runner.fitted(given)
    chosen = numpy.arange(size) % len(next(iter(fitted.values())))
    runner.set({name: values[chosen] for name, values in fitted.items()})
    for _ in range(warm_up):
        runner.invoke()
    times = []
    for _ in range(runs):
        started = time.perf_counter_ns()
        runner.invoke()
        times.append((time.perf_counter_ns() - started) / 1e6)
    p90 = statistics.quantiles(times, n=10)[-1] if len(times) > 1 else times[0]
    return Latency(
        median=statistics.median(times),
        p90=p90,
        runs=runs,
        warm_up=warm_up,
        batch=size,
        threads=threads,
        cores=os.cpu_count() or 1,
        runtime=f"ai-edge-litert {version()}",
        delegate=delegate,
    )


def latency_task(arguments: Mapping[str, Any], report: Callable[[Progress], None]) -> dict[str, Any]:
    """The task `tflite.latency`.

    Arguments:
        arguments: `model`, a path; `samples`, the path of an .npz file or None; `runs`, `warm_up`, `threads`.
        report: told what is done.
    """
    from graphbuilder.backend.runtime_evaluation import read_arrays

    report(Progress("measuring latency"))
    options = {name: arguments[name] for name in ("runs", "warm_up", "threads", "delegate") if name in arguments}
    samples = None if arguments.get("samples") is None else read_arrays(Path(arguments["samples"]))
    return latency(Path(arguments["model"]), samples, **options).to_json()
