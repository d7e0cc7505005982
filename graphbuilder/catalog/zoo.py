"""The models of keras.applications that ship as blueprints: which function of Keras each one is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ZOO", "ZooModel"]


@dataclass(frozen=True, slots=True)
class ZooModel:
    """A model of keras.applications.

    Arguments:
        function: Keras's function that makes it, `keras.applications.<function>`.
        module: Keras's module that holds its `preprocess_input`, `keras.applications.<module>`.
        size: height and width of the images that its published weights were trained with.
        arguments: those of the blueprint's params that are arguments of the function and choose the published weights.
        imagenet: params that the published weights were trained with, where they are not the defaults.
        resolutions: the heights and widths of images for each of which weights of their own are published; where there
            are none, those of `size` are for all.
    """

    function: str
    module: str
    size: int = 224
    arguments: tuple[str, ...] = ("include_top",)
    imagenet: Mapping[str, Any] = field(default_factory=dict)
    resolutions: tuple[int, ...] = ()


_EFFICIENTNET = {"b0": 224, "b1": 240, "b2": 260, "b3": 300, "b4": 380, "b5": 456, "b6": 528, "b7": 600}
_EFFICIENTNET_V2 = {"b0": 224, "b1": 240, "b2": 260, "b3": 300, "s": 384, "m": 480, "l": 480}
_CONVNEXT = {"tiny": "Tiny", "small": "Small", "base": "Base", "large": "Large", "xlarge": "XLarge"}
_WIDTHS = ("include_top", "alpha")

# By the name of the blueprint, without `zoo.`; the families in the order of their papers.
ZOO: Mapping[str, ZooModel] = {
    **{f"vgg{depth}": ZooModel(f"VGG{depth}", f"vgg{depth}") for depth in (16, 19)},
    **{f"resnet{depth}": ZooModel(f"ResNet{depth}", "resnet") for depth in (50, 101, 152)},
    **{f"resnet{depth}_v2": ZooModel(f"ResNet{depth}V2", "resnet_v2") for depth in (50, 101, 152)},
    "inception_v3": ZooModel("InceptionV3", "inception_v3", 299),
    "inception_resnet_v2": ZooModel("InceptionResNetV2", "inception_resnet_v2", 299),
    "xception": ZooModel("Xception", "xception", 299),
    **{f"densenet{depth}": ZooModel(f"DenseNet{depth}", "densenet") for depth in (121, 169, 201)},
    "mobilenet": ZooModel("MobileNet", "mobilenet", arguments=_WIDTHS, resolutions=(128, 160, 192, 224)),
    "mobilenet_v2": ZooModel("MobileNetV2", "mobilenet_v2", arguments=_WIDTHS, resolutions=(96, 128, 160, 192, 224)),
    "mobilenet_v3_small": ZooModel("MobileNetV3Small", "mobilenet_v3", arguments=(*_WIDTHS, "minimalistic")),
    "mobilenet_v3_large": ZooModel("MobileNetV3Large", "mobilenet_v3", arguments=(*_WIDTHS, "minimalistic")),
    "nasnet_mobile": ZooModel("NASNetMobile", "nasnet"),
    "nasnet_large": ZooModel("NASNetLarge", "nasnet", 331),
    **{
        # Keras divides by the square root of the deviation where it loads the published weights, and only there.
        f"efficientnet_{name}": ZooModel(
            f"EfficientNet{name.upper()}", "efficientnet", size, imagenet={"imagenet_rescaling": True}
        )
        for name, size in _EFFICIENTNET.items()
    },
    **{
        f"efficientnet_v2_{name}": ZooModel(f"EfficientNetV2{name.upper()}", "efficientnet_v2", size)
        for name, size in _EFFICIENTNET_V2.items()
    },
    **{f"convnext_{name}": ZooModel(f"ConvNeXt{size}", "convnext") for name, size in _CONVNEXT.items()},
}
