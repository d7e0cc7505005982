"""What each pass can do to each kind of layer, as data.

A row has one sign for each column. The rows were measured: `tests/compression/test_legality_runs.py` runs every cell.
Quantizing after training is converting, and `conversion_table` has what comes of that under each scheme.

    L  tensorflow-model-optimization does it
    X  graphbuilder does what tensorflow-model-optimization does not
    .  there is nothing to compress
    a lower-case letter: it cannot be done, and `REASONS` says why
"""

from __future__ import annotations

from collections.abc import Mapping

from graphbuilder.compression.conversion_table import SCHEMES, Scheme

__all__ = ["COLUMNS", "CONVERSIONS", "MOVING", "NO_TWIN", "REASONS", "TABLE"]

# The ways to compress that change weights, which rulings differ for.
COLUMNS = ("prune", "prune 2:4", "prune block", "cluster", "quantize aware", "low_rank")
# The ways to quantize after training, by the scheme that the model is converted under.
CONVERSIONS: Mapping[str, Scheme] = {f"quantize {scheme}": scheme for scheme in SCHEMES if scheme != "float32"}

# Why something cannot be done, each in one clause.
REASONS: Mapping[str, str] = {
    "c": "its cell multiplies by the kernel anew at every step, so no layer can stand in its place",
    "d": "its kernel has one input for each output, and so no axis of inputs to group along",
    "f": "it is made of thin factors already",
    "k": "Keras 3 has it and tf_keras, where compression runs, does not",
    "m": "compressing it was never tried, so nobody knows what becomes of it",
    "n": "its kernel is not a matrix between one layer and the next",
    "o": "what tf_keras, where compression runs, has of that name does something else",
    "t": "in training it gives other numbers than at inference, and training for 8 bits goes wrong by that",
    "v": "graphbuilder replaces no transposed convolutions",
    "w": "what replaces a layer cannot be wrapped",
}

# The reasons for which there is nothing to convert either.
NO_TWIN = frozenset("ko")

# Columns: prune, 2:4, block, cluster, quantize aware, low_rank.
_WITH_KERNELS = """
    Dense               L L L L L X
    EinsumDense         X X X X X n
    Embedding           L L L L X X
    Conv1D              L X X L X X
    Conv2D              L L X L L X
    Conv3D              L X X L X X
    Conv1DTranspose     X X X L X v
    Conv2DTranspose     L X X L L v
    Conv3DTranspose     L X X L X v
    DepthwiseConv1D     X d d X X d
    DepthwiseConv2D     X d d X L d
    SeparableConv1D     X X X X X f
    SeparableConv2D     X L X X L f
    LSTM                L L L L X c
    GRU                 L L L L X c
    SimpleRNN           L L L L X c
    ConvLSTM1D          X X X X X c
    ConvLSTM2D          X X X X X c
    ConvLSTM3D          X X X X X c
    MultiHeadAttention  L X X L X n
"""

# Those of which no column can be used, by the reason.
_OUT_OF_REACH = {
    "k": "GroupQueryAttention RMSNormalization ReversibleEmbedding MelSpectrogram STFTSpectrogram AdaptiveMaxPooling1D "
    "AdaptiveMaxPooling2D AdaptiveMaxPooling3D AdaptiveAveragePooling1D AdaptiveAveragePooling2D "
    "AdaptiveAveragePooling3D RandomShear RandomPerspective RandomElasticTransform RandomSaturation RandomHue "
    "RandomColorJitter RandomColorDegeneration RandomGrayscale RandomInvert RandomPosterization RandomSharpness "
    "RandomGaussianBlur AutoContrast ContrastLimitedAdaptiveHistogramEqualization Solarization MixUp CutMix "
    "RandomErasing RandAugment AugMix",
    "m": "RNN LSTMCell GRUCell SimpleRNNCell StackedRNNCells CategoryEncoding Discretization HashedCrossing Hashing "
    "IntegerLookup StringLookup TextVectorization RandomZoom",
    "o": "RandomCrop SpectralNormalization",
}

# They have no kernel, and compute: what they give can be quantized. By what they are in training aware of it.
_COMPUTING = {
    "L": "Activation ReLU LeakyReLU Softmax Concatenate Add AveragePooling2D GlobalAveragePooling1D "
    "GlobalAveragePooling2D GlobalAveragePooling3D UpSampling2D",
    "X": "BatchNormalization LayerNormalization GroupNormalization UnitNormalization Subtract Multiply Average Maximum "
    "Minimum Dot PReLU ELU AveragePooling1D AveragePooling3D Normalization Rescaling Resizing Attention "
    "AdditiveAttention",
}

# They have no kernel, and give what they are given, or some of it, or the same in training only.
MOVING = frozenset(
    "Masking Identity Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout GaussianDropout "
    "GaussianNoise ActivityRegularization MaxPooling1D MaxPooling2D MaxPooling3D GlobalMaxPooling1D GlobalMaxPooling2D "
    "GlobalMaxPooling3D Flatten Permute RepeatVector Reshape Cropping1D Cropping2D Cropping3D ZeroPadding1D "
    "ZeroPadding2D ZeroPadding3D UpSampling1D UpSampling3D CenterCrop RandomFlip RandomRotation RandomTranslation "
    "RandomBrightness RandomContrast".split()
)
# Those of them that move pixels or change them by chance in training.
_CHANGING = "RandomRotation RandomTranslation RandomBrightness RandomContrast"


def _table() -> dict[str, dict[str, str]]:
    rows = {}
    for line in _WITH_KERNELS.strip().splitlines():
        kind, *signs = line.split()
        rows[kind] = dict(zip(COLUMNS, signs, strict=True))
    for sign, kinds in _COMPUTING.items():
        for kind in kinds.split():
            rows[kind] = dict(zip(COLUMNS, [".", ".", ".", ".", sign, "."], strict=True))
    for sign, kinds in _OUT_OF_REACH.items():
        for kind in kinds.split():
            rows[kind] = dict.fromkeys(COLUMNS, sign)
    for kind in MOVING:
        rows[kind] = dict.fromkeys(COLUMNS, ".")
    for kind in _CHANGING.split():
        rows[kind]["quantize aware"] = "t"
    return rows


# The sign of each column by the layer's kind; wrappers are ruled by what they wrap.
TABLE: Mapping[str, Mapping[str, str]] = _table()
