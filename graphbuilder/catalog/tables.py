"""The tables of what the catalog has: layer and op names, each with the module that describes it."""

from __future__ import annotations

from graphbuilder.catalog.entry import LayerEntry, OpEntry
from graphbuilder.registry import Registry

__all__ = ["REFUSED", "layers", "ops"]

layers: Registry[type[LayerEntry]] = Registry("layer", "graphbuilder.layers")
ops: Registry[type[OpEntry]] = Registry("op", "graphbuilder.ops")

_HERE = "graphbuilder.catalog"

layers.add_family(f"{_HERE}.core", "Dense Embedding Activation Masking Identity")
layers.add_family(f"{_HERE}.reversible_embedding", "ReversibleEmbedding")
layers.add_family(f"{_HERE}.einsum", "EinsumDense")
layers.add_family(
    f"{_HERE}.normalization",
    "BatchNormalization LayerNormalization GroupNormalization RMSNormalization UnitNormalization",
)
layers.add_family(
    f"{_HERE}.regularization",
    "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout GaussianDropout GaussianNoise "
    "ActivityRegularization",
)
layers.add_family(f"{_HERE}.merging", "Add Subtract Multiply Average Maximum Minimum Concatenate Dot")
layers.add_family(f"{_HERE}.activation_layers", "ReLU LeakyReLU PReLU ELU Softmax")
layers.add_family(f"{_HERE}.convolution", "Conv1D Conv2D Conv3D")
layers.add_family(f"{_HERE}.convolution_depthwise", "DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D")
layers.add_family(f"{_HERE}.convolution_transpose", "Conv1DTranspose Conv2DTranspose Conv3DTranspose")
layers.add_family(f"{_HERE}.pooling", "MaxPooling1D MaxPooling2D MaxPooling3D")
layers.add_family(f"{_HERE}.pooling", "AveragePooling1D AveragePooling2D AveragePooling3D")
layers.add_family(f"{_HERE}.global_pooling", "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D")
layers.add_family(f"{_HERE}.global_pooling", "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D")
layers.add_family(f"{_HERE}.adaptive_pooling", "AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D")
layers.add_family(
    f"{_HERE}.adaptive_pooling", "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D"
)
layers.add_family(f"{_HERE}.spectrograms", "MelSpectrogram STFTSpectrogram")
layers.add_family(f"{_HERE}.reshaping", "Flatten Permute RepeatVector Reshape")
layers.add_family(f"{_HERE}.spatial", "Cropping1D Cropping2D Cropping3D ZeroPadding1D ZeroPadding2D ZeroPadding3D")
layers.add_family(f"{_HERE}.spatial", "UpSampling1D UpSampling2D UpSampling3D")
layers.add_family(f"{_HERE}.preprocessing", "CenterCrop Normalization Rescaling Resizing")
layers.add_family(
    f"{_HERE}.augmentation",
    "RandomFlip RandomRotation RandomTranslation RandomZoom RandomShear RandomPerspective RandomElasticTransform "
    "RandomCrop",
)
layers.add_family(
    f"{_HERE}.augmentation_color",
    "RandomBrightness RandomContrast RandomSaturation RandomHue RandomColorJitter RandomColorDegeneration "
    "RandomGrayscale RandomInvert RandomPosterization RandomSharpness RandomGaussianBlur AutoContrast "
    "ContrastLimitedAdaptiveHistogramEqualization Solarization",
)
layers.add_family(f"{_HERE}.augmentation_mixing", "MixUp CutMix RandomErasing RandAugment AugMix")
layers.add_family(f"{_HERE}.categorical", "CategoryEncoding Discretization HashedCrossing Hashing")
layers.add_family(f"{_HERE}.lookup", "IntegerLookup StringLookup TextVectorization")
layers.add_family(f"{_HERE}.recurrent", "LSTM GRU SimpleRNN")
layers.add_family(f"{_HERE}.recurrent_cells", "RNN LSTMCell GRUCell SimpleRNNCell StackedRNNCells")
layers.add_family(f"{_HERE}.recurrent_convolution", "ConvLSTM1D ConvLSTM2D ConvLSTM3D")
layers.add_family(f"{_HERE}.wrappers", "Bidirectional TimeDistributed")
layers.add_family(f"{_HERE}.spectral", "SpectralNormalization")
layers.add_family(f"{_HERE}.attention", "Attention AdditiveAttention")
layers.add_family(f"{_HERE}.multi_head_attention", "MultiHeadAttention GroupQueryAttention")


