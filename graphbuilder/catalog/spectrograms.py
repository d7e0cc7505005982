"""Layers that turn signals into pictures of their frequencies over time."""

from __future__ import annotations

from math import ceil, log2
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from graphbuilder.catalog.arguments import DataFormat, Padding, PositiveInt, argument, conflict, refuse
from graphbuilder.catalog.checks import Takes, known_axis, require_dtype
from graphbuilder.catalog.entry import Example, LayerEntry, Legacy, Masking, Outputs, Weight
from graphbuilder.catalog.meaning import Neighbours, Reading
from graphbuilder.catalog.ports import Inputs, Misfit, wrong_rank
from graphbuilder.catalog.tensor import BATCH, Dim, TensorType, elements, shape_text
from graphbuilder.catalog.windows import slide, split_image

__all__ = ["MelSpectrogram", "STFTSpectrogram"]

# The windows that need no parameter.
_Window: TypeAlias = Literal[
    "hann", "hamming", "boxcar", "triang", "blackman", "bartlett", "flattop", "parzen", "bohman", "blackmanharris",
    "nuttall", "barthann", "cosine", "tukey", "taylor", "lanczos",
]  # fmt: skip
_AtLeastTwo = Annotated[int, Field(ge=2)]


class STFTSpectrogram(LayerEntry):
    """The short-time Fourier transform of signals (batch, time, channels), by kernels that training may change.

    The output's last axis has the frequencies of each channel; with expand_dims they have an axis of their own.
    """

    family = "signal"
    masking = Masking.LOSES
    reading = Reading.QUANTITIES
    neighbours = Neighbours.WINDOW
    legacy = Legacy(absent="spectrograms came with Keras 3")
    examples = (
        Example({"mode": "log", "frame_length": 256, "frame_step": 128}, (TensorType((BATCH, 16000, 1)),)),
        Example({"mode": "stft", "frame_length": 32, "expand_dims": True}, (TensorType((BATCH, 400, 2)),)),
    )

    mode: Literal["log", "magnitude", "psd", "real", "imag", "angle", "stft"] = argument(
        "what is given of each frequency: the logarithm of its strength, its strength, power, a part of it, its angle, "
        "or both parts",
        "log",
    )
    frame_length: _AtLeastTwo = argument("samples of each window", 256)
    frame_step: PositiveInt | None = argument("samples from one window to the next; null means half a window", None)
    fft_length: PositiveInt | None = argument(
        "length of the transform; null means the power of two that holds a window", None
    )
    window: _Window | None = argument("what the samples of a window are weighted with; null weights all alike", "hann")
    periodic: bool = argument("whether the weighting is that of a periodic window", False)
    scaling: Literal["density", "spectrum"] | None = argument(
        "how the strengths are scaled; null leaves them", "density"
    )
    padding: Padding = argument("valid keeps whole windows only; same fills the signal up", "valid")
    expand_dims: bool = argument("whether frequencies have an axis of their own, as images have", False)
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)

    @model_validator(mode="after")
    def _lengths(self) -> STFTSpectrogram:
        if self.frame_step is not None and self.frame_step > self.frame_length:
            raise conflict(
                "frame_step",
                f"frame_step is {self.frame_step}, more than frame_length {self.frame_length}",
                f"at most {self.frame_length}",
            )
        if self.fft_length is not None and self.fft_length < self.frame_length:
            raise conflict(
                "fft_length",
                f"fft_length is {self.fft_length}, less than frame_length {self.frame_length}",
                f"at least {self.frame_length}",
            )
        if self.compute_dtype == "bfloat16":
            raise conflict("dtype", f"dtype is {self.dtype}, in which Keras computes no spectrogram", "another dtype")
        return self

    @property
    def _step(self) -> int:
        return self.frame_step or self.frame_length // 2

    @property
    def _frequencies(self) -> int:
        length = self.fft_length or 2 ** ceil(log2(self.frame_length))
        return length // 2 + 1

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        (time,), _ = split_image(given, 1, self.data_format)
        require_dtype(given, Takes.FLOATS, "STFTSpectrogram")
        channels = known_axis(given, 1 if self.data_format == "channels_first" else -1, "each has its frequencies")
        steps: Dim = slide((time,), (self.frame_length,), (self._step,), (1,), self.padding)[0]
        count = self._frequencies * (2 if self.mode == "stft" else 1)
        axes: tuple[Dim, ...]
        if self.data_format == "channels_first":
            axes = (channels, steps, count) if self.expand_dims else (channels * count, steps)
        else:
            axes = (steps, count, channels) if self.expand_dims else (steps, channels * count)
        return TensorType((given.shape[0], *axes), self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        shape = (self.frame_length, 1, self._frequencies)
        parts = {"real": ("real",), "imag": ("imag",)}.get(self.mode, ("real", "imag"))
        return tuple(Weight(f"{part}_kernel", shape) for part in parts)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Windows × their samples × frequencies × channels, for each part that is computed."""
        (time,), channels = split_image(inputs.first, 1, self.data_format)
        steps = slide((time,), (self.frame_length,), (self._step,), (1,), self.padding)
        count = elements((*steps, channels))
        return None if count is None else count * sum(weight.size for weight in self.weights(inputs))


def _windowed(value: Any) -> Any:
    if value not in ("hann", "hamming", None):
        raise refuse("hann, hamming or null")
    return value


class MelSpectrogram(LayerEntry):
    """The strengths of the frequencies of signals (batch, time) over time, in bands as wide as an ear hears them."""

    family = "signal"
    masking = Masking.LOSES
    reading = Reading.QUANTITIES
    neighbours = Neighbours.WINDOW
    legacy = Legacy(absent="spectrograms came with Keras 3")
    examples = (
        Example({"fft_length": 512, "sequence_stride": 160, "num_mel_bins": 64}, (TensorType((BATCH, 16000)),)),
    )

    fft_length: _AtLeastTwo = argument("length of the transform", 2048)
    sequence_stride: PositiveInt = argument("samples from one window to the next", 512)
    sequence_length: PositiveInt | None = argument("samples of each window; null means fft_length", None)
    window: Annotated[
        Literal["hann", "hamming"] | None,
        BeforeValidator(_windowed),
        WithJsonSchema({"enum": ["hann", "hamming", None]}),
    ] = argument("what the samples of a window are weighted with; null weights all alike", "hann")
    sampling_rate: PositiveInt = argument("samples in a second", 16000)
    num_mel_bins: PositiveInt = argument("how many bands", 128)
    min_freq: float = argument("where the lowest band begins, in hertz", 20.0)
    max_freq: float | None = argument("where the highest band ends, in hertz; null means half of sampling_rate", None)
    power_to_db: bool = argument("whether strengths are given in decibels", True)
    top_db: float = argument("how far below the strongest the weakest may lie, in decibels", 80.0)
    mag_exp: float = argument("the power of the magnitude: 1 for energy, 2 for power", 2.0)
    min_power: float = argument("the least strength; weaker ones count as it", 1e-10)
    ref_power: float = argument("the strength of 0 decibels", 1.0)

    @model_validator(mode="after")
    def _lengths(self) -> MelSpectrogram:
        if self.sequence_length is not None and self.sequence_length > self.fft_length:
            raise conflict(
                "sequence_length",
                f"sequence_length is {self.sequence_length}, more than fft_length {self.fft_length}",
                f"at most {self.fft_length}",
            )
        if self.compute_dtype == "float64":
            raise conflict("dtype", "dtype is float64, in which Keras cannot compute the bands", "float32")
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if given.rank != 2:
            raise wrong_rank(given, "(batch, samples)", "take one channel with {op: get_item}, or a Reshape")
        require_dtype(given, Takes.REAL, "MelSpectrogram")
        samples = given.shape[1]
        steps = self._steps(samples) if isinstance(samples, int) else None
        return TensorType((given.shape[0], self.num_mel_bins, steps), self.compute_dtype)

    def _steps(self, samples: int) -> int:
        """How many windows a signal has.

        Raises:
            Misfit: it is too short to be mirrored at its ends, or Keras announces another number than it computes.
        """
        half = self.fft_length // 2
        if samples <= half:
            raise Misfit(
                f"the signal has {samples} samples, too few for fft_length {self.fft_length}",
                found=str(samples),
                expected=f"at least {half + 1}",
                hint="use a shorter fft_length",
            )
        computed = 1 + (samples + 2 * half - self.fft_length) // self.sequence_stride
        announced = 1 + (samples + 1) // self.sequence_stride
        if computed != announced:
            raise Misfit(
                f"Keras announces {announced} windows for {samples} samples at steps of {self.sequence_stride}, and "
                f"computes {computed}",
                found=shape_text((BATCH, samples)),
                expected="another number of samples, or another sequence_stride",
                hint="crop or pad the signal by a sample or two before it",
            )
        return computed
