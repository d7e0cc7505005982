"""What comes of converting layers to TFLite, as data: after training, after training for 8 bits, and beside it.

Each cell was measured: a small model of the kind was converted from tf_keras, run in ai-edge-litert and compared with
what Keras computes; `tests/compression/test_conversions.py` does it again. Where the converter kills its process, that
stands here too, so that a death can be traced to a node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias, get_args

__all__ = [
    "ACTIVATIONS",
    "AWARE",
    "EXCEPTIONS",
    "FED_FLOATS",
    "JOINED",
    "LEFT_FLOAT",
    "LEFT_OUT",
    "LEGAL",
    "MIXED_ATTENTION",
    "SCHEMES",
    "UNCONVERTED",
    "ConversionRuling",
    "Outcome",
    "Scheme",
    "illegal",
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
        reason: why, in one clause, where it is not legal; of what is legal, what is to be known of it.
        fix: how to mend it, in one sentence.
        kills: the signal by which the converter's process dies.
        kernels: whether its kernels are stored as the scheme says; False where the operator takes floats only.
    """

    outcome: Outcome
    reason: str | None = None
    fix: str | None = None
    kills: Literal["SIGSEGV", "SIGABRT"] | None = None
    kernels: bool = True

    @property
    def legal(self) -> bool:
        """Whether it can be converted, if only as floats."""
        return self.outcome is not Outcome.ILLEGAL


LEGAL = ConversionRuling(Outcome.LEGAL)
_OTHER = "choose dynamic or float16"


def _float(operator: str, *, kernels: bool = True) -> ConversionRuling:
    return ConversionRuling(Outcome.FLOAT, f"TFLite's {operator} computes floats only", kernels=kernels)


def illegal(reason: str, fix: str | None = _OTHER) -> ConversionRuling:
    """The ruling on what cannot be converted.

    Arguments:
        reason: why, in one clause.
        fix: how to mend it, in one sentence.
    """
    return ConversionRuling(Outcome.ILLEGAL, reason, fix)


def _kills(reason: str, signal: Literal["SIGSEGV", "SIGABRT"], fix: str = _OTHER) -> ConversionRuling:
    return ConversionRuling(Outcome.ILLEGAL, reason, fix, signal)


_UNROLL = f"set unroll: true, or {_OTHER}"
_LOOP = "the ranges in its loop cannot be measured: the converter crashes"
_POOLING_3D = illegal("TFLite has no pooling over three axes", "pool over two axes, or use a Conv3D with strides")
_FUSED_16 = illegal("TFLite's LSTM does not compute with 16-bit activations", _UNROLL)
_FUSED_8 = ConversionRuling(
    Outcome.LEGAL, "TFLite's LSTM is wrong where all that it gives stays below an eighth; unroll: true mends it"
)
_MASK_16 = illegal("the comparison that finds the mask stays float beside 16-bit numbers, and the runtime refuses it")
_NORM_16 = _kills("the converter gives up on its variance", "SIGABRT", "choose int8, dynamic or float16")
_SHARED = illegal("TFLite gives both directions one scale, and is off by 3 to 16 % of it", _UNROLL)
_GRU_MASK = _kills("ai-edge-litert dies of a double free when it loads the model", "SIGABRT")
_ADDITIVE = illegal("it is off by a tenth of its scale", "choose int8, dynamic or float16")
JOINED = illegal(
    "joined with other values it takes on their scale, and computes nonsense from its state",
    f"put a Dense between the two, set unroll: true, or {_OTHER}",
)
_SIX_AXES = illegal("TFLite cuts tensors of at most five axes, and measuring the ranges needs six")
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
    "Conv3D": dict.fromkeys(("dynamic", "int8", "int16x8"), _float("CONV_3D", kernels=False)),
    "Conv3DTranspose": dict.fromkeys(("dynamic", "int8", "int16x8"), _float("CONV_3D_TRANSPOSE", kernels=False)),
    "MaxPooling3D": dict.fromkeys(SCHEMES, _POOLING_3D),
    "AveragePooling3D": dict.fromkeys(SCHEMES, _POOLING_3D),
    "LSTM": {"int8": _FUSED_8, "int16x8": _FUSED_16},
    "LSTM masked": _LOOPS,
    "LSTM masked, unrolled": {"int8": _float("CAST"), "int16x8": _MASK_16},
    "GRU": _LOOPS,
    "GRU masked": _LOOPS,
    "GRU unrolled": {"int8": _float("SPLIT")},
    "GRU masked, unrolled": {"int8": _GRU_MASK, "int16x8": _MASK_16},
    "SimpleRNN": _LOOPS,
    # Whatever its cell, as with the one that fares worst.
    "RNN": _LOOPS,
    "RNN masked": _LOOPS,
    "RNN unrolled": {"int8": _float("SPLIT")},
    "RNN masked, unrolled": {"int8": _GRU_MASK, "int16x8": _MASK_16},
    "ConvLSTM1D": _CONV_LOOPS,
    "ConvLSTM2D": _CONV_LOOPS,
    "ConvLSTM3D": {"int8": _SIX_AXES, "int16x8": _SIX_AXES},
    "Bidirectional of LSTM masked, unrolled": {
        "int8": illegal("XNNPACK, by which ai-edge-litert computes, cannot load it"),
        "int16x8": _MASK_16,
    },
    "Bidirectional of LSTM": {"int8": _SHARED, "int16x8": _FUSED_16},
    "Bidirectional of GRU": _LOOPS,
    "Bidirectional of GRU unrolled": {"int8": _float("SPLIT")},
    "Bidirectional of SimpleRNN": _LOOPS,
    "AdditiveAttention": {"int16x8": _ADDITIVE},
}