def _add_ops(module: str, names: str) -> None:
    """Registers functions of keras.ops, given as words of one string; `expand_dims` is described by `ExpandDims`."""
    for name in names.split():
        described = "".join(word.capitalize() for word in name.split("_"))
        ops.add(name, f"{_HERE}.{module}:{described}")


_add_ops("ops_arithmetic", "add subtract multiply divide true_divide floor_divide mod power maximum minimum logaddexp")
_add_ops("ops_arithmetic", "equal not_equal greater greater_equal less less_equal where")
_add_ops("ops_arithmetic", "logical_and logical_or logical_xor logical_not")
_add_ops("ops_functions", "exp expm1 log log1p log2 log10 sqrt rsqrt reciprocal square absolute abs negative sign")
_add_ops("ops_functions", "sin cos round floor ceil clip stop_gradient cast ones_like zeros_like")
_add_ops("ops_activations", "relu relu6 leaky_relu elu selu gelu silu sigmoid hard_sigmoid tanh softplus softsign erf")
_add_ops("ops_activations", "softmax log_softmax")
_add_ops("ops_reductions", "mean sum prod max min var std all any argmax argmin logsumexp")
_add_ops("ops_reductions", "cumsum cumprod norm normalize")
_add_ops("ops_shapes", "expand_dims squeeze reshape transpose swapaxes moveaxis flip roll")
_add_ops("ops_shapes", "depth_to_space space_to_depth")
_add_ops("ops_copies", "repeat tile pad")
_add_ops("ops_joining", "concatenate stack split unstack")
_add_ops("ops_indexing", "get_item take one_hot top_k")
_add_ops("ops_linear", "matmul dot einsum")
_add_ops("ops_signal", "stft")

# Layers of either Keras that a blueprint cannot hold, with the reason and what to use instead.
REFUSED: dict[str, str] = {
    "Lambda": "it holds code, and opening a blueprint runs none; use `op:` nodes, or a custom layer with --trust",
    "JaxLayer": "it wraps a JAX function; use a custom layer with --trust",
    "FlaxLayer": "it wraps a Flax module; use a custom layer with --trust",
    "TorchModuleWrapper": "it wraps a PyTorch module; use a custom layer with --trust",
    "TFSMLayer": "it runs a SavedModel's code; import the model as a blueprint instead",
    "Equalization": "Keras cannot build a model with it, because it announces its own input as its output; use "
    "ContrastLimitedAdaptiveHistogramEqualization, or equalize the data",
    "InputLayer": "inputs stand under `inputs:`",
    "Layer": "it is what layers are made from, and does nothing itself; use Identity, or a custom layer with --trust",
    "Wrapper": "it is what wrappers are made from, and does nothing itself; use the layer that it holds",
    "Pipeline": "it holds layers that follow one another, as nodes do; write each of them as a node",
    "MaxNumBoundingBoxes": "it changes the boxes of images, and a value of a graph is a tensor; use it on the data",
    "AbstractRNNCell": "it is what cells are made from; use LSTMCell, GRUCell or SimpleRNNCell in RNN",
    "DenseFeatures": "Keras 3 has no feature columns; use StringLookup, Hashing, Discretization and CategoryEncoding",
    "LocallyConnected1D": "Keras 3 has none; use Conv1D, or a custom layer with --trust",
    "LocallyConnected2D": "Keras 3 has none; use Conv2D, or a custom layer with --trust",
    "RandomHeight": "Keras 3 has none, because the images' size is then unknown; use RandomZoom",
    "RandomWidth": "Keras 3 has none, because the images' size is then unknown; use RandomZoom",
    "ThresholdedReLU": "Keras 3 has none; use {layer: ReLU, threshold: 1.0}",
}
