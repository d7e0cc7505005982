"""Everything that is measured of a .tflite file: predictions, how good and how faithful they are, and its tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.backend.runtime import LiteRunner
from graphbuilder.backend.runtime_flatbuffer import Tensor, read_lite
from graphbuilder.backend.runtime_metrics import ALLOWED_DIFFERENCE, agreement, measure, refuse_disagreement
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.errors import BlueprintError, Diagnostic

if TYPE_CHECKING:
    import numpy as np

__all__ = ["TensorFacts", "evaluate_task", "read_arrays", "tensor_facts"]


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """One constant of a converted model, in numbers.

    Arguments:
        name: as the converter named it.
        nodes: the nodes that it belongs to.
        shape: its axes.
        dtype: what it holds, in the format's words.
        bits: how many bits one number takes.
        size: how many numbers it holds.
        stored_bytes: what they take in the file.
        zeros: how many stand for 0, or None where they cannot be read.
        unique: how many different ones there are.
        unique_per_channel: the most that one channel holds, or None where there are no channels.
    """

    name: str
    nodes: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    bits: int
    size: int
    stored_bytes: int
    zeros: int | None
    unique: int | None
    unique_per_channel: int | None


def tensor_facts(content: bytes, nodes: Iterable[str] = ()) -> tuple[TensorFacts, ...]:
    """The constants of a .tflite file, in numbers.

    Arguments:
        content: the file.
        nodes: the names that layers were built under.

    Raises:
        BlueprintError: it is no .tflite file.
    """
    return tuple(_facts(tensor) for tensor in read_lite(content, nodes).tensors)


def _facts(tensor: Tensor) -> TensorFacts:
    size = 1
    for axis in tensor.shape:
        size *= axis
    return TensorFacts(
        tensor.name,
        tensor.nodes,
        tensor.shape,
        tensor.dtype,
        tensor.bits,
        size,
        tensor.stored_bytes,
        tensor.zeros,
        tensor.unique,
        tensor.unique_per_channel,
    )


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file; pickled ones are refused.

    Raises:
        BlueprintError: it cannot be read.
    """
    import numpy

    try:
        with numpy.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise BlueprintError(Diagnostic("GB816", f"{path} cannot be read: {error}")) from error


def evaluate_task(arguments: Mapping[str, Any], report: Callable[[Progress], None]) -> dict[str, Any]:
    """The task `tflite.evaluate`.

    Arguments:
        arguments: `model`, a path; `scheme`; `samples`, the path of an .npz file with an array for each input;
            `targets`, one for each measured output, or None; `metrics`, a metric by output; `from_logits`,
            the outputs that give logits; `expected`, what the
            original gives, or None; `predictions`, where to write what the model gives, or None; `threads`;
            `delegate`; `nodes`, the names that layers were built under, with their paths; `refuse`, whether a model
            that disagrees is an error.
        report: told how many samples are done.

    Returns:
        `metrics` by output, `agreement` and `tensors`.
    """
    import numpy

    path = Path(arguments["model"])
    samples = read_arrays(Path(arguments["samples"]))
    runner = LiteRunner(path, threads=arguments.get("threads", 1), delegate=arguments.get("delegate", True))

    def tell(done: int, total: int) -> None:
        if done == total or done % max(1, total // 20) == 0:
            report(Progress("running the TFLite model", done, total))

    found = runner.predict(samples, progress=tell)
    if arguments.get("predictions") is not None:
        numpy.savez(arguments["predictions"], **found)  # type: ignore[arg-type]  # names of outputs, not of options
    result: dict[str, Any] = {"metrics": {}, "agreement": [], "samples": len(next(iter(found.values())))}
    if arguments.get("expected") is not None:
        compared = agreement(read_arrays(Path(arguments["expected"])), found)
        result["agreement"] = [item.to_json() for item in compared]
        if arguments.get("refuse", True):
            refuse_disagreement(compared, arguments["scheme"], arguments.get("allowed", ALLOWED_DIFFERENCE))
    if arguments.get("targets") is not None:
        targets = read_arrays(Path(arguments["targets"]))
        logits = arguments.get("from_logits", ())
        for output, metric in arguments["metrics"].items():
            result["metrics"][output] = measure(metric, found[output], targets[output], from_logits=output in logits)
    nodes = arguments.get("nodes") or {}
    facts = tensor_facts(path.read_bytes(), nodes)
    result["tensors"] = [{**asdict(item), "nodes": [nodes[name] for name in item.nodes]} for item in facts]
    return result
