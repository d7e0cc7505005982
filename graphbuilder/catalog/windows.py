"""Sequences, images and volumes: their axes, and the arithmetic of windows that slide over them."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.catalog.checks import Takes, require_dtype
from graphbuilder.catalog.ports import Misfit, wrong_rank
from graphbuilder.catalog.tensor import Dim, Shape, TensorType, shape_text

__all__ = ["AXIS_NAMES", "axis_text", "join", "require_pixels", "slide", "slide_back", "split_image"]

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


def axis_text(spatial: Sequence[Dim], index: int) -> str:
    """One of the spatial axes as a message calls it.

    Example:
        >>> axis_text((28, 32), 1), axis_text((100,), 0)
        ('a width of 32', '100 steps')
    """
    size, name = spatial[index], AXIS_NAMES[len(spatial)][index]
    if name == "steps":
        return "1 step" if size == 1 else f"{size} steps"
    return f"a {name} of {size}"


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
    span = dilation · (window − 1) + 1; "causal" pads span − 1 in front and then acts as "valid", which is "same" again.
    An unknown axis stays unknown, and keeps its name when its size cannot change.

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


def slide_back(
    spatial: Sequence[Dim],
    window: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    padding: str,
    extra: Sequence[int] | None,
) -> tuple[Dim, ...]:
    """The spatial axes of an image from which `slide` would give these: what a transposed convolution makes of them.

    With span = dilation · (window − 1) + 1, an axis of n becomes n · stride with padding "same", and
    (n − 1) · stride + max(span, stride) with "valid". Stated extra positions replace what these choose by themselves:
    (n − 1) · stride + (span mod 2) + extra, and (n − 1) · stride + span + extra.

    Arguments:
        spatial: the axes.
        window: the extent of the kernel along each.
        strides: its step along each.
        dilation: the spacing of its elements along each.
        padding: "valid" or "same".
        extra: `output_padding`, or None.

    Raises:
        Misfit: no image of the stated size would give these axes.

    Example:
        >>> slide_back((32, "width"), (3, 3), (2, 1), (1, 1), "same", None)
        (64, 'width')
    """
    result: list[Dim] = []
    for index, (size, extent, stride, spread) in enumerate(zip(spatial, window, strides, dilation, strict=True)):
        span = spread * (extent - 1) + 1
        if padding == "same":
            added = stride if extra is None else span % 2 + extra[index]
        else:
            added = max(span, stride) if extra is None else span + extra[index]
        if added < 1:
            raise Misfit(
                f"output_padding is {extra[index] if extra else 0} along the {AXIS_NAMES[len(spatial)][index]} of a "
                f"kernel that spans {span}, which leaves no place for the last window",
                expected="at least 1 beside padding: same and an even span",
                hint="leave output_padding out: the output is then strides times as large as the input",
                code="GB203",
                argument="output_padding",
            )
        if stride == 1 and added == 1:
            result.append(size)
        else:
            result.append((size - 1) * stride + added if isinstance(size, int) else None)
    return tuple(result)


def require_pixels(tensor: TensorType, who: str) -> None:
    """Refuses a tensor for which TensorFlow has no kernel that compares or mixes neighbours.

    Arguments:
        tensor: the input.
        who: what computes, as it begins a sentence.

    Raises:
        Misfit: the dtype is not a float, nor an integer of a kind that images have.
    """
    require_dtype(tensor, Takes.FLOATS_OR_INTEGERS, who)
    if tensor.dtype in ("uint32", "uint64"):
        raise Misfit(
            f"{who} cannot compute with {tensor.dtype}",
            found=tensor.dtype,
            expected="a float dtype, a signed integer, uint8 or uint16",
            hint="cast it first, with {op: cast, dtype: float32}",
            code="GB305",
        )


def _too_large(spatial: Sequence[Dim], index: int, span: int) -> Misfit:
    name = AXIS_NAMES[len(spatial)][index]
    return Misfit(
        f"a window of {span} does not fit into {axis_text(spatial, index)}",
        found=shape_text(spatial),
        expected=f"at least {span} steps" if name == "steps" else f"a {name} of at least {span}",
        hint="use padding: same, a smaller window, or fewer steps that shrink the input before it",
    )
