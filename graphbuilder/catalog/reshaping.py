"""Layers that rearrange values without computing any."""

from __future__ import annotations

from graphbuilder.catalog.arguments import DataFormat, argument
from graphbuilder.catalog.entry import Example, LayerEntry, Masking, Outputs
from graphbuilder.catalog.ports import Inputs
from graphbuilder.catalog.tensor import BATCH, TensorType, elements

__all__ = ["Flatten"]


class Flatten(LayerEntry):
    """Lays all axes but the batch out in one."""

    family = "reshaping"
    masking = Masking.LOSES
    examples = (Example({}, (TensorType((BATCH, 7, 7, 64)),)),)

    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        return TensorType((given.shape[0], elements(given.shape[1:])), self.cast(given.dtype))
