"""Ops on signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from graphbuilder.catalog.arguments import NonNegativeInt, PositiveInt, argument, conflict, refuse
from graphbuilder.catalog.broadcasting import axis_of
from graphbuilder.catalog.entry import Example, Outputs
from graphbuilder.catalog.ops_common import TensorOp
from graphbuilder.catalog.ports import Inputs, Misfit, wrong_rank
from graphbuilder.catalog.tensor import BATCH, TensorType

__all__ = ["Stft"]


def _window(value: Any) -> Any:
    if value is None or value in ("hann", "hamming"):
        return value
    if not isinstance(value, (list, tuple)) or any(not isinstance(item, (int, float)) for item in value):
        raise refuse("hann, hamming, null, or a list of sequence_length numbers")
    return tuple(float(item) for item in value)


_WINDOW_SCHEMA = {"anyOf": [{"enum": ["hann", "hamming", None]}, {"type": "array", "items": {"type": "number"}}]}
_Window = Annotated[
    Literal["hann", "hamming"] | tuple[float, ...] | None,
    BeforeValidator(_window),
    WithJsonSchema(_WINDOW_SCHEMA),
]


class Stft(TensorOp):
    """The short-time Fourier transform along the last axis: two outputs, the real and the imaginary part."""

    family = "signal"
    takes = frozenset({"float32", "float64"})
    examples = (
        Example({"sequence_length": 256, "sequence_stride": 128, "fft_length": 256}, (TensorType((BATCH, 16000)),)),
    )

    sequence_length: NonNegativeInt = argument("samples of each window")
    sequence_stride: PositiveInt = argument("samples from one window to the next")
    fft_length: PositiveInt = argument("length of the transform, at least sequence_length")
    window: _Window = argument("what each stretch is weighted with: hann, hamming, null for none, or numbers", "hann")
    center: bool = argument(
        "whether the signal is mirrored at its ends so that windows are centred on their samples", True
    )

    @model_validator(mode="after")
    def _lengths(self) -> Stft:
        if self.fft_length < self.sequence_length:
            raise conflict(
                "fft_length",
                f"fft_length is {self.fft_length}, less than sequence_length {self.sequence_length}",
                f"at least {self.sequence_length}",
            )
        if isinstance(self.window, tuple) and len(self.window) != self.sequence_length:
            raise conflict(
                "window", f"window has {len(self.window)} numbers", f"{self.sequence_length}, as sequence_length says"
            )
        return self

    def output_count(self, call: Mapping[str, Any]) -> int | None:
        return 2

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        if given.shape == (BATCH,):
            raise wrong_rank(given, "(batch, …, samples)", "give each sample a signal")
        size = given.shape[axis_of(-1, given.rank)]
        windows: int | None = None
        if isinstance(size, int):
            half = self.fft_length // 2
            least = half + 1 if self.center else self.fft_length
            if size < least:
                raise Misfit(
                    f"the signal has {size} samples, too few for fft_length {self.fft_length}",
                    found=str(size),
                    expected=f"at least {least}",
                    hint="use a shorter fft_length and sequence_length",
                )
            windows = 1 + (size + (2 * half if self.center else 0) - self.fft_length) // self.sequence_stride
        spectrum = given.with_shape((*given.shape[:-1], windows, self.fft_length // 2 + 1))
        return spectrum, spectrum
