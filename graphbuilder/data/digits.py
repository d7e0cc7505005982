"""Scikit-learn's handwritten digits: real images that need no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphbuilder.catalog import shape_text
from graphbuilder.data.checks import offences
from graphbuilder.data.faults import Faults
from graphbuilder.data.parts import ArraySource, Data, IndexedPart
from graphbuilder.data.targets import class_targets, refuse_several
from graphbuilder.data.wants import Wanted, Wants
from graphbuilder.errors import Diagnostic, MissingError

if TYPE_CHECKING:
    import numpy

__all__ = ["NAME", "open_digits"]

NAME = "digits"

_CLASSES = tuple("0123456789")
# A quarter is for testing, the same quarter whatever is trained, so that results can be compared.
_TESTED = 0.25


def open_digits(wants: Wants) -> Data:
    """1,797 images of 8×8 pixels in 17 shades of grey, 1,348 to train on and 449 to test with.

    Arguments:
        wants: what the graph needs: one image of [8, 8, 1], [8, 8] or [64], or of another size, to which they are
            enlarged.

    Raises:
        BlueprintError: the graph does not take one image and tell classes apart.
        MissingError: scikit-learn is not installed.
    """
    faults = Faults(NAME)
    refuse_several(wants, faults, "images with one label each")
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        hint = 'pip install "graphbuilder[examples]"'
        raise MissingError(Diagnostic("GB604", f"the digits come with scikit-learn: {error}", hint=hint)) from error
    loaded = load_digits()
    given = wants.inputs[0]
    images = _shaped(loaded.images, given, faults)
    targets = class_targets(loaded.target, _CLASSES, wants, faults)
    faults.stop()
    assert images is not None
    whole = IndexedPart(ArraySource({given.name: images}, targets))
    train, test = whole.divided(_TESTED, 0)
    facts = (f"digits: {train.count:,} images to train on, {test.count:,} to test with",)
    named = {wanted.name: _CLASSES for wanted in wants.outputs}
    return Data(NAME, wants, train, test=test, vocabularies=named, fingerprint="digits", facts=facts)


def _shaped(images: numpy.ndarray, given: Wanted, faults: Faults) -> numpy.ndarray | None:
    """The images in the shape and dtype of an input, from 0 to 1 where it takes floats."""
    shape = given.shape or ()
    if given.dtype in ("string", "bool") or given.dtype.startswith("complex"):
        faults.add("GB706", "the digits are shades of grey", node=given.name, found="float32", expected=given.dtype)
        return None
    floats = "float" in given.dtype
    dtype = "float32" if given.dtype == "bfloat16" else given.dtype
    images = images / 16 if floats else images
    if shape == (64,):
        return images.reshape(len(images), 64).astype(dtype)
    if len(shape) not in (2, 3) or (len(shape) == 3 and not isinstance(shape[2], int)):
        faults.add(
            "GB705",
            f"the digits have shape {shape_text(('samples', 8, 8, 1))}",
            node=given.name,
            expected=shape_text(("samples", *shape)),
            hint="give the input the shape [8, 8, 1], [8, 8] or [64]",
        )
        return None
    height, width = (dim if isinstance(dim, int) else 8 for dim in shape[:2])
    sized = images if (height, width) == (8, 8) else _resized(images, height, width)
    if len(shape) == 3:
        import numpy as np

        sized = np.repeat(sized[..., None], int(shape[2] or 1), axis=-1)
    ready = sized.astype(dtype)
    return None if any(faults.errors) or offences(ready, given) else ready


def _resized(images: numpy.ndarray, height: int, width: int) -> numpy.ndarray:
    """Images of another size, each pixel interpolated between the four nearest."""
    import numpy as np

    for axis, size in ((1, height), (2, width)):
        old = images.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, old - 1)
        share = (at - low).reshape([-1 if each == axis else 1 for each in range(3)])
        images = np.take(images, low, axis) * (1 - share) + np.take(images, high, axis) * share
    return images
