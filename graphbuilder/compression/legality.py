"""What a pass can do to a layer, and why not: the tables, and the conditions on a layer's arguments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from graphbuilder.catalog import LayerEntry
from graphbuilder.compression.conversions import (
    ConversionRuling,
    Outcome,
    conversion_ruling,
    ruling_of_form,
)
from graphbuilder.compression.kernels import Kernel, kernels_of
from graphbuilder.compression.legality_table import COLUMNS, CONVERSIONS, MOVING, NO_TWIN, REASONS, TABLE
from graphbuilder.compression.low_rank import unfactorable
from graphbuilder.compression.options import Block
from graphbuilder.compression.passes import Cluster, CompressionPass, LowRank, Prune, Quantize
from graphbuilder.compression.sizes import least_dynamic
from graphbuilder.graph import CustomLayer, Layer

__all__ = ["COLUMNS", "CONVERSIONS", "Ruling", "Verdict", "column_of", "ruling", "verdict_of"]

# The activations that training aware of quantization can compute, by their names in both Kerases.
_QUANTIZABLE = frozenset({"linear", "relu", "swish", "silu", "gelu", "softmax", "sigmoid", "tanh"})
# The layers whose own activation it does not touch: they quantize what they give in the end.
_ACTIVATION_INSIDE = frozenset({"LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
# The layers that TensorFlow Lite has no operator for together with a swish.
_BEFORE_SWISH = frozenset({"Dense", "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose"})
_NOTHING = "it computes nothing that could be quantized"


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
        reason: why, where it is not legal; else what is to be known of it, such as weights that stay; in one clause.
        weights: the paths of the weights that it changes.
        fix: how to mend it, in one sentence, where that is known.
    """

    verdict: Verdict
    reason: str | None = None
    weights: tuple[str, ...] = ()
    fix: str | None = None

    @property
    def acts(self) -> bool:
        """Whether the pass changes the layer."""
        return self.verdict in (Verdict.LEGAL, Verdict.EXTENDED)


def column_of(declared: CompressionPass) -> str:
    """The column of the tables that a pass is ruled by."""
    if isinstance(declared, Prune):
        if declared.structure == "2:4":
            return "prune 2:4"
        return "prune block" if isinstance(declared.structure, Block) else "prune"
    if isinstance(declared, Quantize):
        return "quantize aware" if declared.in_training else f"quantize {declared.scheme}"
    return declared.name()


def verdict_of(kind: str, column: str) -> tuple[Verdict, str | None]:
    """What the tables say of a kind of layer that is not a wrapper, and what is to be known of it.

    The layer has the arguments that it has by default: recurrent ones are not unrolled.

    Arguments:
        kind: the layer's kind.
        column: one of `COLUMNS` or `CONVERSIONS`.
    """
    if TABLE[kind]["prune"] in NO_TWIN:
        return Verdict.ILLEGAL, REASONS[TABLE[kind]["prune"]]
    if column in CONVERSIONS:
        found = _converted(ruling_of_form(kind, CONVERSIONS[column]), moves=kind in MOVING)
        return found.verdict, found.reason
    verdict, reason = _signed(kind, column)
    if column == "quantize aware" and verdict is not Verdict.ILLEGAL:
        conversion = ruling_of_form(kind, "int8", trained=True)
        found = _converted(conversion, moves=verdict is Verdict.NO_EFFECT, verdict=verdict)
        return found.verdict, found.reason
    return verdict, reason


def ruling(declared: CompressionPass, layer: Layer, *, conversion: ConversionRuling | None = None) -> Ruling:
    """What a pass can do to a layer.

    Arguments:
        declared: the pass, with what `overrides` says of this layer.
        layer: the layer.
        conversion: for a pass that quantizes, what comes of converting the layer where it stands in its graph, as
            `conversions.rulings` has it; None where nothing is known but the layer: no mask, nothing behind it.
    """
    if isinstance(declared, Quantize):
        if conversion is None:
            conversion = conversion_ruling(layer, declared.scheme, trained=declared.in_training or None)
        return _quantizing(declared, layer, conversion)
    if isinstance(layer.entry, CustomLayer):
        return Ruling(Verdict.ILLEGAL, "it is a custom layer, of which nobody knows which weights are kernels")
    found = _of_entry(layer.entry, column_of(declared))
    if found.acts and isinstance(declared, LowRank):
        reason = unfactorable(layer.entry)
        found = found if reason is None else Ruling(Verdict.ILLEGAL, reason)
    return _of_kernels(declared, kernels_of(layer), found) if found.acts else found


