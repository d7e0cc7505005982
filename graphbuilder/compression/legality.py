"""What a pass can do to a layer, and why not: the table, and the conditions on a layer's arguments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from graphbuilder.catalog import LayerEntry
from graphbuilder.compression.kernels import Kernel, kernels_of
from graphbuilder.compression.legality_table import COLUMNS, REASONS, TABLE
from graphbuilder.compression.options import Block
from graphbuilder.compression.passes import Cluster, CompressionPass, LowRank, Prune, Quantize
from graphbuilder.graph import CustomLayer, Layer

__all__ = ["COLUMNS", "Ruling", "Verdict", "column_of", "ruling", "verdict_of"]

# The activations that training aware of quantization can compute, by their names in both Kerases.
_QUANTIZABLE = frozenset({"linear", "relu", "swish", "silu", "gelu", "softmax", "sigmoid", "tanh"})
# The layers whose own activation it does not touch: they quantize what they give in the end.
_ACTIVATION_INSIDE = frozenset({"LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
# What TensorFlow Lite's converter survives when the steps are unrolled.
_UNROLLED = frozenset({"LSTM", "GRU"})


class Verdict(StrEnum):
    """What a pass can do to a layer."""

    LEGAL = "legal"  # tensorflow-model-optimization does it
    EXTENDED = "extended"  # graphbuilder does what tensorflow-model-optimization does not
    NO_EFFECT = "no effect"  # there is nothing to compress
    ILLEGAL = "illegal"  # it cannot be done, or would be wrong


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a pass can do to one layer.

    Arguments:
        verdict: the verdict.
        reason: why, where it is not legal, or not of all weights; in one clause.
        weights: the paths of the weights that it changes.
    """

    verdict: Verdict
    reason: str | None = None
    weights: tuple[str, ...] = ()

    @property
    def acts(self) -> bool:
        """Whether the pass changes the layer."""
        return self.verdict in (Verdict.LEGAL, Verdict.EXTENDED)


def column_of(declared: CompressionPass) -> str:
    """The column of the table that a pass is ruled by."""
    if isinstance(declared, Prune):
        if declared.structure == "2:4":
            return "prune 2:4"
        return "prune block" if isinstance(declared.structure, Block) else "prune"
    if isinstance(declared, Quantize):
        return "quantize aware" if declared.in_training else "quantize after"
    return declared.name()


def verdict_of(kind: str, column: str) -> tuple[Verdict, str | None]:
    """What the table says of a kind of layer that is not a wrapper, and the reason where it cannot be done.

    Arguments:
        kind: the layer's kind.
        column: one of `COLUMNS`.
    """
    sign = TABLE[kind][column]
    if sign == ".":
        computes = (
            "it computes nothing that could be quantized" if column.startswith("quantize") else "it has no kernel"
        )
        return Verdict.NO_EFFECT, computes
    if sign in REASONS:
        return Verdict.ILLEGAL, REASONS[sign]
    return (Verdict.LEGAL if sign == "L" else Verdict.EXTENDED), None


def ruling(declared: CompressionPass, layer: Layer) -> Ruling:
    """What a pass can do to a layer.

    Arguments:
        declared: the pass, with what `overrides` says of this layer.
        layer: the layer.
    """
    if isinstance(layer.entry, CustomLayer):
        return Ruling(Verdict.ILLEGAL, "it is a custom layer, of which nobody knows which weights are kernels")
    column = column_of(declared)
    found = _of_entry(declared, layer.entry, column)
    if found.acts:
        found = _of_arguments(declared, layer.entry, found)
    if not found.acts or column.startswith("quantize"):
        weights = tuple(kernel.path for kernel in kernels_of(layer)) if found.acts else ()
        return replace(found, weights=weights)
    return _of_kernels(declared, kernels_of(layer), found)


def _held(entry: LayerEntry) -> tuple[LayerEntry, ...]:
    """The layers that compute within a layer: itself, or what it wraps."""
    inner = [getattr(entry, name, None) for name in ("layer", "backward_layer")]
    held = [_held(each) for each in inner if isinstance(each, LayerEntry)]
    return tuple(each for found in held for each in found) or (entry,)


def _of_entry(declared: CompressionPass, entry: LayerEntry, column: str) -> Ruling:
    """What the table says; wrappers follow what they wrap."""
    kind = type(entry).name()
    held = _held(entry)
    for each in held:
        verdict, reason = verdict_of(type(each).name(), column)
        if reason == REASONS["t"] and _survives(declared, each):
            verdict, reason = Verdict.LEGAL, None
        if verdict not in (Verdict.LEGAL, Verdict.EXTENDED):
            return Ruling(verdict, reason)
        if held == (entry,):
            return Ruling(verdict, reason)
    if column == "low_rank":
        return Ruling(Verdict.ILLEGAL, REASONS["w"])
    known = column == "quantize after" or (kind == "Bidirectional" and column == "cluster")
    return Ruling(Verdict.LEGAL if known else Verdict.EXTENDED)