# The kinds that are not converted, of which there are no cells.
UNCONVERTED: Mapping[str, ConversionRuling] = {
    **dict.fromkeys(
        (
            "CategoryEncoding",
            "Discretization",
            "HashedCrossing",
            "Hashing",
            "IntegerLookup",
            "StringLookup",
            "TextVectorization",
        ),
        illegal("TFLite has no operators for its tables, hashes and counts", "turn the data into numbers beforehand"),
    ),
    **dict.fromkeys(
        ("LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"),
        illegal("a single step was never converted, so nobody knows what becomes of it", "put the cell into RNN"),
    ),
}

# What is not legal of activations of layers after training, by their name and the scheme.
ACTIVATIONS: Mapping[str, Mapping[Scheme, ConversionRuling]] = {
    "elu": {"int8": _float("ELU"), "int16x8": _float("ELU")},
    "log_softmax": {"int16x8": _float("LOG_SOFTMAX")},
    "softsign": {"int16x8": _float("DIV")},
    "selu": {
        "int16x8": illegal("its activation selu is off by a quarter of its scale", "choose int8, dynamic or float16")
    },
}
_WITHOUT = "write aware: false, under which it is quantized after training"
_REFUSED = illegal(
    "TFLite's converter refuses an LSTM that was trained for 8 bits, whose steps it would make one operator of",
    _WITHOUT,
)
_UNMEASURED = ConversionRuling(
    Outcome.FLOAT,
    "training measures no ranges between its steps, so TFLite's converter keeps its kernels as floats",
    _WITHOUT,
    kernels=False,
)


def _between(steps: str) -> ConversionRuling:
    return ConversionRuling(
        Outcome.FLOAT,
        f"training measures no ranges within it, so {steps} computes floats, from kernels of 8 bits if any",
    )


# What is not legal under int8 for a layer that training was aware of, by its form.
AWARE: Mapping[str, ConversionRuling] = {
    "Masking": _float("CAST"),
    "BatchNormalization": ConversionRuling(
        Outcome.FLOAT, "TFLite's MUL computes floats in it, unless it is folded into the layer before it"
    ),
    "LayerNormalization": _between("SQUARED_DIFFERENCE"),
    "GroupNormalization": _between("SQUARE"),
    "Average": _between("ADD"),
    "ELU": _float("ELU"),
    "Conv3D": _float("CONV_3D", kernels=False),
    "Conv3DTranspose": _float("CONV_3D_TRANSPOSE", kernels=False),
    "SeparableConv1D": _between("DEPTHWISE_CONV_2D"),
    "MaxPooling3D": _POOLING_3D,
    "AveragePooling3D": _POOLING_3D,
    "Normalization": _between("SUB"),
    "TimeDistributed of SeparableConv2D": ConversionRuling(
        Outcome.FLOAT, "training measures no ranges between its two kernels, which stay floats", kernels=False
    ),
    "LSTM": _REFUSED,
    "Bidirectional of LSTM": _REFUSED,
    **dict.fromkeys(
        (
            "LSTM unrolled",
            "LSTM masked",
            "LSTM masked, unrolled",
            "GRU",
            "GRU unrolled",
            "GRU masked",
            "GRU masked, unrolled",
            "SimpleRNN",
            "SimpleRNN unrolled",
            "Bidirectional of LSTM unrolled",
            "Bidirectional of GRU",
            "Bidirectional of GRU unrolled",
            "Bidirectional of SimpleRNN",
            "Bidirectional of SimpleRNN unrolled",
        ),
        _UNMEASURED,
    ),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D"), _between("CONV_2D")),
    "ConvLSTM3D": _between("CONV_3D"),
    "Attention": _between("BATCH_MATMUL"),
    "AdditiveAttention": _between("TANH"),
    "MultiHeadAttention": _between("BATCH_MATMUL"),
}
LEFT_FLOAT = ConversionRuling(
    Outcome.FLOAT, "it stays as it is, in float32: the converter quantizes what was trained for it", kernels=False
)
_BETWEEN_OTHERS = ConversionRuling(
    Outcome.LEGAL, "between layers that were trained for 8 bits the converter quantizes it too, else it stays float32"
)
# A layer with kernels that is trained for 8 bits behind a recurrent one that is not, of which nothing can be measured.
FED_FLOATS = ConversionRuling(
    Outcome.FLOAT,
    "a recurrent layer that is left out gives it floats, so TFLite's converter keeps its kernels as floats",
    _WITHOUT,
    kernels=False,
)
# Multi-head attention that is left out, whose query is all that a trained layer with a kernel feeds.
MIXED_ATTENTION = illegal(
    "its query comes in 8 bits from a layer that was trained for it, the converter does not turn that into floats, and "
    "the runtime refuses the file",
    "let the pass touch it too, or write aware: false",
)
# What becomes of layers with kernels that training for 8 bits leaves out, by their form; of all others, `LEFT_FLOAT`.
LEFT_OUT: Mapping[str, ConversionRuling] = {
    **dict.fromkeys(
        (
            "Dense",
            "EinsumDense",
            "Embedding",
            "Conv1D",
            "Conv2D",
            "DepthwiseConv1D",
            "DepthwiseConv2D",
            "Conv1DTranspose",
            "Conv2DTranspose",
            "ConvLSTM1D",
            "ConvLSTM2D",
            "ConvLSTM3D",
        ),
        _BETWEEN_OTHERS,
    ),
    "MaxPooling3D": _POOLING_3D,
    "AveragePooling3D": _POOLING_3D,
}
