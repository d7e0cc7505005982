"""Folders of images, one folder for each class; images are decoded when their batch is due."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from graphbuilder.catalog import shape_text
from graphbuilder.data.faults import Faults, counted, listed
from graphbuilder.data.image_files import header_fault
from graphbuilder.data.parts import PURPOSES, Batch, Data, IndexedPart
from graphbuilder.data.targets import class_targets, refuse_several
from graphbuilder.data.wants import Wanted, Wants
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.graph import Graph, Layer

if TYPE_CHECKING:
    import numpy

__all__ = ["Decode", "ImageSource", "Pixels", "open_images", "pixels_for"]

# How the brightness of a pixel is told to the model.
Pixels: TypeAlias = Literal["auto", "0..1", "-1..1", "0..255"]
# Makes pixels from 0 to 255 of an image file's bytes: (bytes, height, width, channels) → an array of floats.
Decode: TypeAlias = "Callable[[bytes, int, int, int], numpy.ndarray]"

_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp"}
_PARTS = {"train": "train", "training": "train", "validation": "validation", "val": "validation", "test": "test"}


def pixels_for(asked: Pixels, graph: Graph) -> Pixels:
    """How pixels are told to a graph's only input: from 0 to 255 where it scales them itself or takes integers.

    Arguments:
        asked: what the user asked for.
        graph: the model.
    """
    if asked != "auto" or len(graph.inputs) != 1:
        return asked
    value = next(iter(graph.inputs.values())).value
    fed = [call for call in graph.calls.values() if any(value is each for each in call.inputs())]
    scaled = bool(fed) and all(isinstance(call.target, Layer) and call.target.kind == "Rescaling" for call in fed)
    integers = value.type is not None and "int" in value.type.dtype
    return "0..255" if scaled or integers else "0..1"


@dataclass(frozen=True, slots=True, eq=False)
class ImageSource:
    """Image files, each with a target.

    Arguments:
        paths: the files.
        targets: the target of each, by the output's name.
        wanted: the input that takes them, its sizes all known.
        pixels: how brightness is told.
        decode: reads one file's bytes.
    """

    paths: Sequence[Path]
    targets: dict[str, numpy.ndarray]
    wanted: Wanted
    pixels: Pixels
    decode: Decode

    @property
    def count(self) -> int:
        """How many images there are."""
        return len(self.paths)

    def read(self, indices: numpy.ndarray) -> Batch:
        """The images of these indices, decoded side by side.

        Raises:
            BlueprintError: a file can no longer be read or decoded.
        """
        import numpy as np

        with ThreadPoolExecutor(8) as pool:
            images = np.stack(list(pool.map(self._image, [self.paths[at] for at in indices])))
        if self.pixels == "0..1":
            images = images / 255
        elif self.pixels == "-1..1":
            images = images / 127.5 - 1
        dtype = "float32" if self.wanted.dtype == "bfloat16" else self.wanted.dtype
        if "int" in dtype:
            images = np.rint(images)
        shaped = images.reshape(len(images), *(int(str(dim)) for dim in self.wanted.shape or ()))
        return {self.wanted.name: shaped.astype(dtype)}, {name: held[indices] for name, held in self.targets.items()}

    def _image(self, path: Path) -> Any:
        height, width, *rest = (int(str(dim)) for dim in self.wanted.shape or ())
        try:
            return self.decode(path.read_bytes(), height, width, rest[0] if rest else 1)
        except OSError as error:
            message = f"it cannot be read: {error.strerror or error}"
            raise BlueprintError(Diagnostic("GB701", message, file=str(path))) from error
        except ValueError as error:
            message = f"the image cannot be decoded: {' '.join(str(error).split())[:200]}"
            raise BlueprintError(Diagnostic("GB701", message, file=str(path))) from error

    def arrays(self) -> Batch | None:
        """None: images are not held in memory."""
        return None


def open_images(folder: Path, name: str, wants: Wants, decode: Decode, pixels: Pixels) -> Data:
    """The images of a folder: `cat/*.png`, `dog/*.png`, below `train`, `validation` and `test` if there are such.

    Every file's header and end are looked at, so that damaged files are told before the first step.

    Arguments:
        folder: the folder.
        name: what messages call it.
        wants: what the graph needs: one image and its class.
        decode: makes pixels of a file's bytes.
        pixels: how brightness is told.

    Raises:
        BlueprintError: with everything that does not fit.
    """
    faults = Faults(name)
    refuse_several(wants, faults, "images with one class each")
    wanted = wants.inputs[0]
    _check_input(wanted, faults)
    faults.stop()
    named = {_PARTS[entry.name]: entry for entry in _folders(folder) if entry.name in _PARTS}
    folders = {part: named[part] for part in dict.fromkeys(_PARTS.values()) if part in named}
    if "train" not in folders:
        folders = {"train": folder}
    classes = [entry.name for entry in _folders(folders["train"])]
    if not classes:
        faults.add("GB710", "the folder holds no folder of a class", expected="one folder for each class, with images")
    faults.stop()
    digest = hashlib.sha256(repr((classes, pixels)).encode())
    parts: dict[str, IndexedPart] = {}
    for part, place in folders.items():
        made = _part(place, classes, wants, faults, decode, pixels, digest)
        if made is not None:
            parts[part] = made
    faults.stop()
    facts = [
        f"{name}: " + ", ".join(f"{counted(held.count, 'image')} {PURPOSES[part]}" for part, held in parts.items())
    ]
    facts.append("classes: " + listed(f"{word} = {number}" for number, word in enumerate(classes)))
    facts.append(f"pixels: {pixels}, in images of {'×'.join(str(dim) for dim in (wanted.shape or ())[:2])}")
    return Data(
        name,
        wants,
        parts["train"],
        parts.get("validation"),
        parts.get("test"),
        {each.name: tuple(classes) for each in wants.outputs},
        digest.hexdigest(),
        tuple(facts),
        faults.warnings,
    )


def _folders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _check_input(wanted: Wanted, faults: Faults) -> None:
    """Notes an input that cannot be an image."""
    shape = wanted.shape or ()
    numeric = "float" in wanted.dtype or "int" in wanted.dtype
    if len(shape) not in (2, 3) or not numeric or (len(shape) == 3 and shape[2] not in (1, 3, 4)):
        faults.add(
            "GB705",
            f"{wanted.name} takes {wanted}",
            node=wanted.name,
            expected="an image, (samples, height, width, channels) with 1, 3 or 4 channels",
        )
    elif not all(isinstance(dim, int) for dim in shape):
        message = f"images are resized to the size of {wanted.name}, and {shape_text(shape)} does not say which"
        faults.add("GB705", message, node=wanted.name, hint="write its height and width in the blueprint")


def _part(
    folder: Path, classes: list[str], wants: Wants, faults: Faults, decode: Decode, pixels: Pixels, digest: Any
) -> IndexedPart | None:
    """The images of one part of a folder."""
    import numpy as np

    paths: list[Path] = []
    numbers: list[int] = []
    strange = [entry.name for entry in _folders(folder) if entry.name not in classes]
    if strange:
        message = f"{folder.name} has classes that are not trained on: {listed(strange)}"
        faults.add("GB708", message, expected=listed(classes))
    for number, word in enumerate(classes):
        place = folder / word
        files = sorted(entry for entry in place.rglob("*") if entry.is_file()) if place.is_dir() else []
        images = [entry for entry in files if entry.suffix.lower() in _ENDINGS]
        others = [entry.name for entry in files if entry.suffix.lower() not in _ENDINGS]
        if others:
            faults.warn("GB704", f"{word} holds what is no image: {listed(others, 3)}")
        if not images:
            faults.warn("GB710", f"there is no image of {word} in {folder.name}")
        paths += images
        numbers += [number] * len(images)
    if not paths:
        faults.add("GB710", f"{folder.name} holds no images", expected=f"files that end in {listed(sorted(_ENDINGS))}")
        return None
    _check_files(paths, faults, digest)
    targets = class_targets(np.array(numbers), classes, wants, faults)
    return IndexedPart(ImageSource(paths, targets, wants.inputs[0], pixels, decode))


def _check_files(paths: Iterable[Path], faults: Faults, digest: Any) -> None:
    """Notes files that are no whole images, by their first and last bytes."""
    for path in paths:
        try:
            fault = header_fault(path)
            digest.update(f"{path.parent.name}/{path.name} {path.stat().st_size}".encode())
        except OSError as error:
            fault = f"it cannot be read: {error.strerror or error}"
        if fault is not None:
            faults.found.append(Diagnostic("GB701", fault, file=str(path), hint="mend it or take it away"))
