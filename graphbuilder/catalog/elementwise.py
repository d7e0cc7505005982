"""What layers share whose output has the shape of their input."""

from __future__ import annotations

from typing import ClassVar

from graphbuilder.catalog.checks import Takes, require_dtype
from graphbuilder.catalog.entry import LayerEntry, Masking, Outputs
from graphbuilder.catalog.meaning import Keeping
from graphbuilder.catalog.ports import Inputs
from graphbuilder.catalog.tensor import TensorType

__all__ = ["ElementwiseLayer"]


class ElementwiseLayer(LayerEntry):
    """A layer whose output has the input's shape, in the layer's compute dtype.

    That is what Keras states even where the input is of integers and the numbers computed are integers too.
    """

    masking = Masking.PASSES
    keeping = Keeping.PLACES
    takes: ClassVar[Takes] = Takes.FLOATS

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        require_dtype(given, self.computes(inputs), type(self).name())
        return TensorType(given.shape, self.compute_dtype)

    def computes(self, inputs: Inputs) -> Takes:
        """The dtypes with which the layer can compute, where its arguments or the call decide; `takes` otherwise."""
        return self.takes