def _quantizing(declared: Quantize, layer: Layer, conversion: ConversionRuling) -> Ruling:
    """The ruling of a pass that quantizes."""
    kernels = kernels_of(layer)
    if isinstance(layer.entry, CustomLayer):
        if declared.in_training:
            return Ruling(Verdict.ILLEGAL, "it is a custom layer, of which nobody knows which weights are kernels")
        return Ruling(Verdict.LEGAL, "it is a custom layer: what the converter makes of it is not known")
    if not conversion.legal:
        return _converted(conversion, moves=False)
    if not declared.in_training:
        found = _converted(conversion, moves=all(map(_moves, _held(layer.entry))))
        if found.acts and declared.scheme == "dynamic":
            return _of_large(kernels, layer.kind, found)
    else:
        found = _of_entry(layer.entry, "quantize aware")
        if found.acts and all(map(_moves, _held(layer.entry))):
            found = Ruling(Verdict.NO_EFFECT, _NOTHING)
        for each in _held(layer.entry) if found.acts else ():
            reason = _unquantizable(each)
            if reason is not None:
                found = Ruling(Verdict.ILLEGAL, reason)
                break
            if _activated_in_floats(each):
                found = Ruling(Verdict.NO_EFFECT, "it stays float: its activation takes floats, and so it gives floats")
        if found.acts:
            found = _converted(conversion, moves=False, verdict=found.verdict)
    return replace(found, weights=tuple(kernel.path for kernel in kernels)) if found.acts else found


def _moves(entry: LayerEntry) -> bool:
    """Whether a layer gives what it is given."""
    kind = type(entry).name()
    return kind in MOVING or (kind == "Activation" and getattr(entry, "activation", None).name == "linear")  # type: ignore[union-attr]


def _activated_in_floats(entry: LayerEntry) -> bool:
    """Whether the converter computes a layer in floats for its activation, which training measures no ranges before."""
    activation = getattr(entry, "activation", None)
    return activation is not None and activation.name in ("swish", "silu") and type(entry).name() in _BEFORE_SWISH


def _converted(conversion: ConversionRuling, *, moves: bool, verdict: Verdict = Verdict.LEGAL) -> Ruling:
    """What comes of a conversion as a ruling.

    Arguments:
        conversion: what comes of it.
        moves: whether the layer only hands numbers on.
        verdict: what it is where it is legal.
    """
    if not conversion.legal:
        return Ruling(Verdict.ILLEGAL, conversion.reason, fix=conversion.fix)
    if moves:
        return Ruling(Verdict.NO_EFFECT, _NOTHING)
    if not conversion.kernels:
        return Ruling(Verdict.NO_EFFECT, f"it stays float: {conversion.reason}", fix=conversion.fix)
    if conversion.outcome is Outcome.FLOAT:
        return Ruling(verdict, f"some of it stays float: {conversion.reason}")
    return Ruling(verdict, conversion.reason)


def _of_large(kernels: tuple[Kernel, ...], kind: str, found: Ruling) -> Ruling:
    """The ruling under the scheme that leaves small kernels floats; of an LSTM's gates it quantizes all or none."""
    least = least_dynamic(kind)
    small = [kernel for kernel in kernels if kernel.size < least]
    if small and least > least_dynamic("Dense"):
        small = list(kernels)
    if not small:
        return replace(found, weights=tuple(kernel.path for kernel in kernels))
    told = ", ".join(f"{kernel.path} ({kernel.size:,} numbers)" for kernel in small)
    stays = f"it leaves {told} float: TFLite stores kernels of {least:,} numbers or more in 8 bits"
    reason = stays if found.reason is None else f"{found.reason}; {stays}"
    return replace(found, reason=reason, weights=tuple(kernel.path for kernel in kernels if kernel not in small))


def _signed(kind: str, column: str) -> tuple[Verdict, str | None]:
    """What the table of passes says of a kind."""
    sign = TABLE[kind][column]
    if sign == ".":
        return Verdict.NO_EFFECT, _NOTHING if column.startswith("quantize") else "it has no kernel"
    if sign in REASONS:
        return Verdict.ILLEGAL, REASONS[sign]
    return (Verdict.LEGAL if sign == "L" else Verdict.EXTENDED), None


def _held(entry: LayerEntry) -> tuple[LayerEntry, ...]:
    """The layers that compute within a layer: itself, or what it wraps."""
    inner = [getattr(entry, name, None) for name in ("layer", "backward_layer")]
    held = [_held(each) for each in inner if isinstance(each, LayerEntry)]
    return tuple(each for found in held for each in found) or (entry,)


def _of_entry(entry: LayerEntry, column: str) -> Ruling:
    """What the table says; wrappers follow what they wrap."""
    held = _held(entry)
    for each in held:
        verdict, reason = _signed(type(each).name(), column)
        if verdict not in (Verdict.LEGAL, Verdict.EXTENDED) or held == (entry,):
            return Ruling(verdict, reason)
    if column == "low_rank":
        return Ruling(Verdict.ILLEGAL, REASONS["w"])
    known = type(entry).name() == "Bidirectional" and column == "cluster"
    return Ruling(Verdict.LEGAL if known else Verdict.EXTENDED)


def _unquantizable(entry: LayerEntry) -> str | None:
    """Why training cannot be aware of the quantization of a layer."""
    if entry.dtype not in (None, "float32"):
        return f"its dtype is {entry.dtype}, in which training for 8 bits is refused or lost; only float32 is taken"
    activation = getattr(entry, "activation", None)
    if activation is None or type(entry).name() in _ACTIVATION_INSIDE:
        return None
    if activation.name not in _QUANTIZABLE or activation.options:
        return f"its activation {activation.name} cannot be quantized; {', '.join(sorted(_QUANTIZABLE))} can"
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
        height, width = declared.structure.block
        if kernel.inputs <= height or columns <= width or 1 in (kernel.inputs, columns):
            return f"as a matrix it is {kernel.inputs} × {columns}, which is one block high or wide"
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
