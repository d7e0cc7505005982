"""Large graphs to draw, written as blueprints: EfficientNetB7 and NASNetLarge as keras.applications builds them."""

from __future__ import annotations

import json
from functools import cache
from math import ceil
from typing import Any

from graphbuilder.blueprint import Document, parse_blueprint

__all__ = ["document_of", "efficientnet_b7", "nasnet_large", "residual_towers"]


class _Writer:
    """Collects the nodes of a blueprint."""

    def __init__(self, shape: list[int]) -> None:
        self.shape = shape
        self.nodes: dict[str, dict[str, Any]] = {}
        self.counts: dict[str, int] = {}

    def add(self, layer: str, source: str | list[str], name: str | None = None, **arguments: Any) -> str:
        """Adds a node, under a name as Keras would give it unless it has one."""
        if name is None:
            stem = layer.lower()
            count = self.counts.get(stem, 0)
            self.counts[stem] = count + 1
            name = f"{stem}_{count}" if count else stem
        while name in self.nodes:  # NASNet gives one name twice, in different scopes
            name = f"{name}_again"
        self.nodes[name] = {"layer": layer, "from": source, **arguments}
        return name

    def text(self, name: str) -> str:
        """The blueprint, one node a line."""
        lines = ["blueprint: 1", f"name: {name}", f"inputs: {{image: {{shape: {self.shape}}}}}", "nodes:"]
        lines += [f"  {key}: {json.dumps(node)}" for key, node in self.nodes.items()]
        return "\n".join(lines) + "\n"


def document_of(text: str) -> Document:
    """The document of a text."""
    return parse_blueprint(text, name="large.yaml")


# Kernel size, repeats, filters in and out, expansion, strides: as in keras.applications.efficientnet.
_STAGES = (
    (3, 1, 32, 16, 1, 1), (3, 2, 16, 24, 6, 2), (5, 2, 24, 40, 6, 2), (3, 3, 40, 80, 6, 2), (5, 3, 80, 112, 6, 1),
    (5, 4, 112, 192, 6, 2), (3, 1, 192, 320, 6, 1),
)  # fmt: skip


