"""Layers that hold another layer: a recurrent one run in both directions, any one applied to each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from graphbuilder.catalog.arguments import argument, as_written, conflict
from graphbuilder.catalog.broadcasting import may_equal
from graphbuilder.catalog.entry import Example, LayerEntry, Masking, Outputs, Weight
from graphbuilder.catalog.meaning import Neighbours, Reading
from graphbuilder.catalog.nested import LayerSpec, keras_name
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit, Port, PortTypes, wrong_rank
from graphbuilder.catalog.recurrent import Recurrent
from graphbuilder.catalog.tensor import BATCH, TensorType, shape_text

__all__ = ["Bidirectional", "TimeDistributed"]


def _below(name: str, weights: tuple[Weight, ...]) -> tuple[Weight, ...]:
    return tuple(Weight(f"{name}/{weight.name}", weight.shape, weight.trainable) for weight in weights)


def _given(layer: LayerEntry, inputs: Inputs, place: str) -> Outputs:
    """What a held layer gives.

    Arguments:
        layer: the held one.
        inputs: what it is called with.
        place: the key that it stands under, to which a fault in one of its arguments points.

    Raises:
        Misfit: it cannot take the inputs.
    """
    try:
        return layer.outputs(inputs)
    except Misfit as misfit:
        if misfit.argument is not None:
            misfit.argument = place
        raise


def _listed(outputs: Outputs) -> tuple[TensorType, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


class Bidirectional(LayerEntry):
    """Runs a recurrent layer along time and a second one against it, and merges what they give, step by step.

    With return_state of the wrapped layer the final states follow: those of the forward layer, then the backward one's.
    """

    family = "recurrent"
    masking = Masking.CONSUMES
    reading = Reading.QUANTITIES
    neighbours = Neighbours.ORDER
    ports = Recurrent.ports
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "training": CallArgument(bool, None, "whether dropout of the wrapped layer acts")
    }
    examples = (
        Example({"layer": {"layer": "LSTM", "units": 64}}, (TensorType((BATCH, 100, 16)),)),
        Example(
            {
                "layer": {"layer": "GRU", "units": 8, "return_sequences": True, "return_state": True},
                "merge_mode": "sum",
            },
            (TensorType((BATCH, "time", 4)), (TensorType((BATCH, 8)), TensorType((BATCH, 8)))),
        ),
        Example(
            {
                "layer": {"layer": "LSTM", "units": 6, "return_sequences": True},
                "backward_layer": {"layer": "GRU", "units": 6, "return_sequences": True, "go_backwards": True},
                "merge_mode": None,
            },
            (TensorType((BATCH, 7, 3)),),
        ),
        Example(
            {
                "layer": {"layer": "ConvLSTM1D", "filters": 2, "kernel_size": 3, "return_state": True},
                "merge_mode": "ave",
            },
            (TensorType((BATCH, 4, 9, 3)),),
        ),
    )

    layer: LayerSpec = argument("the recurrent layer that runs along time")
    merge_mode: Literal["concat", "sum", "mul", "ave"] | None = argument(
        "how the two outputs are merged along the last axis; null gives both", "concat"
    )
    backward_layer: LayerSpec | None = argument(
        "the layer that runs against time, with go_backwards; null means a second one like the first", None
    )

    @model_validator(mode="after")
    def _run_against_each_other(self) -> Bidirectional:
        recurrent = "a recurrent layer: LSTM, GRU, SimpleRNN or ConvLSTM"
        for name in ("layer", "backward_layer"):
            held = getattr(self, name)
            if held is not None and not isinstance(held, Recurrent):
                raise conflict((name, "layer"), f"Bidirectional cannot run {type(held).name()} against time", recurrent)
        forward, backward = self._forward, self._backward
        if self.backward_layer is None and forward.go_backwards:
            hint = "leave it out; Bidirectional makes the layer that runs backwards itself"
            raise conflict(("layer", "go_backwards"), "the layer that runs along time has go_backwards", "false", hint)
        if self.backward_layer is not None and forward.go_backwards == backward.go_backwards:
            told = f"go_backwards is {as_written(backward.go_backwards)} in both layers"
            hint = "write go_backwards: true in backward_layer only"
            raise conflict("backward_layer", told, "true in one of them", hint)
        for name in ("stateful", "return_sequences", "return_state"):
            one, other = getattr(forward, name), getattr(backward, name)
            if one != other:
                told = (
                    f"{name} is {as_written(other)} in backward_layer and {as_written(one)} in the layer it runs beside"
                )
                raise conflict("backward_layer", told, "the same in both")
        if forward.stateful and forward.return_state:
            told = "return_state stands beside stateful, and Keras fails to call a Bidirectional layer of both"
            raise conflict(("layer", "return_state"), told, "one of the two", "leave stateful out")
        return self

    @property
    def _forward(self) -> Recurrent:
        assert isinstance(self.layer, Recurrent)
        return self.layer

    @property
    def _backward(self) -> Recurrent:
        held = self.layer if self.backward_layer is None else self.backward_layer
        assert isinstance(held, Recurrent)
        return held

    def _halves(self, inputs: Inputs) -> tuple[Inputs, Inputs]:
        """What the forward and the backward layer are called with."""
        sequences = inputs.one("sequences")
        shared: dict[str, PortTypes] = {"sequences": TensorType(sequences.shape, self.cast(sequences.dtype))}
        if "mask" in inputs.ports:
            shared["mask"] = inputs.one("mask")
        if "initial_state" not in inputs.ports:
            return Inputs(shared), Inputs(shared)
        states = inputs.many("initial_state")
        names = [
            f"{where} {name}"
            for where, layer in (("forward", self._forward), ("backward", self._backward))
            for name in layer.state_names
        ]
        half = len(names) // 2
        if len(states) != len(names) or len(self._forward.state_names) != half:
            uneven = len(self._forward.state_names) != half
            raise Misfit(
                f"initial_state holds {len(states)} tensors, and the two layers have {len(names)} states",
                found=str(len(states)),
                expected=", ".join(names),
                hint="two kinds of layer that have different states cannot be given initial ones" if uneven else None,
                code="GB303",
            )
        return Inputs({**shared, "initial_state": states[:half]}), Inputs({**shared, "initial_state": states[half:]})

    def outputs(self, inputs: Inputs) -> Outputs:
        along, against = self._halves(inputs)
        forward = _listed(_given(self._forward, along, "wraps"))
        backward = _listed(_given(self._backward, against, "backward_layer"))
        if [given.shape for given in forward] != [given.shape for given in backward]:
            told = [" and ".join(shape_text(given.shape) for given in side) for side in (forward, backward)]
            raise Misfit(
                f"backward_layer gives {told[1]}, and the layer it runs beside {told[0]}",
                found=told[1],
                expected=told[0],
                hint="give both layers the same units and states",
                argument="backward_layer",
            )
        output, *states = (TensorType(given.shape, self.compute_dtype) for given in forward)
        merged: tuple[TensorType, ...] = (output,)
        if self.merge_mode is None:
            merged = (output, output)
        elif self.merge_mode == "concat":
            last = output.shape[-1]
            merged = (output.with_shape((*output.shape[:-1], 2 * last if isinstance(last, int) else None)),)
        given = (*merged, *states, *states)
        return given[0] if len(given) == 1 else given

    def output_count(self, call: Mapping[str, Any]) -> int | None:
        states = 2 * len(self._forward.state_names) if self._forward.return_state else 0
        count = (2 if self.merge_mode is None else 1) + states
        return None if count == 1 else count

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        along, against = self._halves(inputs)
        forward, backward = keras_name(self._forward), keras_name(self._backward)
        if self.backward_layer is None:
            backward = f"backward_{backward}"
        elif backward == forward:
            backward = f"{backward}_1"
        return (
            *_below(f"forward_{forward}", self._forward.weights(along)),
            *_below(backward, self._backward.weights(against)),
        )

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """The sum over the two layers."""
        costs = [
            layer.macs(half, layer.outputs(half))
            for layer, half in zip((self._forward, self._backward), self._halves(inputs), strict=True)
        ]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    def masks(self, masked: bool) -> bool:
        return masked and self._forward.return_sequences


class TimeDistributed(LayerEntry):
    """Applies one layer, with the same weights, to each step of a sequence (batch, time, …)."""

    family = "recurrent"
    masking = Masking.PASSES
    ports = (
        Port("inputs", about="the steps, along axis 1"),
        Port("mask", optional=True, about="handed to the layer step by step, where it takes a mask: (batch, time, …)"),
    )
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "training": CallArgument(bool, None, "whether the model is being trained")
    }
    examples = (
        Example({"layer": {"layer": "Dense", "units": 8}}, (TensorType((BATCH, 10, 16)),)),
        Example(
            {"layer": {"layer": "Conv2D", "filters": 4, "kernel_size": 3, "padding": "same"}},
            (TensorType((BATCH, "time", 12, 12, 3)),),
        ),
        Example(
            {"layer": {"layer": "Bidirectional", "wraps": {"layer": "LSTM", "units": 4}, "merge_mode": "sum"}},
            (TensorType((BATCH, 3, "words", 6)),),
        ),
    )

    layer: LayerSpec = argument("the layer that is applied to each step")

    @model_validator(mode="after")
    def _one_in_one_out(self) -> TimeDistributed:
        held = self.layer
        kind = type(held).name()
        needed = [port.name for port in held.ports if not port.optional]
        if len(needed) != 1 or held.ports[0].many:
            hint = "apply it to whole sequences, or put the steps into the batch with a Reshape first"
            raise conflict(
                ("layer", "layer"),
                f"TimeDistributed gives one tensor, and {kind} takes several",
                "a layer of one input",
                hint,
            )
        if held.output_count({}) is not None:
            raise conflict(
                "layer",
                f"{kind} gives several outputs as it stands here, and TimeDistributed takes one",
                "a layer of one output",
                "leave return_state out" if isinstance(held, Recurrent) else None,
            )
        return self

    def _steps(self, inputs: Inputs) -> Inputs:
        """What the layer is called with at each step."""
        given = inputs.one("inputs")
        if given.rank < 3:
            raise wrong_rank(
                given, "(batch, time, …)", "add a time axis with a Reshape, or use the layer without wrapping"
            )
        step = TensorType((given.shape[0], *given.shape[2:]), self.cast(given.dtype))
        ports: dict[str, PortTypes] = {self.layer.ports[0].name: step}
        mask = inputs.get("mask")
        if mask is not None:
            if mask.rank < 2 or not all(map(may_equal, mask.shape[:2], given.shape[:2])):
                raise Misfit(
                    f"the mask is {shape_text(mask.shape)} for steps of {shape_text(given.shape)}",
                    found=shape_text(mask.shape),
                    expected=f"{shape_text(given.shape[:2])}, or more axes",
                )
            if any(port.name == "mask" for port in self.layer.ports):
                ports["mask"] = mask.with_shape((mask.shape[0], *mask.shape[2:]))
        return Inputs(ports)

    def outputs(self, inputs: Inputs) -> Outputs:
        time = inputs.one("inputs").shape[1:2]
        step = self._steps(inputs)
        try:
            given = _listed(_given(self.layer, step, "wraps"))[0]
        except Misfit as misfit:
            misfit.message = f"at each step, {misfit.message}"
            raise
        return TensorType((*given.shape[:1], *time, *given.shape[1:]), self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return _below(keras_name(self.layer), self.layer.weights(self._steps(inputs)))

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Steps × what the layer costs at each."""
        step = self._steps(inputs)
        cost = self.layer.macs(step, self.layer.outputs(step))
        steps = inputs.one("inputs").shape[1]
        if cost is None or not isinstance(steps, int):
            return 0 if cost == 0 else None
        return cost * steps
