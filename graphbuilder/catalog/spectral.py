"""Spectral normalization: a layer whose kernel is kept from stretching anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import model_validator

from graphbuilder.catalog.arguments import PositiveInt, argument, conflict
from graphbuilder.catalog.checks import Takes, known_axis, require_dtype
from graphbuilder.catalog.entry import Example, LayerEntry, Legacy, Masking, Outputs, Weight
from graphbuilder.catalog.meaning import Reading
from graphbuilder.catalog.nested import LayerSpec, held_names
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit
from graphbuilder.catalog.tensor import BATCH, TensorType

__all__ = ["SpectralNormalization"]

# The weights that Keras normalizes: the attribute `kernel`, or else `embeddings`.
_NORMALIZED = ("kernel", "embeddings")


class SpectralNormalization(LayerEntry):
    """Divides the kernel of the layer that it wraps by its largest singular value, at each step of training.

    Source: Miyato and others, 2018, https://arxiv.org/abs/1802.05957
    """

    family = "normalization"
    masking = Masking.LOSES
    legacy = Legacy(differs="it cannot be made where tf.keras is Keras 3")
    reading = Reading.QUANTITIES
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "training": CallArgument(bool, False, "whether the kernel is normalized")
    }
    examples = (
        Example({"layer": {"layer": "Dense", "units": 8}}, (TensorType((BATCH, 16)),)),
        Example({"layer": {"layer": "Conv2D", "filters": 4, "kernel_size": 3}}, (TensorType((BATCH, 12, 12, 3)),)),
    )

    layer: LayerSpec = argument("the layer whose kernel is normalized")
    power_iterations: PositiveInt = argument("how often the largest singular value is approached at each step", 1)

    @model_validator(mode="after")
    def _has_one_input(self) -> SpectralNormalization:
        held = self.layer
        required = [port for port in held.ports if not port.optional]
        if len(required) != 1 or held.ports[0].many or held.output_count({}) is not None:
            told = f"SpectralNormalization calls {type(held).name()} with one tensor and takes one"
            raise conflict(("layer", "layer"), told, "a layer of one input and one output, with a kernel")
        return self

    def _within(self, inputs: Inputs) -> Inputs:
        given = inputs.first
        return Inputs({self.layer.ports[0].name: TensorType(given.shape, self.cast(given.dtype))})

    def outputs(self, inputs: Inputs) -> Outputs:
        try:
            given = self.layer.outputs(self._within(inputs))
        except Misfit as misfit:
            misfit.argument = None if misfit.argument is None else "wraps"
            raise
        self._kernel(inputs)
        known_axis(inputs.first, -1, "the layer is held to it")
        require_dtype(inputs.first, Takes.FLOATS, "SpectralNormalization")
        assert isinstance(given, TensorType)
        return TensorType(given.shape, self.compute_dtype)

    def _kernel(self, inputs: Inputs) -> Weight:
        """The weight that is normalized.

        Raises:
            Misfit: the layer has none.
        """
        weights = {weight.name: weight for weight in self.layer.weights(self._within(inputs))}
        found = next((weights[name] for name in _NORMALIZED if name in weights), None)
        if found is None:
            kind = type(self.layer).name()
            raise Misfit(
                f"{kind} has no kernel that could be normalized",
                found=kind,
                expected="a layer with a kernel, or an Embedding",
                code="GB203",
                argument="wraps",
            )
        return found

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        kernel = self._kernel(inputs)
        (name,) = held_names(self)["layer"]
        inner = self.layer.weights(self._within(inputs))
        own = Weight("vector_u", (1, kernel.shape[-1]), trainable=False)
        below = {weight: Weight(f"{name}/{weight.name}", weight.shape, weight.trainable) for weight in inner}
        # Keras holds the kernel twice, and lists it where it meets it first.
        return (below.pop(kernel), own, *below.values())

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """What the layer costs; the normalization is done in training alone."""
        return self.layer.macs(self._within(inputs), outputs)
