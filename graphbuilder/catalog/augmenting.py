"""What layers share that change images by chance in training: their axes, and the types of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from graphbuilder.catalog.arguments import refuse
from graphbuilder.catalog.checks import Takes, require_dtype
from graphbuilder.catalog.entry import LayerEntry, Masking, Outputs
from graphbuilder.catalog.meaning import Keeping
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit, Port
from graphbuilder.catalog.tensor import TensorType, shape_text
from graphbuilder.catalog.windows import split_image

__all__ = ["SEED", "Augmentation", "Factor", "NumberRange", "SignedFactor", "strength", "strength_schema"]

SEED = "start of the random numbers, to draw the same ones again; null draws others each time"

Numbers: TypeAlias = float | tuple[float, float]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def strength(least: float, most: float, *, least_too: bool = True) -> Callable[[Any], Any]:
    """A validator of one number, or of a list of two between which each image draws its own.

    Arguments:
        least: the smallest number.
        most: the largest.
        least_too: whether the smallest may be given itself.
    """
    expected = f"a number {'from' if least_too else 'above'} {least:g} to {most:g}, or a list of two"

    def parse(value: Any) -> Any:
        several = isinstance(value, (list, tuple))
        items = value if several else (value,)
        fits = all(_is_number(item) and least <= item <= most and (least_too or item > least) for item in items)
        if not fits or len(items) != (2 if several else 1):
            raise refuse(expected)
        # The smaller one first, which tf_keras insists on and Keras 3 sees to itself.
        numbers = sorted(map(float, items))
        return tuple(numbers) if several else numbers[0]

    return parse


def strength_schema(least: float, most: float, *, least_too: bool = True) -> WithJsonSchema:
    """The JSON Schema of what `strength` takes."""
    one = {"type": "number", "minimum" if least_too else "exclusiveMinimum": least, "maximum": most}
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": one, "minItems": 2, "maxItems": 2}]})


Factor = Annotated[Numbers, BeforeValidator(strength(0, 1)), strength_schema(0, 1)]
SignedFactor = Annotated[Numbers, BeforeValidator(strength(-1, 1)), strength_schema(-1, 1)]


def _range(value: Any) -> Any:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(map(_is_number, value)):
        raise refuse("a list of two numbers: of the darkest pixel and of the brightest")
    return tuple(map(float, value))


# The pixels of 8 bits, unless a blueprint says otherwise.
NumberRange = Annotated[
    tuple[float, float],
    BeforeValidator(_range),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]

_COLOURS = {1: "grayscale (1 channel)", 3: "red, green and blue (3 channels)"}


class Augmentation(LayerEntry):
    """What layers share that change each image by chance in training, and hand images on at inference."""

    family = "augmentation"
    masking = Masking.LOSES
    keeping = Keeping.PLACES
    ports = (Port("data", about="images (batch, height, width, channels)"),)
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "training": CallArgument(bool, True, "whether to change the images; left out, it is done in training only")
    }
    takes: ClassVar[Takes] = Takes.NUMBERS
    coloured: ClassVar[tuple[int, ...]] = ()

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if inputs.call.get("training") is not False:
            require_dtype(given, self.takes, type(self).name())
        data_format = getattr(self, "data_format", None)
        _, channels = split_image(given, 2, data_format)
        taken = self.channels()
        if taken and isinstance(channels, int) and channels not in taken:
            first = given.shape[1] in taken and data_format is None
            raise Misfit(
                f"{type(self).name()} changes colours, and images {shape_text(given.shape)} have {channels} "
                f"channel{'s' if channels != 1 else ''}",
                found=str(channels),
                expected=" or ".join(_COLOURS[count] for count in taken),
                hint="write data_format: channels_first" if first else None,
            )
        return self.images(given)

    def channels(self) -> tuple[int, ...]:
        """How many channels the images may have; none where it does not matter."""
        return self.coloured

    def images(self, given: TensorType) -> TensorType:
        """The type of the changed images."""
        return TensorType(given.shape, self.compute_dtype)
