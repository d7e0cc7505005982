"""What stands in a .tflite file: its operators, the nodes they come from, its tensors and their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from graphbuilder.errors import BlueprintError, Diagnostic, MissingError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LiteModel", "Operator", "Tensor", "nodes_in", "read_lite"]

# What tensorflow-model-optimization puts in front of a layer's name.
_PREFIXES = ("quant_", "prune_low_magnitude_", "cluster_")
# The types of the format's numbers, and the bits that one takes.
_BITS = {
    "FLOAT32": 32, "FLOAT16": 16, "INT32": 32, "UINT8": 8, "INT64": 64, "BOOL": 8, "INT16": 16, "INT8": 8,
    "FLOAT64": 64, "UINT64": 64, "UINT32": 32, "UINT16": 16, "INT4": 4, "UINT4": 4, "INT2": 2, "BFLOAT16": 16,
}  # fmt: skip
_NUMPY = {
    "FLOAT32": "float32", "FLOAT16": "float16", "INT32": "int32", "UINT8": "uint8", "INT64": "int64", "BOOL": "bool",
    "INT16": "int16", "INT8": "int8", "FLOAT64": "float64", "UINT64": "uint64", "UINT32": "uint32", "UINT16": "uint16",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of the converted model.

    Arguments:
        name: the operator's name in the format (`CONV_2D`), or that of a custom one (`FlexErfinv`).
        custom: whether it is none of TFLite's own.
        dtype: what its first output holds, in the format's words (`INT8`).
        nodes: the nodes of the blueprint that it comes from, as far as its tensors' names tell.
    """

    name: str
    custom: bool
    dtype: str
    nodes: tuple[str, ...]

    @property
    def flex(self) -> bool:
        """Whether it is a TensorFlow operator, which only a runtime with TensorFlow's kernels can run."""
        return self.custom and self.name.startswith("Flex")


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A constant of the converted model.

    Arguments:
        name: as the converter named it.
        nodes: the nodes that it belongs to, as far as that is known.
        dtype: what it holds, in the format's words.
        values: its numbers as they are stored, or None where NumPy has no such numbers.
        shape: its axes.
        stored_bytes: what they take in the file.
        channel_axis: the axis along which its channels lie, or None where it has none.
        zero_point: the stored number that stands for 0.
    """

    name: str
    nodes: tuple[str, ...]
    dtype: str
    values: np.ndarray | None
    shape: tuple[int, ...]
    stored_bytes: int
    channel_axis: int | None
    zero_point: int = 0

    @property
    def bits(self) -> int:
        """How many bits one of its numbers takes."""
        return _BITS.get(self.dtype, 0)

    @property
    def zeros(self) -> int | None:
        """How many of its numbers stand for 0."""
        if self.values is None:
            return None
        return int((self.values == self.zero_point).sum())

    @property
    def unique(self) -> int | None:
        """How many different numbers it holds."""
        import numpy

        return None if self.values is None else len(numpy.unique(self.values))

    @property
    def unique_per_channel(self) -> int | None:
        """The most different numbers that one of its channels holds."""
        import numpy

        if self.values is None or self.channel_axis is None:
            return None
        channels = numpy.moveaxis(self.values, self.channel_axis, 0)
        return max((len(numpy.unique(channel)) for channel in channels), default=0)


@dataclass(frozen=True, slots=True)
class LiteModel:
    """A .tflite file, read.

    Arguments:
        operators: its steps, those of inner graphs (loops) included.
        tensors: its constants.
    """

    operators: tuple[Operator, ...]
    tensors: tuple[Tensor, ...]

    @property
    def custom(self) -> tuple[Operator, ...]:
        """The operators that are none of TFLite's own."""
        return tuple(operator for operator in self.operators if operator.custom)


@cache
def _schema() -> Any:
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        message = f"ai-edge-litert cannot be imported: {error}"
        raise MissingError(Diagnostic("GB604", message, hint="pip install ai-edge-litert")) from error
    return schema_py_generated


@cache
def _names_of(kind: str) -> dict[int, str]:
    """The names of the format's enumeration of that name, by number."""
    return {value: name for name, value in vars(getattr(_schema(), kind)).items() if isinstance(value, int)}