def _of_arguments(declared: CompressionPass, entry: LayerEntry, found: Ruling) -> Ruling:
    """The ruling under the layer's own arguments."""
    for each in _held(entry):
        reason = None
        if isinstance(declared, Quantize):
            reason = _unquantizable(each) if declared.in_training else _unconvertible(each, declared.scheme)
        elif isinstance(declared, LowRank):
            reason = _unfactorable(each)
        if reason is not None:
            return Ruling(Verdict.ILLEGAL, reason)
    return found


def _unquantizable(entry: LayerEntry) -> str | None:
    """Why training cannot be aware of the quantization of a layer."""
    if entry.dtype not in (None, "float32"):
        return f"its dtype is {entry.dtype}, and only float32 can be trained for 8 bits"
    activation = getattr(entry, "activation", None)
    if activation is None or type(entry).name() in _ACTIVATION_INSIDE:
        return None
    if activation.name not in _QUANTIZABLE or activation.options:
        return f"its activation {activation.name} cannot be quantized; {', '.join(sorted(_QUANTIZABLE))} can"
    return None


def _survives(declared: CompressionPass, entry: LayerEntry) -> bool:
    """Whether TensorFlow Lite's converter survives a layer that kills it while it measures ranges of activations."""
    ranges = isinstance(declared, Quantize) and declared.scheme in ("int8", "int16x8")
    return not ranges or (type(entry).name() in _UNROLLED and bool(getattr(entry, "unroll", False)))


def _unconvertible(entry: LayerEntry, scheme: str) -> str | None:
    """Why TensorFlow Lite's converter cannot quantize a layer after training."""
    kind = type(entry).name()
    if scheme == "int16x8" and kind == "LayerNormalization":
        return "TensorFlow Lite's converter is killed by it under int16x8"
    return None


def _unfactorable(entry: LayerEntry) -> str | None:
    """Why a layer cannot be replaced by two."""
    if getattr(entry, "groups", 1) != 1:
        return "its groups have kernels of their own"
    for name in ("kernel_constraint", "embeddings_constraint"):
        if getattr(entry, name, None) is not None:
            return f"its {name} would hold the two factors and not their product"
    return None


def _of_kernels(declared: CompressionPass, kernels: Iterable[Kernel], found: Ruling) -> Ruling:
    """The ruling under the sizes of the layer's kernels."""
    reasons, weights = [], []
    for kernel in kernels:
        reason = _misfit(declared, kernel)
        if reason is None:
            weights.append(kernel.path)
        else:
            reasons.append((kernel.path, reason))
    if not weights:
        return Ruling(Verdict.ILLEGAL, reasons[0][1] if reasons else "its weights are not known or not trained")
    told = "; ".join(f"{path} stays as it is: {reason}" for path, reason in reasons)
    return replace(found, weights=tuple(weights), reason=told or None)


def _misfit(declared: CompressionPass, kernel: Kernel) -> str | None:
    """Why a pass cannot change a kernel of this size."""
    if isinstance(declared, Cluster):
        if kernel.size <= declared.clusters:
            return f"it has {kernel.size} weights, and {declared.clusters} clusters were asked for"
        return None
    if isinstance(declared, Prune) and declared.structure == "2:4":
        if not kernel.summed:
            return REASONS["d"]
        if kernel.inputs % 4:
            return f"it has {kernel.inputs} inputs, which four does not divide"
        return None
    if isinstance(declared, Prune) and isinstance(declared.structure, Block):
        if not kernel.summed:
            return REASONS["d"]
        columns = kernel.size // kernel.inputs
        if 1 in (kernel.inputs, columns):
            return f"as a matrix it is {kernel.inputs} × {columns}, which has no blocks"
        width = declared.structure.block[1]
        outputs = kernel.shape[kernel.kept[-1]]
        if not kernel.matrix and outputs % width:
            return f"it has {outputs} outputs, which blocks {width} wide do not divide"
        return None
    if isinstance(declared, LowRank) and declared.rank is not None:
        inputs = kernel.shape[0] if kernel.matrix else kernel.size // kernel.shape[-1]
        outputs = kernel.shape[-1]
        if declared.rank * (inputs + outputs) >= inputs * outputs:
            there = f"the {inputs} × {outputs} they replace"
            return f"at rank {declared.rank} the two factors hold no fewer numbers than {there}"
    return None
