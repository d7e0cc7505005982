"""The Keras objects that arguments name: initializers, regularizers, constraints and activations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["ACTIVATION_LAYERS", "KINDS", "ObjectKind", "ObjectSpec"]


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """A Keras object by name, with the options that differ from its defaults.

    Arguments:
        kind: a key of `KINDS`.
        name: Keras's own name, as the author wrote it.
        options: its constructor's arguments.
    """

    kind: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """The objects of one kind: every name that Keras takes, with the options each has.

    Arguments:
        kind: the kind, in the singular, for messages.
        options: canonical name to option names.
        aliases: other names that Keras takes, to the canonical one.
        unusable: names that Keras takes and no layer can work with, each with the reason.
    """

    kind: str
    options: dict[str, tuple[str, ...]]
    aliases: dict[str, str]
    unusable: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Every name that is taken, canonical ones first."""
        return [*self.options, *self.aliases]

    def canonical(self, name: str) -> str | None:
        """The canonical name of a name or alias, or None."""
        return name if name in self.options else self.aliases.get(name)


# What every initializer that scales by fan-in and fan-out takes.
_SCALED = ("seed", "input_axes", "output_axes")

_INITIALIZERS = {
    "Constant": ("value",),
    "GlorotNormal": _SCALED,
    "GlorotUniform": _SCALED,
    "HeNormal": _SCALED,
    "HeUniform": _SCALED,
    "Identity": ("gain",),
    "LecunNormal": _SCALED,
    "LecunUniform": _SCALED,
    "Ones": (),
    "Orthogonal": ("gain", "seed"),
    "RandomNormal": ("mean", "stddev", "seed"),
    "RandomUniform": ("minval", "maxval", "seed"),
    "TruncatedNormal": ("mean", "stddev", "seed"),
    "STFT": ("side", "window", "scaling", "periodic"),
    "VarianceScaling": ("scale", "mode", "distribution", *_SCALED),
    "Zeros": (),
}

_REGULARIZERS = {
    "L1": ("l1",),
    "L2": ("l2",),
    "L1L2": ("l1", "l2"),
    "OrthogonalRegularizer": ("factor", "mode"),
}

_CONSTRAINTS = {
    "MaxNorm": ("max_value", "axis"),
    "MinMaxNorm": ("min_value", "max_value", "rate", "axis"),
    "NonNeg": (),
    "UnitNorm": ("axis",),
}

# Activations are functions. Those with options are built as the layer of the same name, which Keras takes and saves
# wherever it takes an activation.
_ACTIVATIONS: dict[str, tuple[str, ...]] = {
    "celu": (),
    "elu": ("alpha",),
    "exponential": (),
    "gelu": (),
    "hard_shrink": (),
    "hard_sigmoid": (),
    "hard_silu": (),
    "hard_tanh": (),
    "leaky_relu": ("negative_slope",),
    "linear": (),
    "log_sigmoid": (),
    "log_softmax": (),
    "mish": (),
    "relu": ("max_value", "negative_slope", "threshold"),
    "relu6": (),
    "selu": (),
    "sigmoid": (),
    "silu": (),
    "soft_shrink": (),
    "softmax": ("axis",),
    "softplus": (),
    "softsign": (),
    "sparse_plus": (),
    "sparse_sigmoid": (),
    "sparsemax": (),
    "squareplus": (),
    "tanh": (),
    "tanh_shrink": (),
}

# The layers that stand for activation functions with options.
ACTIVATION_LAYERS = {"relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "softmax": "Softmax"}

KINDS: dict[str, ObjectKind] = {
    "initializer": ObjectKind(
        "initializer",
        _INITIALIZERS,
        {
            "constant": "Constant",
            "glorot_normal": "GlorotNormal",
            "glorot_uniform": "GlorotUniform",
            "he_normal": "HeNormal",
            "he_uniform": "HeUniform",
            "identity": "Identity",
            "lecun_normal": "LecunNormal",
            "lecun_uniform": "LecunUniform",
            "ones": "Ones",
            "one": "Ones",
            "orthogonal": "Orthogonal",
            "stft": "STFT",
            "random_normal": "RandomNormal",
            "normal": "RandomNormal",
            "random_uniform": "RandomUniform",
            "uniform": "RandomUniform",
            "truncated_normal": "TruncatedNormal",
            "variance_scaling": "VarianceScaling",
            "zeros": "Zeros",
            "zero": "Zeros",
        },
    ),
    "regularizer": ObjectKind(
        "regularizer",
        _REGULARIZERS,
        {"l1": "L1", "l2": "L2", "l1l2": "L1L2", "orthogonal_regularizer": "OrthogonalRegularizer"},
    ),
    "constraint": ObjectKind(
        "constraint",
        _CONSTRAINTS,
        {
            "max_norm": "MaxNorm",
            "min_max_norm": "MinMaxNorm",
            "non_neg": "NonNeg",
            "unit_norm": "UnitNorm",
        },
    ),
    "activation": ObjectKind(
        "activation",
        _ACTIVATIONS,
        {"swish": "silu", "hard_swish": "hard_silu"},
        {
            "glu": "it halves the last axis, and layers state their output as if it did not",
            "threshold": "it needs a threshold and a default, which a name cannot give it",
        },
    ),
}
