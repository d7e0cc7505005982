"""The ways to reshape one branch so that it fits others: one call of a layer or op each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

from graphbuilder.catalog import Entry, LayerEntry, Misfit, OpEntry, TensorType, layers, ops
from graphbuilder.catalog.tensor import elements, shape_text

__all__ = ["ADAPTERS", "MOST_TOKENS", "Adapter", "AdapterKind", "layer_entry", "op_entry"]

# How many positions a map or a long sequence is shrunk to before attention, whose cost grows with their square: the
# 16 × 16 patches of a Vision Transformer (Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929).
MOST_TOKENS = 256


def layer_entry(kind: str, **arguments: Any) -> LayerEntry:
    """A layer of the catalog with these arguments."""
    found = layers.get(kind)
    assert found is not None, kind
    return found.model_validate(arguments)


def op_entry(kind: str, **arguments: Any) -> OpEntry:
    """An op of the catalog with these arguments."""
    found = ops.get(kind)
    assert found is not None, kind
    return found.model_validate(arguments)


@dataclass(frozen=True, slots=True)
class AdapterKind:
    """A way to reshape a branch.

    Arguments:
        name: as `align:` writes it.
        about: what it does, in one line.
        make: the layer or op for a branch, given its type and the adapter's option.
        option: what kind of option it needs: "units", "size" or None.
    """

    name: str
    about: str
    make: Callable[[TensorType, Any], Entry]
    option: str | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """A way to reshape a branch, with its option.

    Arguments:
        name: a key of `ADAPTERS`.
        option: its option, or None where it has none.
    """

    name: str
    option: Any = None

    @property
    def written(self) -> str:
        """As a blueprint writes it.

        Example:
            >>> Adapter("pool").written, Adapter("project", 64).written
            ('pool', '{project: 64}')
        """
        if self.option is None:
            return self.name
        option = f"[{', '.join(map(str, self.option))}]" if isinstance(self.option, tuple) else self.option
        return f"{{{self.name}: {option}}}"

    def entry(self, tensor: TensorType) -> LayerEntry | OpEntry:
        """The layer or op that does it to a tensor.

        Raises:
            Misfit: it cannot be done to such a tensor.
        """
        found = ADAPTERS[self.name].make(tensor, self.option)
        assert isinstance(found, (LayerEntry, OpEntry))
        return found


def _positions(tensor: TensorType) -> int:
    """How many axes stand between the batch and the features."""
    return tensor.rank - 2


def _misfit(name: str, tensor: TensorType, expected: str) -> Misfit:
    return Misfit(
        f"{name} cannot be done to {shape_text(tensor.shape)}", found=shape_text(tensor.shape), expected=expected
    )


def _pooling(name: str, layer: str, op: str) -> Callable[[TensorType, Any], Entry]:
    def make(tensor: TensorType, option: Any) -> Entry:
        axes = _positions(tensor)
        if axes < 1:
            raise _misfit(name, tensor, "(batch, …, features) with an axis to pool over")
        if axes <= 3:
            return layer_entry(f"{layer}{axes}D")
        return op_entry(op, axis=list(range(1, axes + 1)))

    return make


def _flatten(tensor: TensorType, option: Any) -> Entry:
    if tensor.rank < 3:
        raise _misfit("flatten", tensor, "(batch, …, features) with an axis to flatten")
    return layer_entry("Flatten")


def _tokens(tensor: TensorType, option: Any) -> Entry:
    features = tensor.shape[-1]
    if tensor.rank < 4 or not isinstance(features, int):
        raise _misfit("tokens", tensor, "(batch, height, width, features) or more axes, with known features")
    return layer_entry("Reshape", target_shape=[elements(tensor.shape[1:-1]) or -1, features])


def _steps(tensor: TensorType, option: Any) -> Entry:
    features = elements(tensor.shape[2:])
    if tensor.rank < 4 or features is None:
        raise _misfit("steps", tensor, "(batch, time, …, features), all but time known")
    time = tensor.shape[1]
    return layer_entry("Reshape", target_shape=[time if isinstance(time, int) else -1, features])


def _frames(tensor: TensorType, option: Any) -> Entry:
    if tensor.rank < 5:
        raise _misfit("frames", tensor, "(batch, time, height, width, features)")
    return op_entry("mean", axis=list(range(2, tensor.rank - 1)))


def _token(tensor: TensorType, option: Any) -> Entry:
    if tensor.rank != 2 or not isinstance(tensor.shape[1], int):
        raise _misfit("token", tensor, "(batch, features) with known features")
    return layer_entry("Reshape", target_shape=[1, tensor.shape[1]])


def _last(tensor: TensorType, option: Any) -> Entry:
    if tensor.rank < 3:
        raise _misfit("last", tensor, "(batch, steps, …, features)")
    return op_entry("get_item", key=":, -1")


def _expand(tensor: TensorType, option: Any) -> Entry:
    return op_entry("expand_dims", axis=-1)


def _cast(tensor: TensorType, option: Any) -> Entry:
    if tensor.dtype == "string":
        raise Misfit(
            "cast cannot be done to strings", found="string", expected="numbers",
            hint="look the strings up before they reach the model, and give the input dtype: int32", code="GB305",
        )  # fmt: skip
    return op_entry("cast", dtype="float32")


def _project(tensor: TensorType, units: Any) -> Entry:
    if tensor.rank < 2 or not isinstance(tensor.shape[-1], int):
        raise _misfit("project", tensor, "(batch, …, features) with known features")
    return layer_entry("Dense", units=units)


def _resize(tensor: TensorType, size: Any) -> Entry:
    """Whole multiples and fractions are done by layers that every converter knows."""
    have = tensor.shape[1:-1]
    rank = len(have)
    if not 1 <= rank <= 3 or len(size) != rank:
        raise _misfit("resize", tensor, f"as many axes between batch and features as sizes are given, {len(size)}")
    known = [axis for axis in have if isinstance(axis, int)]
    if len(known) == rank:
        if all(wanted % axis == 0 for wanted, axis in zip(size, known, strict=True)):
            factors = [wanted // axis for wanted, axis in zip(size, known, strict=True)]
            smooth = {"interpolation": "bilinear"} if rank == 2 else {}
            return layer_entry(f"UpSampling{rank}D", size=factors[0] if rank == 1 else factors, **smooth)
        if all(axis % wanted == 0 for wanted, axis in zip(size, known, strict=True)):
            factors = [axis // wanted for wanted, axis in zip(size, known, strict=True)]
            return layer_entry(f"AveragePooling{rank}D", pool_size=factors)
    if rank != 2:
        raise _misfit("resize", tensor, f"sizes of which {list(size)} are whole multiples or fractions")
    return layer_entry("Resizing", height=size[0], width=size[1])


def _shrink(tensor: TensorType, most: Any) -> Entry:
    """Pools windows so that no axis keeps more than so many positions; a video keeps its frames.

    A last window that is cut short is the average of what it has, so that no position is lost.
    """
    have = tensor.shape[1:-1]
    if not 1 <= len(have) <= 3 or not all(isinstance(axis, int) for axis in have[1 if len(have) == 3 else 0 :]):
        raise _misfit("shrink", tensor, "one to three axes of known size between batch and features")
    windows = [ceil(axis / most) if isinstance(axis, int) else 1 for axis in have]
    if len(windows) == 3:
        windows[0] = 1
    return layer_entry(f"AveragePooling{len(have)}D", pool_size=windows, padding="same")


_KINDS = (
    AdapterKind(
        "pool", "the average over all positions, masked ones left out",
        _pooling("pool", "GlobalAveragePooling", "mean"),
    ),
    AdapterKind("max_pool", "the largest value of each feature", _pooling("max_pool", "GlobalMaxPooling", "max")),
    AdapterKind("flatten", "all positions' features in one vector", _flatten),
    AdapterKind("last", "the last step of a sequence", _last),
    AdapterKind("tokens", "every position of a map as a step of a sequence", _tokens),
    AdapterKind("steps", "axis 1 stays as time, all others become its features", _steps),
    AdapterKind("frames", "each frame's average over its places", _frames),
    AdapterKind("token", "a vector as a sequence of one step", _token),
    AdapterKind("expand", "an axis of size 1 at the end", _expand),
    AdapterKind("cast", "integers and truth values as float32", _cast),
    AdapterKind("project", "a Dense layer without activation, to a width", _project, "units"),
    AdapterKind("resize", "interpolated to a height and width", _resize, "size"),
    AdapterKind("shrink", "averaged in windows until no axis has more positions than that", _shrink, "units"),
)  # fmt: skip

# By name, in the order in which they are told.
ADAPTERS = {kind.name: kind for kind in _KINDS}
