"""What layers and their arguments are called in PyTorch and in older Kerases, and what they are called here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ForeignLayer", "foreign_argument", "foreign_layer"]


@dataclass(frozen=True, slots=True)
class ForeignLayer:
    """A layer of another library, as it is written in a blueprint.

    Arguments:
        keys: the keys that say the same, the first of them `layer`, `op` or `fuse`.
        origin: whose name it was.
    """

    keys: Mapping[str, str]
    origin: str

    @property
    def written(self) -> str:
        """The keys as they stand in a node."""
        return ", ".join(f"{key}: {value}" for key, value in self.keys.items())


def _layer(name: str, **arguments: str) -> Mapping[str, str]:
    return {"layer": name, **arguments}


_DIMENSIONS = ("1", "2", "3")
_TORCH: dict[str, Mapping[str, str]] = {
    "Linear": _layer("Dense"),
    "ReLU6": _layer("ReLU", max_value="6.0"),
    "SiLU": _layer("Activation", activation="silu"),
    "GELU": _layer("Activation", activation="gelu"),
    "Tanh": _layer("Activation", activation="tanh"),
    "Sigmoid": _layer("Activation", activation="sigmoid"),
    "Hardswish": _layer("Activation", activation="hard_silu"),
    "Softplus": _layer("Activation", activation="softplus"),
    "LayerNorm": _layer("LayerNormalization"),
    "GroupNorm": _layer("GroupNormalization"),
    "RMSNorm": _layer("RMSNormalization"),
    "MultiheadAttention": _layer("MultiHeadAttention"),
    "Upsample": _layer("UpSampling2D"),
    "UpsamplingNearest2d": _layer("UpSampling2D"),
    **{f"Conv{n}d": _layer(f"Conv{n}D") for n in _DIMENSIONS},
    **{f"ConvTranspose{n}d": _layer(f"Conv{n}DTranspose") for n in _DIMENSIONS},
    **{f"BatchNorm{n}d": _layer("BatchNormalization") for n in _DIMENSIONS},
    **{f"MaxPool{n}d": _layer(f"MaxPooling{n}D") for n in _DIMENSIONS},
    **{f"AvgPool{n}d": _layer(f"AveragePooling{n}D") for n in _DIMENSIONS},
    **{f"AdaptiveAvgPool{n}d": _layer(f"GlobalAveragePooling{n}D") for n in _DIMENSIONS},
    **{f"AdaptiveMaxPool{n}d": _layer(f"GlobalMaxPooling{n}D") for n in _DIMENSIONS},
    **{f"Dropout{n}d": _layer(f"SpatialDropout{n}D") for n in _DIMENSIONS},
    **{f"ZeroPad{n}d": _layer(f"ZeroPadding{n}D") for n in _DIMENSIONS},
}
_KERAS: dict[str, Mapping[str, str]] = {
    "CuDNNLSTM": _layer("LSTM"),
    "CuDNNGRU": _layer("GRU"),
    "Merge": {"fuse": "concat"},
    "SyncBatchNormalization": _layer("BatchNormalization"),
    "ThresholdedReLU": _layer("ReLU", threshold="1.0"),
    **{f"Convolution{n}D": _layer(f"Conv{n}D") for n in _DIMENSIONS},
}

# By the argument's name elsewhere, what it may be called here; the first that the layer has is meant.
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "out_channels": ("filters",),
    "channels": ("filters",),
    "nb_filter": ("filters",),
    "num_filters": ("filters",),
    "out_features": ("units",),
    "hidden_size": ("units",),
    "hidden_dim": ("units",),
    "hidden_units": ("units",),
    "neurons": ("units",),
    "output_dim": ("units",),
    "kernel": ("kernel_size", "pool_size"),
    "kernel_size": ("pool_size",),
    "filter_size": ("kernel_size",),
    "size": ("kernel_size", "pool_size"),
    "stride": ("strides",),
    "subsample": ("strides",),
    "dilation": ("dilation_rate",),
    "bias": ("use_bias",),
    "num_embeddings": ("input_dim",),
    "vocab_size": ("input_dim",),
    "embedding_dim": ("output_dim",),
    "embed_dim": ("output_dim",),
    "p": ("rate",),
    "dropout_rate": ("rate", "dropout"),
    "prob": ("rate",),
    "eps": ("epsilon",),
    "alpha": ("negative_slope",),
    "negative_slope": ("alpha",),
    "num_groups": ("groups",),
    "heads": ("num_heads",),
    "nhead": ("num_heads",),
    "act": ("activation",),
    "nonlinearity": ("activation",),
    "border_mode": ("padding",),
    "init": ("kernel_initializer",),
    "W_regularizer": ("kernel_regularizer",),
    "b_regularizer": ("bias_regularizer",),
    "shape": ("target_shape",),
    "dim": ("axis",),
}

# Arguments that no layer needs here, and why.
_NEEDLESS = {
    "in_channels": "a layer takes the size of its input from what it is given",
    "in_features": "a layer takes the size of its input from what it is given",
    "input_size": "a layer takes the size of its input from what it is given",
    "num_features": "a layer takes the size of its input from what it is given",
    "normalized_shape": "a layer takes the size of its input from what it is given",
    "input_shape": "shapes are declared under inputs",
    "batch_input_shape": "shapes are declared under inputs, without the batch axis",
    "batch_first": "the batch always comes first",
    "name": "a node's name is its key",
}


def foreign_layer(name: str) -> ForeignLayer | None:
    """What a layer of another library is here; None for a name that is not known.

    Example:
        >>> foreign_layer("nn.Linear").written, foreign_layer("ReLU6").written
        ('layer: Dense', 'layer: ReLU, max_value: 6.0')
    """
    bare = name.rpartition(".")[2]
    for table, origin in ((_TORCH, "PyTorch"), (_KERAS, "an older Keras")):
        if bare in table:
            return ForeignLayer(table[bare], origin)
    return None


def foreign_argument(name: str, known: Mapping[str, object]) -> tuple[str | None, str | None]:
    """What an argument of another library is called here, and, where it is not needed, why.

    Arguments:
        name: the argument's name elsewhere.
        known: the arguments of the layer.

    Example:
        >>> foreign_argument("out_channels", {"filters": 3}), foreign_argument("batch_first", {})[1]
        (('filters', None), 'the batch always comes first')
    """
    meant = next((here for here in _ARGUMENTS.get(name, ()) if here in known), None)
    return meant, None if meant else _NEEDLESS.get(name)
