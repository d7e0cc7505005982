"""Runs a .tflite model in ai-edge-litert, by the names of its inputs and outputs. No TensorFlow here.

A damaged model can kill the process; the task `tflite.evaluate` does all this in a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.errors import BlueprintError, Diagnostic, MissingError, suggestion

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LiteEnd", "LiteRunner", "version"]

# Samples at a time where the model leaves their number open.
_BATCH = 32


@dataclass(frozen=True, slots=True)
class LiteEnd:
    """An input or output of a .tflite model.

    Arguments:
        name: as the signature has it.
        index: the tensor's number.
        shape: its axes; None is open.
        dtype: NumPy's name of what it holds.
        scale: what a stored 1 is worth, or None where the numbers are plain.
        zero_point: the stored number that stands for 0.
    """

    name: str
    index: int
    shape: tuple[int | None, ...]
    dtype: str
    scale: float | None
    zero_point: int

    def stored(self, values: np.ndarray) -> np.ndarray:
        """Plain numbers as the model takes them."""
        import numpy

        if self.scale is None or values.dtype.kind != "f":
            return values.astype(self.dtype)
        limits = numpy.iinfo(self.dtype)
        found = numpy.round(values.astype("float64") / self.scale) + self.zero_point
        return numpy.clip(found, limits.min, limits.max).astype(self.dtype)

    def plain(self, values: np.ndarray) -> np.ndarray:
        """What the model gives as plain numbers."""
        if self.scale is None:
            return values
        found: np.ndarray = ((values.astype("float32") - self.zero_point) * self.scale).astype("float32")
        return found


def version() -> str:
    """The version of ai-edge-litert that is installed."""
    from importlib.metadata import version as installed

    return installed("ai-edge-litert")


class LiteRunner:
    """A .tflite model, ready to run.

    Arguments:
        content: the file, or its path.
        threads: how many threads it may compute with.
        delegate: whether XNNPACK computes what it can, as it does by default wherever the runtime is used.

    Raises:
        BlueprintError: it is no .tflite model, or needs operators that the runtime lacks.
        MissingError: ai-edge-litert is not installed.
    """

    def __init__(self, content: bytes | Path, *, threads: int = 1, delegate: bool = True) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ImportError as error:
            message = f"ai-edge-litert cannot be imported: {error}"
            raise MissingError(Diagnostic("GB604", message, hint="pip install ai-edge-litert")) from error
        held = content if isinstance(content, bytes) else _read(content)
        if held[4:8] != b"TFL3":
            raise BlueprintError(Diagnostic("GB815", "the content is no TFLite model"))
        kind = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self.threads = threads
        try:
            self._interpreter = Interpreter(model_content=held, num_threads=threads, experimental_op_resolver_type=kind)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise _unrunnable(error) from error
        self.inputs = self._ends("inputs", self._interpreter.get_input_details())
        self.outputs = self._ends("outputs", self._interpreter.get_output_details())

    def _ends(self, side: str, details: list[dict[str, Any]]) -> dict[str, LiteEnd]:
        """The inputs or outputs by their names in the signature, or by those of their tensors where there is none."""
        signatures = self._interpreter.get_signature_list()
        named = {detail["name"]: detail for detail in details}
        if len(signatures) == 1:
            ((key, names),) = signatures.items()
            runner = self._interpreter.get_signature_runner(key)
            found = runner.get_input_details() if side == "inputs" else runner.get_output_details()
            named = {name: found[name] for name in names[side]}
        ends = {}
        for name, detail in named.items():
            scale, point = detail["quantization"]
            axes = tuple(None if size < 0 else int(size) for size in detail["shape_signature"])
            dtype = str(detail["dtype"].__name__)
            ends[name] = LiteEnd(name, int(detail["index"]), axes, dtype, float(scale) or None, int(point))
        return ends

    def predict(
        self, samples: Mapping[str, np.ndarray], *, progress: Callable[[int, int], None] | None = None
    ) -> dict[str, np.ndarray]:
        """What the model gives for samples, each computed as if it were the first.

        Arguments:
            samples: an array for each input, samples first; plain numbers also where the model takes integers.
            progress: told how many samples are done, and how many there are.

        Raises:
            BlueprintError: the arrays do not fit the inputs, or the model fails.
        """
        import numpy

        given = self.fitted(samples)
        total = len(next(iter(given.values())))
        size = next(iter(self.inputs.values())).shape[0]
        size = _BATCH if size is None else size
        found: dict[str, list[np.ndarray]] = {name: [] for name in self.outputs}
        for start in range(0, total, size):
            real = min(size, total - start)
            chosen = numpy.arange(start, start + size) % total if self._fixed else numpy.arange(start, start + real)
            self.set({name: values[chosen] for name, values in given.items()})
            self.invoke()
            for name, end in self.outputs.items():
                found[name].append(end.plain(self._interpreter.get_tensor(end.index))[:real])
            if progress is not None:
                progress(start + real, total)
        return {name: numpy.concatenate(parts) for name, parts in found.items()}

    @property
    def _fixed(self) -> bool:
        """Whether the number of samples at a time is fixed."""
        return all(end.shape[0] is not None for end in self.inputs.values())

    def set(self, samples: Mapping[str, np.ndarray]) -> None:
        """Puts one batch, whose arrays fit, in the model's inputs."""
        sized = False
        for name, values in samples.items():
            index = self.inputs[name].index
            if tuple(self._interpreter.get_tensor_details()[index]["shape"]) != values.shape:
                self._interpreter.resize_tensor_input(index, values.shape)
                sized = True
        if sized:
            self._interpreter.allocate_tensors()
        for name, values in samples.items():
            self._interpreter.set_tensor(self.inputs[name].index, values)

    def invoke(self) -> None:
        """Computes once, from a fresh state: the state of a recurrent layer would else live on from sample to sample.

        Raises:
            BlueprintError: the model fails.
        """
        try:
            self._interpreter.reset_all_variables()
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise _unrunnable(error) from error

    def fitted(self, samples: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The arrays as the model takes them.

        Raises:
            BlueprintError: with everything that does not fit.
        """
        import numpy

        problems = [
            Diagnostic("GB816", f"there is no array for the input {name}", hint=suggestion(name, list(samples)))
            for name in self.inputs
            if name not in samples
        ]
        found = {}
        for name, values in samples.items():
            end = self.inputs.get(name)
            if end is None:
                hint = suggestion(name, list(self.inputs))
                problems.append(Diagnostic("GB816", f"the model has no input {name}", hint=hint))
                continue
            array = numpy.asarray(values)
            fits = array.ndim == len(end.shape) and all(
                want is None or want == have for want, have in zip(end.shape[1:], array.shape[1:], strict=True)
            )
            if not fits:
                expected = " × ".join(["samples", *("any" if size is None else str(size) for size in end.shape[1:])])
                message = f"the array for {name} has the shape {list(array.shape)}"
                problems.append(Diagnostic("GB816", message, node=name, expected=expected))
            elif array.dtype.kind not in "biuf":
                problems.append(Diagnostic("GB816", f"the array for {name} holds {array.dtype}", expected=end.dtype))
            else:
                found[name] = end.stored(array)
        if len({len(values) for values in found.values()}) > 1:
            problems.append(Diagnostic("GB816", "the arrays have unequal numbers of samples"))
        elif any(len(values) == 0 for values in found.values()):
            problems.append(Diagnostic("GB816", "there is no sample"))
        if problems:
            raise BlueprintError(problems)
        return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BlueprintError(Diagnostic("GB815", f"{path} cannot be read: {error.strerror or error}")) from error


def _unrunnable(error: Exception) -> BlueprintError:
    reason = " ".join(str(error).split())[:400]
    hint = None
    if "flex" in reason.casefold() or "custom op" in reason.casefold() or "Select TensorFlow op" in reason:
        hint = "it has operators of TensorFlow, which ai-edge-litert does not run; convert it without allow_flex"
    return BlueprintError(Diagnostic("GB815", f"the runtime refuses the TFLite model: {reason}", hint=hint))