def read_lite(content: bytes, nodes: Iterable[str] = ()) -> LiteModel:
    """Reads a .tflite file without running it.

    Arguments:
        content: the file.
        nodes: the names of the blueprint's layers and ops as they were built, to be found in the names of tensors.

    Raises:
        BlueprintError: it is no .tflite file.
        MissingError: ai-edge-litert is not installed.
    """
    schema = _schema()
    if content[4:8] != b"TFL3":
        raise BlueprintError(Diagnostic("GB815", "the content is no TFLite model"))
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
    except Exception as error:
        # The reader of flatbuffers checks nothing: a damaged file shows itself as any exception.
        raise BlueprintError(Diagnostic("GB815", f"the TFLite model is damaged: {error}")) from error
    known = {name: name for name in nodes}
    operators: list[Operator] = []
    tensors: list[Tensor] = []
    for subgraph in model.subgraphs:
        users: dict[int, tuple[str, tuple[str, ...]]] = {}
        for step in subgraph.operators or ():
            operator = _operator(model, subgraph, step, known)
            operators.append(operator)
            for index in step.inputs:
                users.setdefault(int(index), (operator.name, operator.nodes))
        for index, tensor in enumerate(subgraph.tensors):
            data = model.buffers[tensor.buffer].data
            if data is not None and len(data):
                tensors.append(_tensor(tensor, data, users.get(index), known))
    return LiteModel(tuple(operators), tuple(tensors))


def _operator(model: Any, subgraph: Any, step: Any, known: Mapping[str, str]) -> Operator:
    code = model.operatorCodes[step.opcodeIndex]
    # The newer field holds what does not fit the older, and is 0 in files of older converters.
    name = _names_of("BuiltinOperator")[max(code.builtinCode, code.deprecatedBuiltinCode)]
    custom = name == "CUSTOM"
    if custom and code.customCode is not None:
        name = code.customCode.decode()
    outputs = [subgraph.tensors[index] for index in step.outputs if index >= 0]
    around = [*outputs, *(subgraph.tensors[index] for index in step.inputs if index >= 0)]
    found: tuple[str, ...] = ()
    for tensor in around:
        found = nodes_in(_text(tensor.name), known)
        if found:
            break
    dtype = _names_of("TensorType")[outputs[0].type] if outputs else "FLOAT32"
    return Operator(name, custom, dtype, found)


def _tensor(tensor: Any, data: Any, user: tuple[str, tuple[str, ...]] | None, known: Mapping[str, str]) -> Tensor:
    import numpy

    dtype = _names_of("TensorType")[tensor.type]
    shape: tuple[int, ...] = tuple(int(size) for size in tensor.shape) if tensor.shape is not None else ()
    raw = numpy.asarray(data, dtype=numpy.uint8)
    values = None
    if dtype in _NUMPY:
        values = raw.view(_NUMPY[dtype]).reshape(shape)
    quantization = tensor.quantization
    scales: Any = () if quantization is None or quantization.scale is None else quantization.scale
    points: Any = () if quantization is None or quantization.zeroPoint is None else quantization.zeroPoint
    name = _text(tensor.name)
    axis = None
    if len(scales) > 1:
        axis = int(quantization.quantizedDimension)
    elif user is not None and len(shape) > 1:
        # An embedding's rows are ids, not channels.
        axes: dict[str, int | None] = {"DEPTHWISE_CONV_2D": len(shape) - 1, "GATHER": None}
        axis = axes.get(user[0], 0)
    nodes = nodes_in(name, known) or (user[1] if user is not None else ())
    point = int(points[0]) if len(points) == 1 else 0
    return Tensor(name, nodes, dtype, values, shape, int(raw.size), axis, point)


def _text(name: Any) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name or "")


def nodes_in(text: str, known: Mapping[str, str] | Iterable[str]) -> tuple[str, ...]:
    """The nodes that the converter's name for a tensor speaks of, in order.

    TensorFlow joins the names of scopes by slashes and those of fused steps by semicolons; the first scope is the
    model's.

    Arguments:
        text: such as `model/conv/Relu;model/conv/Conv2D`.
        known: the names of the nodes.

    Example:
        >>> nodes_in("model/conv/Relu;model/quant_bn/Mul1", ["conv", "bn", "model"])
        ('conv', 'bn')
    """
    names = set(known)
    found: dict[str, None] = {}
    for part in text.split(";"):
        steps = part.split("/")
        for step in steps[1:] if len(steps) > 1 else steps:
            bare = step.partition(":")[0]
            tries = [bare, *(bare.removeprefix(prefix) for prefix in _PREFIXES)]
            match = next((name for name in tries if name in names), None)
            if match is not None:
                found[match] = None
                break
    return tuple(found)
