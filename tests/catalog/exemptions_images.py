"""Where the catalog may differ from Keras in layers that change images, each with the reason."""

from __future__ import annotations

from graphbuilder.catalog import BATCH, TensorType
from tests.catalog.exemption import Exemption, on
from tests.catalog.names import LAYERS, entry_kind

__all__ = ["IMAGES"]

_IMAGES = TensorType((BATCH, 12, 12, 3))


def _family(name: str) -> str | None:
    """The family of an entry; None where it cannot be loaded."""
    try:
        return entry_kind(name).family
    except ImportError:
        return None


# The layers that Keras lets run over single images in a pipeline of data.
_IMAGE_LAYERS = " ".join(["CenterCrop", "Resizing", *(name for name in LAYERS if _family(name) == "augmentation")])

IMAGES: tuple[Exemption, ...] = (
    Exemption(
        "RandomFlip",
        "Keras takes it",
        lambda finding: "mode: Input should be" in finding.ours,
        "Keras quietly flips nothing in a mode that it does not know, where the author made a slip",
        on("RandomFlip", {"mode": "bogus"}, _IMAGES),
    ),
    Exemption(
        _IMAGE_LAYERS,
        "Keras takes it",
        lambda finding: "value_range: a list of two numbers" in finding.ours,
        "Keras overlooks it where the numbers happen not to be used, or takes the first two",
        on("RandomInvert", {"value_range": [0.5, 0.1, 0.1]}, _IMAGES),
    ),
    Exemption(
        "MixUp AugMix",
        "Keras takes it",
        lambda finding: "alpha: Input should be" in finding.ours,
        "there is no beta distribution of a parameter below 0: what Keras draws is no number",
        on("MixUp", {"alpha": -0.5}, _IMAGES),
    ),
    Exemption(
        "RandAugment AugMix",
        "Keras takes it",
        lambda finding: "changes colours" in finding.ours,
        "Keras picks changes by chance, and some fail where there are not three channels",
        on("RandAugment", {}, TensorType((BATCH, 12, 12, 1))),
    ),
    Exemption(
        "AugMix",
        "Keras takes it",
        lambda finding: "chain_depth: Input should be" in finding.ours,
        "Keras makes no change fewer times than never, where the author made a slip",
        on("AugMix", {"chain_depth": -1}, _IMAGES),
    ),
    Exemption(
        "RandomColorJitter",
        "Keras takes it",
        lambda finding: "which Keras overlooks" in finding.ours,
        "Keras changes the axis that stands last all the same",
        on("RandomColorJitter", {"hue_factor": 0.1, "data_format": "channels_first"}, _IMAGES),
    ),
    Exemption(
        "RandomCrop",
        "Keras cannot compute it",
        lambda finding: "where it announced" in finding.theirs,
        "Keras announces the piece and hands whole images on at inference; the graph is checked by what it announces",
        on("RandomCrop", {"height": 6, "width": 6}, TensorType((BATCH, 12, 12, 3))),
    ),
    Exemption(
        "RandomContrast",
        "tf_keras refuses",
        lambda finding: "upper must be > lower" in finding.theirs,
        "tf_keras draws from no empty range; building such a twin says so",
        on("RandomContrast", {"factor": 0.0}, _IMAGES),
    ),
    Exemption(
        _IMAGE_LAYERS,
        "Keras takes it",
        lambda finding: next(finding.case.leaves()).rank == 3,
        "Keras also takes one image without a batch axis, which no value of a graph is",
        on("Resizing", {"height": 2, "width": 2}, TensorType((BATCH, 4, 4))),
    ),
)
