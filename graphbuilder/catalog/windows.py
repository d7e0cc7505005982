"""Shape arithmetic of everything that slides a window: convolutions and pooling."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.catalog.ports import Misfit, wrong_rank
from graphbuilder.catalog.tensor import Dim, Shape, TensorType, shape_text

__all__ = ["AXIS_NAMES", "join", "slide", "split_image"]

# The spatial axes by how many there are, for messages.
AXIS_NAMES: dict[int, tuple[str, ...]] = {
    1: ("steps",),
    2: ("height", "width"),
    3: ("depth", "height", "width"),
}


def split_image(tensor: TensorType, rank: int, data_format: str | None) -> tuple[Shape, Dim]:
    """The spatial axes and the channels of an input.

    Arguments:
        tensor: the input, (batch, *spatial, channels) or (batch, channels, *spatial).
        rank: how many spatial axes there must be.
        data_format: "channels_last" (None means it too) or "channels_first".

    Raises:
        Misfit: the input has another number of axes.
    """
    names = AXIS_NAMES[rank]
    if tensor.rank != rank + 2:
        channels_first = data_format == "channels_first"
        axes = ["channels", *names] if channels_first else [*names, "channels"]
        hint = None
        if tensor.rank == rank + 1:
            hint = "add a channels axis with a Reshape"
        elif tensor.rank > rank + 2:
            hint = "wrap the layer in TimeDistributed to apply it to each step" if tensor.rank == rank + 3 else None
        raise wrong_rank(tensor, f"(batch, {', '.join(axes)})", hint)
    if data_format == "channels_first":
        return tensor.shape[2:], tensor.shape[1]
    return tensor.shape[1:-1], tensor.shape[-1]


def join(batch: Dim, spatial: Sequence[Dim], channels: Dim, data_format: str | None) -> Shape:
    """The shape with these axes in the order of the data format."""
    if data_format == "channels_first":
        return (batch, channels, *spatial)
    return (batch, *spatial, channels)


def slide(
    spatial: Sequence[Dim],
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    padding: str,
) -> tuple[Dim, ...]:
    """The spatial axes after a window has slid over them.

    With padding "same" an axis of n becomes ⌈n / stride⌉; with "valid" it becomes ⌊(n − span) / stride⌋ + 1, where
    span = dilation · (window − 1) + 1; "causal" pads span − 1 in front and then acts as "valid". An unknown axis stays
    unknown, and keeps its name when its size cannot change.

    Raises:
        Misfit: the window is larger than an axis.

    Example:
        >>> slide((64, "width"), (3, 3), (2, 1), (1, 1), "same")
        (32, 'width')
        >>> slide((64, None), (3, 3), (1, 1), (1, 1), "valid")
        (62, None)
    """
    result: list[Dim] = []
    for index, (size, extent, stride, spread) in enumerate(zip(spatial, window, strides, dilation, strict=True)):
        span = spread * (extent - 1) + 1
        unchanged = stride == 1 and (padding != "valid" or span == 1)
        if unchanged:
            result.append(size)
        elif not isinstance(size, int):
            result.append(None)
        elif padding == "valid":
            if size < span:
                raise _too_large(spatial, index, span)
            result.append((size - span) // stride + 1)
        else:
            result.append(-(-size // stride))
    return tuple(result)


def _too_large(spatial: Sequence[Dim], index: int, span: int) -> Misfit:
    name = AXIS_NAMES[len(spatial)][index]
    return Misfit(
        f"a window of {span} does not fit into a {name} of {spatial[index]}",
        found=shape_text(spatial),
        expected=f"a {name} of at least {span}",
        hint="use padding: same, a smaller window, or fewer steps that shrink the input before it",
    )
