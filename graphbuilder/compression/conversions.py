"""Which layers convert to TFLite under which scheme, as data.

Each cell was measured: a small model of the kind was converted from tf_keras, run in ai-edge-litert and compared with
what Keras computes; `tests/compression/test_conversions.py` does it again. Where the converter kills its process, that
stands here too, so that a death can be traced to a node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias, get_args

from graphbuilder.graph import Call, CustomLayer, Graph, Layer

__all__ = [
    "SCHEMES",
    "ConversionRuling",
    "Outcome",
    "Scheme",
    "conversion_ruling",
    "form_of",
    "ruling_of_form",
    "rulings",
]

Scheme: TypeAlias = Literal["float32", "dynamic", "float16", "int8", "int16x8"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


class Outcome(StrEnum):
    """What comes of converting a layer."""

    LEGAL = "legal"  # it converts, and computes what Keras computes
    FLOAT = "stays float"  # it converts, but computes floats, because TFLite has no such operator for integers
    ILLEGAL = "illegal"  # it cannot be converted, or computes something else


@dataclass(frozen=True, slots=True)
class ConversionRuling:
    """What comes of converting a layer under one scheme.

    Arguments:
        outcome: the outcome.
        reason: why, in one clause, where it is not legal.
        fix: how to mend it, in one sentence.
        kills: the signal by which the converter's process dies.
    """

    outcome: Outcome
    reason: str | None = None
    fix: str | None = None
    kills: Literal["SIGSEGV", "SIGABRT"] | None = None

    @property
    def legal(self) -> bool:
        """Whether it can be converted, if only as floats."""
        return self.outcome is not Outcome.ILLEGAL


_LEGAL = ConversionRuling(Outcome.LEGAL)
_OTHER = "choose dynamic or float16"


def _float(operator: str) -> ConversionRuling:
    return ConversionRuling(Outcome.FLOAT, f"TFLite's {operator} computes floats only")


def _illegal(reason: str, fix: str | None = _OTHER) -> ConversionRuling:
    return ConversionRuling(Outcome.ILLEGAL, reason, fix)


def _kills(reason: str, signal: Literal["SIGSEGV", "SIGABRT"], fix: str = _OTHER) -> ConversionRuling:
    return ConversionRuling(Outcome.ILLEGAL, reason, fix, signal)


_UNROLL = f"set unroll: true, or {_OTHER}"
_LOOP = "the ranges in its loop cannot be measured: the converter crashes"
_POOLING_3D = _illegal("TFLite has no pooling over three axes", "pool over two axes, or use a Conv3D with strides")
_FUSED_16 = _illegal("TFLite's LSTM does not compute with 16-bit activations", _UNROLL)
_MASK_16 = _illegal("the comparison that finds the mask stays float beside 16-bit numbers, and the runtime refuses it")
_NORM_16 = _kills("the converter gives up on its variance", "SIGABRT", "choose int8, dynamic or float16")
_SHARED = _illegal("TFLite gives both directions one scale, and is off by 3 to 16 % of it", _UNROLL)
_GRU_MASK = _kills("ai-edge-litert dies of a double free when it loads the model", "SIGABRT")
_ADDITIVE = _illegal("it is off by a tenth of its scale", "choose int8, dynamic or float16")
_JOINED = _illegal(
    "joined with other values it takes on their scale, and computes nonsense from its state",
    f"put a Dense between the two, set unroll: true, or {_OTHER}",
)
_SIX_AXES = _illegal("TFLite cuts tensors of at most five axes, and measuring the ranges needs six")
_LOOPS: Mapping[Scheme, ConversionRuling] = {
    "int8": _kills(_LOOP, "SIGSEGV", _UNROLL),
    "int16x8": _kills(_LOOP, "SIGSEGV", _UNROLL),
}
# ConvLSTM cannot be unrolled.
_CONV_LOOPS: Mapping[Scheme, ConversionRuling] = {
    "int8": _kills(_LOOP, "SIGSEGV"),
    "int16x8": _kills(_LOOP, "SIGSEGV"),
}

# What is not legal, by the form of a layer (`form_of`) and the scheme. A form that is not here is legal under each.
EXCEPTIONS: Mapping[str, Mapping[Scheme, ConversionRuling]] = {
    "Masking": {"int8": _float("CAST"), "int16x8": _float("CAST")},
    "LayerNormalization": {"int16x8": _NORM_16},
    "GroupNormalization": {"int8": _float("SQUARE"), "int16x8": _NORM_16},
    "UnitNormalization": {"int16x8": _float("L2_NORMALIZATION")},
    "PReLU": {"int16x8": _float("PRELU")},
    "ELU": {"int8": _float("ELU"), "int16x8": _float("ELU")},
    "Conv3D": dict.fromkeys(("dynamic", "int8", "int16x8"), _float("CONV_3D")),
    "Conv3DTranspose": dict.fromkeys(("dynamic", "int8", "int16x8"), _float("CONV_3D_TRANSPOSE")),
    "MaxPooling3D": dict.fromkeys(SCHEMES, _POOLING_3D),
    "AveragePooling3D": dict.fromkeys(SCHEMES, _POOLING_3D),
    "LSTM": {"int16x8": _FUSED_16},
    "LSTM masked": _LOOPS,
    "LSTM masked, unrolled": {"int8": _float("CAST"), "int16x8": _MASK_16},
    "GRU": _LOOPS,
    "GRU masked": _LOOPS,
    "GRU unrolled": {"int8": _float("SPLIT")},
    "GRU masked, unrolled": {"int8": _GRU_MASK, "int16x8": _MASK_16},
    "SimpleRNN": _LOOPS,
    "ConvLSTM1D": _CONV_LOOPS,
    "ConvLSTM2D": _CONV_LOOPS,
    "ConvLSTM3D": {"int8": _SIX_AXES, "int16x8": _SIX_AXES},
    "Bidirectional of LSTM": {"int8": _SHARED, "int16x8": _FUSED_16},
    "Bidirectional of GRU": _LOOPS,
    "Bidirectional of GRU unrolled": {"int8": _float("SPLIT")},
    "Bidirectional of SimpleRNN": _LOOPS,
    "AdditiveAttention": {"int16x8": _ADDITIVE},
}
# What TFLite joins at one scale, and what passes a scale on unchanged.
_JOINS = frozenset({"Concatenate", "concatenate", "stack", "Maximum", "Minimum", "maximum", "minimum"})
_KEEPING_SCALES = _JOINS | frozenset(
    "Flatten Reshape Permute RepeatVector Dropout SpatialDropout1D GaussianDropout GaussianNoise AlphaDropout Identity "
    "ActivityRegularization MaxPooling1D GlobalMaxPooling1D Cropping1D ZeroPadding1D UpSampling1D max min expand_dims "
    "squeeze reshape transpose swapaxes moveaxis flip repeat tile pad split unstack get_item take".split()
)
# Kinds whose mask changes what they are converted to.
_MASKS = frozenset({"LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
# Without a mask and laid out step by step there is no loop whose ranges cannot be measured.
_RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN"})


def form_of(layer: Layer, masked: bool = False) -> str:
    """The row of the table that a layer is ruled by: its kind, what it wraps, whether it is masked or unrolled.

    Arguments:
        layer: the layer.
        masked: whether it is called with a mask.
    """
    if isinstance(layer.entry, CustomLayer):
        return layer.kind
    held = layer.entry
    form = layer.kind
    if form in ("Bidirectional", "TimeDistributed"):
        held = getattr(layer.entry, "layer", layer.entry)
        form = f"{form} of {type(held).name()}"
    words = []
    if masked and type(held).name() in _MASKS:
        words.append("masked")
    if getattr(held, "unroll", False):
        words.append("unrolled")
    return f"{form} {', '.join(words)}" if words else form


def ruling_of_form(form: str, scheme: Scheme) -> ConversionRuling:
    """What comes of a form under a scheme; a wrapper follows what it wraps where it has no row of its own."""
    for row in _rows(form):
        if row in EXCEPTIONS:
            return EXCEPTIONS[row].get(scheme, _LEGAL)
    return _LEGAL


def _rows(form: str) -> Iterator[str]:
    """The rows that speak of a form, the nearest first."""
    yield form
    if form.startswith("Bidirectional of ") and "masked" in form:
        # A masked layer is no better off in both directions.
        yield form.removeprefix("Bidirectional of ")
    if form.startswith("TimeDistributed of "):
        yield form.removeprefix("TimeDistributed of ")
    kind, _, words = form.partition(" ")
    if words == "masked, unrolled" and kind == "SimpleRNN":
        yield "GRU masked, unrolled"
    elif words == "masked" and kind not in _RECURRENT:
        yield kind
    elif words == "masked":
        yield "GRU masked"


def conversion_ruling(layer: Layer, scheme: Scheme, *, masked: bool = False) -> ConversionRuling:
    """What comes of converting a layer under a scheme. Of custom layers nothing is known, so nothing is refused.

    Arguments:
        layer: the layer.
        scheme: what it is converted to.
        masked: whether it is called with a mask.
    """
    if isinstance(layer.entry, CustomLayer):
        return _LEGAL
    absent = type(layer.entry).legacy.absent
    if absent is not None:
        return _illegal(f"conversion starts from tf_keras, and there {absent}", None)
    return ruling_of_form(form_of(layer, masked), scheme)


def rulings(graph: Graph, scheme: Scheme) -> dict[str, ConversionRuling]:
    """What comes of each layer of a graph, by its path; of its calls, the one that fares worst.

    Beside the table this sees LSTMs whose output is joined with other values (`Concatenate`) under int8.
    """
    order = (Outcome.LEGAL, Outcome.FLOAT, Outcome.ILLEGAL)
    found: dict[str, ConversionRuling] = {}
    joined = _joined_lstms(graph) if scheme == "int8" else set()
    for call in graph.calls.values():
        if isinstance(call.target, Layer):
            ruling = conversion_ruling(call.target, scheme, masked=_masked(call))
            if call.name in joined and ruling.outcome is Outcome.LEGAL:
                ruling = _JOINED
            before = found.get(call.target.name)
            if before is None or order.index(ruling.outcome) > order.index(before.outcome):
                found[call.target.name] = ruling
    return found


def _joined_lstms(graph: Graph) -> set[str]:
    """The calls of fused LSTMs whose output reaches a joining of values at the scale that it has.

    TFLite then gives the output the scale of what it is joined with, and the LSTM's own state keeps another: what it
    computes from its state is wrong from the second step on.
    """
    carried: dict[str, set[str]] = {}
    found: set[str] = set()
    for call in graph.calls.values():
        arriving = set().union(*(carried.get(value.name, set()) for value in call.inputs()))
        if call.kind in _JOINS and len(list(call.inputs())) > 1:
            found |= arriving
        if isinstance(call.target, Layer) and form_of(call.target, _masked(call)) == "LSTM":
            arriving = {call.name}
        elif call.kind not in _KEEPING_SCALES:
            arriving = set()
        for value in call.outputs:
            carried[value.name] = arriving
    return found


def _masked(call: Call) -> bool:
    """Whether what a call is first given carries a mask, or it is given one outright."""
    return "mask" in call.arguments or next((value.masked for value in call.inputs()), False)
