"""Functions of TensorFlow in a Keras 2 model, as ops of Keras 3.

Keras 2 saves a function by its name, its first argument by position and all others by name. What has no counterpart
is handed on under TensorFlow's names, and refused where ops become nodes, at its place like everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from graphbuilder.importers.described import DescribedCall, DescribedLayer, DescribedTensor, Given
from graphbuilder.importers.problems import NotCarried

__all__ = ["OPERATIONS", "OPERATION_MODULE", "described_operation", "fixed_sizes", "free_name", "parted", "picked"]

# The classes that stand for a function.
OPERATIONS = ("SlicingOpLambda", "TFOpLambda")
OPERATION_MODULE = "keras.ops"
# Where TensorFlow has its functions; the same ones stand in several of these.
_MODULES = ("compat.v1.", "compat.v2.", "keras.activations.", "math.", "nn.", "linalg.", "__operators__.")

# Of a tensor of TensorFlow.
_MOST_AXES = 254

_Calls = Iterator[DescribedLayer]


def free_name(wanted: str, taken: set[str]) -> str:
    """A name that is not taken, which it is from then on.

    Example:
        >>> free_name("input", {"input", "input_2"})
        'input_3'
    """
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name


def fixed_sizes(shape: Given) -> list[int] | None:
    """The sizes to reshape to, with -1 for the only one that is computed; None where more are computed.

    Example:
        >>> fixed_sizes([DescribedTensor("batch"), 7, 64])
        [-1, 7, 64]
    """
    if not isinstance(shape, list):
        return None
    found = [-1 if isinstance(size, DescribedTensor) else size for size in shape]
    return found if all(type(size) is int for size in found) and found.count(-1) < 2 else None  # type: ignore[return-value]


def described_operation(
    name: str, function: str, first: Given, keywords: Mapping[str, Given], sizes: list[int] | None = None
) -> _Calls:
    """The ops that compute what a function of TensorFlow does; the last bears the name.

    Arguments:
        name: of the result.
        function: its name, below `tf`.
        first: what it is called with by position.
        keywords: what it is called with by name.
        sizes: what its `shape` amounts to, where it has one and that is known.

    Raises:
        NotCarried: the file does not say what the function is called with.

    Example:
        >>> [op.kind for op in described_operation("m", "linalg.matmul", DescribedTensor("x"), {"b": 2.0})]
        ['matmul']
    """
    short = _short(function)
    given: dict[str, Given] = {key: value for key, value in keywords.items() if key != "name" and value is not None}
    if sizes is not None and short == "reshape":
        given["shape"] = [*sizes]
    if short in _SPECIAL:
        yield from _SPECIAL[short](name, first, given)
        return
    kind, names, ignored = _PLAIN.get(short, (short, {}, {}))
    known = {names.get(key, key): value for key, value in given.items() if key not in ignored or ignored[key] != value}
    yield _op(name, kind, first, known)


def parted(function: str, keywords: Mapping[str, Any]) -> int | None:
    """The axis along which a function parts a tensor in as many parts as there are, however many that is.

    The op needs the number, which the file does not say, so each part is picked by its index.

    Arguments:
        function: its name, below `tf`.
        keywords: what it is called with by name.
    """
    axis = keywords.get("axis") or 0
    if _short(function) != "unstack" or keywords.get("num") is not None or type(axis) is not int:
        return None
    return axis if abs(axis) <= _MOST_AXES else None


def picked(name: str, first: Given, axis: int, index: int) -> DescribedLayer:
    """The op that picks one part of a tensor.

    Arguments:
        name: of the result.
        first: the tensor.
        axis: the axis along which it is parted.
        index: which part.
    """
    whole: list[Given] = [slice(None)]
    key = [*whole * axis, index] if axis >= 0 else [..., index, *whole * (-1 - axis)]
    return _op(name, "get_item", first, {"key": key})


def _short(function: str) -> str:
    for module in _MODULES:
        function = function.removeprefix(module)
    return function


def _op(name: str, kind: str, first: Given, keywords: Mapping[str, Given]) -> DescribedLayer:
    return DescribedLayer(name, kind, OPERATION_MODULE, calls=(DescribedCall((first,), keywords),))


def _renamed(
    kind: str, ignored: Mapping[str, Any] | None = None, /, **names: str
) -> tuple[str, Mapping[str, str], Mapping[str, Any]]:
    """A function that is one op: what its arguments are called there, and those that change nothing."""
    return kind, names, ignored or {}


_AXES = {"reduction_indices": "axis", "keep_dims": "keepdims"}
_PLAIN: dict[str, tuple[str, Mapping[str, str], Mapping[str, Any]]] = {
    **{
        theirs: _renamed(ours, y="x2")
        for theirs, ours in {
            "add": "add",
            "subtract": "subtract",
            "sub": "subtract",
            "multiply": "multiply",
            "mul": "multiply",
            "divide": "divide",
            "truediv": "divide",
            "floor_div": "floor_divide",
            "floordiv": "floor_divide",
            "floormod": "mod",
            "mod": "mod",
            "pow": "power",
            "maximum": "maximum",
            "minimum": "minimum",
            "equal": "equal",
            "eq": "equal",
            "not_equal": "not_equal",
            "ne": "not_equal",
            "greater": "greater",
            "greater_equal": "greater_equal",
            "less": "less",
            "less_equal": "less_equal",
            "logical_and": "logical_and",
            "logical_or": "logical_or",
            "logical_xor": "logical_xor",
        }.items()
    },
    **{
        theirs: _renamed(theirs.removeprefix("reduce_"), None, **_AXES)
        for theirs in (
            "reduce_mean reduce_sum reduce_prod reduce_max reduce_min reduce_std reduce_all reduce_any".split()
        )
    },
    "reduce_variance": _renamed("var"),
    "reduce_logsumexp": _renamed("logsumexp", None, **_AXES),
    "cumsum": _renamed("cumsum", {"exclusive": False, "reverse": False}),
    "cumprod": _renamed("cumprod", {"exclusive": False, "reverse": False}),
    "clip_by_value": _renamed("clip", clip_value_min="x_min", clip_value_max="x_max"),
    "leaky_relu": _renamed("leaky_relu", alpha="negative_slope"),
    "swish": _renamed("silu", {"beta": 1.0}),
    "silu": _renamed("silu", {"beta": 1.0}),
    "top_k": _renamed("top_k", {"index_type": "int32"}),
    "expand_dims": _renamed("expand_dims", dim="axis"),
    "squeeze": _renamed("squeeze", squeeze_dims="axis"),
    "reshape": _renamed("reshape", shape="newshape"),
    "transpose": _renamed("transpose", {"conjugate": False}, perm="axes"),
    "tile": _renamed("tile", multiples="repeats"),
    "reverse": _renamed("flip"),
    "concat": _renamed("concatenate"),
    "depth_to_space": _renamed("depth_to_space", {"data_format": "NHWC"}),
    "space_to_depth": _renamed("space_to_depth", {"data_format": "NHWC"}),
    "ones_like": _renamed("ones_like", {"optimize": True}),
    "zeros_like": _renamed("zeros_like", {"optimize": True}),
    "where": _renamed("where", x="x1", y="x2"),
}


def _with_default(kind: str, **defaults: Any) -> Callable[[str, Given, dict[str, Given]], _Calls]:
    """A function that is one op with other defaults."""

    def calls(name: str, first: Given, given: dict[str, Given]) -> _Calls:
        yield _op(name, kind, first, {**defaults, **given})

    return calls


def _position(kind: str) -> Callable[[str, Given, dict[str, Given]], _Calls]:
    """TensorFlow counts along the first axis and in 64 bits; Keras over all elements and in 32."""

    def calls(name: str, first: Given, given: dict[str, Given]) -> _Calls:
        dtype = given.pop("output_type", "int64")
        before = f"{name}_{kind}"
        yield _op(before, kind, first, {"axis": given.pop("axis", given.pop("dimension", 0)), **given})
        yield _op(name, "cast", DescribedTensor(before), {"dtype": dtype})

    return calls


def _matmul(name: str, first: Given, given: dict[str, Given]) -> _Calls:
    second = given.pop("b", None)
    for side, value in (("a", first), ("b", second)):
        if given.pop(f"transpose_{side}", False):
            before = f"{name}_{side}"
            yield _op(before, "swapaxes", value, {"axis1": -2, "axis2": -1})
            first, second = (DescribedTensor(before), second) if side == "a" else (first, DescribedTensor(before))
    kept = {key: value for key, value in given.items() if value is not False}
    yield _op(name, "matmul", first, {"x2": second, **kept})


def _get_item(name: str, first: Given, given: dict[str, Given]) -> _Calls:
    spec = given.pop("slice_spec", None)
    key = [_index(part) for part in spec] if isinstance(spec, list) else [_index(spec)]
    yield _op(name, "get_item", first, {"key": key, **given})


def _index(part: Given) -> Given:
    if isinstance(part, dict):
        return ... if part.get("class_name") == "__ellipsis__" else slice(*(part.get(end) for end in _SLICE))
    return part


_SLICE = ("start", "stop", "step")


def _split(name: str, first: Given, given: dict[str, Given]) -> _Calls:
    """TensorFlow parts by the sizes of the parts, Keras by where they begin."""
    parts = given.pop("num_or_size_splits", None)
    if isinstance(parts, list) and all(type(size) is int for size in parts):
        parts = [*accumulate(parts[:-1])]
    yield _op(name, "split", first, {"indices_or_sections": parts, "axis": 0, **given})


def _gather(name: str, first: Given, given: dict[str, Given]) -> _Calls:
    if given.get("batch_dims") == 0:
        del given["batch_dims"]
    yield _op(name, "take", first, {"axis": 0, **given})


def _pad(name: str, first: Given, given: dict[str, Given]) -> _Calls:
    mode = str(given.pop("mode", "constant")).lower()
    value = given.pop("constant_values", 0)
    named: dict[str, Given] = {"pad_width": given.pop("paddings", None), "mode": mode}
    if mode == "constant" and value:
        named["constant_values"] = value
    yield _op(name, "pad", first, {**named, **given})


def _one_hot(name: str, first: Given, given: dict[str, Given]) -> _Calls:
    kept = {key: value for key, value in given.items() if (key, value) not in (("on_value", 1), ("off_value", 0))}
    yield _op(name, "one_hot", first, {"num_classes": kept.pop("depth", None), **kept})


def _squared_difference(name: str, first: Given, given: dict[str, Given]) -> _Calls:
    before = f"{name}_difference"
    yield _op(before, "subtract", first, {"x2": given.get("y")})
    yield _op(name, "square", DescribedTensor(before), {})


def _norm(name: str, first: Given, given: dict[str, Given]) -> _Calls:
    if given.get("ord") == "euclidean":
        del given["ord"]
    yield _op(name, "norm", first, given)


def _l2_normalize(name: str, first: Given, given: dict[str, Given]) -> _Calls:
    """TensorFlow bounds the sum of squares, Keras its root."""
    epsilon = given.pop("epsilon", 1e-12)
    root = epsilon**0.5 if isinstance(epsilon, (int, float)) and epsilon >= 0 else epsilon
    yield _op(name, "normalize", first, {"order": 2, "epsilon": root, **given})


def _einsum(name: str, first: Given, given: dict[str, Given]) -> _Calls:
    raise NotCarried(
        "Keras 2 saves a call of tf.einsum without the tensors that it was called with, and cannot load it either",
        "use a layer EinsumDense or Dot, or tf.matmul",
        layer=name,
    )


def _identity(name: str, first: Given, given: dict[str, Given]) -> _Calls:
    yield DescribedLayer(name, "Identity", "keras.layers", calls=(DescribedCall((first,), given),))


_SPECIAL: dict[str, Callable[[str, Given, dict[str, Given]], _Calls]] = {
    "argmax": _position("argmax"),
    "argmin": _position("argmin"),
    "einsum": _einsum,
    "gather": _gather,
    "gelu": _with_default("gelu", approximate=False),
    "getitem": _get_item,
    "identity": _identity,
    "l2_normalize": _l2_normalize,
    "matmul": _matmul,
    "norm": _norm,
    "one_hot": _one_hot,
    "pad": _pad,
    "split": _split,
    "squared_difference": _squared_difference,
}