def _round(filters: float, divisor: int = 8) -> int:
    rounded = max(divisor, int(filters + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * filters else rounded


@cache
def efficientnet_b7(size: int = 600) -> str:
    """EfficientNetB7 (Tan and Le 2019, https://arxiv.org/abs/1905.11946): 816 nodes with its input, 918 edges."""
    writer = _Writer([size, size, 3])
    x = writer.add("Rescaling", "image", scale=1 / 255)
    x = writer.add("Normalization", x, mean=[0.5, 0.5, 0.5], variance=[0.25, 0.25, 0.25])
    x = writer.add("ZeroPadding2D", x, "stem_conv_pad", padding=[[0, 1], [0, 1]])
    x = writer.add("Conv2D", x, "stem_conv", filters=_round(64), kernel_size=3, strides=2, use_bias=False)
    x = writer.add("BatchNormalization", x, "stem_bn")
    x = writer.add("Activation", x, "stem_activation", activation="silu")
    for stage, (kernel, repeats, filters_in, filters_out, expansion, strides) in enumerate(_STAGES):
        inside, outside = _round(2 * filters_in), _round(2 * filters_out)
        for repeat in range(ceil(3.1 * repeats)):
            name = f"block{stage + 1}{chr(97 + repeat)}_"
            first = inside if repeat == 0 else outside
            x = _inverted(writer, x, name, first, outside, kernel, expansion, strides if repeat == 0 else 1,
                          drops=stage + repeat > 0)  # fmt: skip
    x = writer.add("Conv2D", x, "top_conv", filters=_round(2560), kernel_size=1, use_bias=False)
    x = writer.add("BatchNormalization", x, "top_bn")
    x = writer.add("Activation", x, "top_activation", activation="silu")
    x = writer.add("GlobalAveragePooling2D", x, "avg_pool")
    x = writer.add("Dropout", x, "top_dropout", rate=0.5)
    writer.add("Dense", x, "predictions", units=1000, activation="softmax")
    return writer.text("efficientnet_b7")


def _inverted(
    writer: _Writer, x: str, name: str, filters_in: int, filters_out: int, kernel: int, expansion: int, strides: int,
    *, drops: bool,
) -> str:  # fmt: skip
    before, filters = x, filters_in * expansion
    if expansion != 1:
        x = writer.add("Conv2D", x, f"{name}expand_conv", filters=filters, kernel_size=1, use_bias=False)
        x = writer.add("BatchNormalization", x, f"{name}expand_bn")
        x = writer.add("Activation", x, f"{name}expand_activation", activation="silu")
    if strides == 2:
        pad = kernel // 2
        x = writer.add("ZeroPadding2D", x, f"{name}dwconv_pad", padding=[[pad - 1, pad], [pad - 1, pad]])
    padding = "valid" if strides == 2 else "same"
    x = writer.add(
        "DepthwiseConv2D", x, f"{name}dwconv", kernel_size=kernel, strides=strides, padding=padding, use_bias=False
    )
    x = writer.add("BatchNormalization", x, f"{name}bn")
    x = writer.add("Activation", x, f"{name}activation", activation="silu")
    gate = writer.add("GlobalAveragePooling2D", x, f"{name}se_squeeze")
    gate = writer.add("Reshape", gate, f"{name}se_reshape", target_shape=[1, 1, filters])
    squeezed = max(1, filters_in // 4)
    gate = writer.add("Conv2D", gate, f"{name}se_reduce", filters=squeezed, kernel_size=1, activation="silu")
    gate = writer.add("Conv2D", gate, f"{name}se_expand", filters=filters, kernel_size=1, activation="sigmoid")
    x = writer.add("Multiply", [x, gate], f"{name}se_excite")
    x = writer.add("Conv2D", x, f"{name}project_conv", filters=filters_out, kernel_size=1, use_bias=False)
    x = writer.add("BatchNormalization", x, f"{name}project_bn")
    if strides == 1 and filters_in == filters_out:
        if drops:
            x = writer.add("Dropout", x, f"{name}drop", rate=0.2, noise_shape=[None, 1, 1, 1])
        x = writer.add("Add", [x, before], f"{name}add")
    return x


@cache
def nasnet_large(size: int = 331) -> str:
    """NASNetLarge (Zoph et al. 2018, https://arxiv.org/abs/1707.07012): 1,041 nodes with its input, 1,256 edges."""
    nasnet = _NASNet(_Writer([size, size, 3]))
    return nasnet.write()


class _NASNet:
    """Writes NASNetLarge: 6 cells a stage, 4,032 filters at the end, reductions skipped."""

    def __init__(self, writer: _Writer) -> None:
        self.writer = writer
        self.add = writer.add
        # How often each node's image has been halved, and its channels, which decide how a cell adjusts its input.
        self.scales: dict[str, tuple[int, int]] = {}

    def write(self) -> str:
        filters = 4032 // 24
        x = self.add("Conv2D", "image", "stem_conv1", filters=96, kernel_size=3, strides=2, use_bias=False)
        x = self.add("BatchNormalization", x, "stem_bn1")
        self.scales[x] = (1, 96)
        p: str | None = None
        x, p = self._reduction(x, p, filters // 4, "stem_1")
        x, p = self._reduction(x, p, filters // 2, "stem_2")
        for stage in range(3):
            width = filters * 2**stage
            if stage:
                x, _ = self._reduction(x, p, width, f"reduce_{6 * stage}")
            for cell in range(6):
                x, p = self._normal(x, p, width, str(6 * stage + cell + (1 if stage else 0)))
        x = self.add("Activation", x, activation="relu")
        x = self.add("GlobalAveragePooling2D", x)
        self.add("Dense", x, "predictions", units=1000, activation="softmax")
        return self.writer.text("nasnet_large")

    def _norm(self, x: str, name: str) -> str:
        return self.add("BatchNormalization", x, name, momentum=0.9997)

    def _separable(self, x: str, filters: int, kernel: int, name: str, *, halves: bool = False) -> str:
        x = self.add("Activation", x, activation="relu")
        if halves:
            pad = kernel // 2
            x = self.add("ZeroPadding2D", x, f"separable_conv_1_pad_{name}", padding=pad)
        for number in (1, 2):
            padding = "valid" if halves and number == 1 else "same"
            x = self.add(
                "SeparableConv2D", x, f"separable_conv_{number}_{name}", filters=filters, kernel_size=kernel,
                strides=2 if halves and number == 1 else 1, padding=padding, use_bias=False,
            )  # fmt: skip
            x = self._norm(x, f"separable_conv_{number}_bn_{name}")
            if number == 1:
                x = self.add("Activation", x, activation="relu")
        return x

    def _adjusted(self, p: str | None, ip: str, filters: int, name: str) -> str:
        if p is None:
            return ip
        if self.scales[p][0] != self.scales[ip][0]:
            p = self.add("Activation", p, f"adjust_relu_1_{name}", activation="relu")
            left = self.add("AveragePooling2D", p, f"adjust_avg_pool_1_{name}", pool_size=1, strides=2)
            left = self.add(
                "Conv2D", left, f"adjust_conv_1_{name}", filters=filters // 2, kernel_size=1, use_bias=False
            )
            right = self.add("ZeroPadding2D", p, padding=[[0, 1], [0, 1]])
            right = self.add("Cropping2D", right, cropping=[[1, 0], [1, 0]])
            right = self.add("AveragePooling2D", right, f"adjust_avg_pool_2_{name}", pool_size=1, strides=2)
            right = self.add(
                "Conv2D", right, f"adjust_conv_2_{name}", filters=filters // 2, kernel_size=1, use_bias=False
            )
            return self._norm(self.add("Concatenate", [left, right]), f"adjust_bn_{name}")
        if self.scales[p][1] != filters:
            p = self.add("Activation", p, activation="relu")
            p = self.add("Conv2D", p, f"adjust_conv_projection_{name}", filters=filters, kernel_size=1, use_bias=False)
            return self._norm(p, f"adjust_bn_{name}")
        return p

    def _entry(self, ip: str, filters: int, kind: str, name: str) -> str:
        h = self.add("Activation", ip, activation="relu")
        h = self.add("Conv2D", h, f"{kind}_conv_1_{name}", filters=filters, kernel_size=1, use_bias=False)
        return self._norm(h, f"{kind}_bn_1_{name}")

    def _normal(self, ip: str, p: str | None, filters: int, name: str) -> tuple[str, str]:
        p = self._adjusted(p, ip, filters, name)
        h = self._entry(ip, filters, "normal", name)
        add, pool = self.add, {"pool_size": 3, "strides": 1, "padding": "same"}
        left = self._separable(h, filters, 5, f"normal_left1_{name}")
        x1 = add("Add", [left, self._separable(p, filters, 3, f"normal_right1_{name}")], f"normal_add_1_{name}")
        left = self._separable(p, filters, 5, f"normal_left2_{name}")
        x2 = add("Add", [left, self._separable(p, filters, 3, f"normal_right2_{name}")], f"normal_add_2_{name}")
        left = add("AveragePooling2D", h, f"normal_left3_{name}", **pool)
        x3 = add("Add", [left, p], f"normal_add_3_{name}")
        left = add("AveragePooling2D", p, f"normal_left4_{name}", **pool)
        right = add("AveragePooling2D", p, f"normal_right4_{name}", **pool)
        x4 = add("Add", [left, right], f"normal_add_4_{name}")
        x5 = add("Add", [self._separable(h, filters, 3, f"normal_left5_{name}"), h], f"normal_add_5_{name}")
        x = add("Concatenate", [p, x1, x2, x3, x4, x5], f"normal_concat_{name}")
        self.scales[x] = (self.scales[ip][0], 6 * filters)
        return x, ip

    def _reduction(self, ip: str, p: str | None, filters: int, name: str) -> tuple[str, str]:
        p = self._adjusted(p, ip, filters, name)
        h = self._entry(ip, filters, "reduction", name)
        add = self.add
        padded = add("ZeroPadding2D", h, f"reduction_pad_1_{name}", padding=1)
        left = self._separable(h, filters, 5, f"reduction_left1_{name}", halves=True)
        right = self._separable(p, filters, 7, f"reduction_right1_{name}", halves=True)
        x1 = add("Add", [left, right], f"reduction_add_1_{name}")
        left = add("MaxPooling2D", padded, f"reduction_left2_{name}", pool_size=3, strides=2)
        right = self._separable(p, filters, 7, f"reduction_right2_{name}", halves=True)
        x2 = add("Add", [left, right], f"reduction_add_2_{name}")
        left = add("AveragePooling2D", padded, f"reduction_left3_{name}", pool_size=3, strides=2)
        right = self._separable(p, filters, 5, f"reduction_right3_{name}", halves=True)
        x3 = add("Add", [left, right], f"reduction_add3_{name}")
        x4 = add("AveragePooling2D", x1, f"reduction_left4_{name}", pool_size=3, strides=1, padding="same")
        x4 = add("Add", [x2, x4])
        left = self._separable(x1, filters, 3, f"reduction_left4_{name}")
        right = add("MaxPooling2D", padded, f"reduction_right5_{name}", pool_size=3, strides=2)
        x5 = add("Add", [left, right], f"reduction_add4_{name}")
        x = add("Concatenate", [x2, x3, x4, x5], f"reduction_concat_{name}")
        self.scales[x] = (self.scales[ip][0] + 1, 4 * filters)
        return x, ip


@cache
def residual_towers(nodes: int, towers: int = 4) -> str:
    """Towers of residual blocks beside each other, all fed by one input and joined in the end.

    Arguments:
        nodes: about how many nodes there are.
        towers: how many towers.
    """
    writer = _Writer([32, 32, 64])
    ends = []
    for tower in range(towers):
        x = "image"
        for block in range(nodes // towers // 6):
            name, before = f"tower_{tower}_block_{block}", x
            for number in (1, 2):
                x = writer.add("Conv2D", x, f"{name}_conv_{number}", filters=64, kernel_size=3, padding="same")
                x = writer.add("BatchNormalization", x, f"{name}_norm_{number}")
            x = writer.add("Add", [x, before], f"{name}_sum")
            x = writer.add("Activation", x, f"{name}_out", activation="relu")
        ends.append(x)
    writer.add("Concatenate", ends, "joined")
    return writer.text("towers")
