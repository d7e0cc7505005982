"""The steps of recurrent layers as layers of their own, stacks of them, and the layer that repeats one along time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, ClassVar

from pydantic import model_validator

from graphbuilder.catalog.arguments import SIGMOID, Activation, PositiveInt, argument, conflict
from graphbuilder.catalog.broadcasting import broadcast
from graphbuilder.catalog.checks import Takes, known_axis, require_dtype
from graphbuilder.catalog.entry import Bundles, Example, LayerEntry, Legacy, Masking, Outputs, Weight
from graphbuilder.catalog.meaning import Neighbours, Reading
from graphbuilder.catalog.nested import LayerSpec, LayerSpecs, held_names
from graphbuilder.catalog.ports import Inputs, Misfit, Port, wrong_rank
from graphbuilder.catalog.recurrent import Gated, Recurrent, check_mask, check_states
from graphbuilder.catalog.tensor import BATCH, Dim, TensorType, shape_text

__all__ = ["RNN", "Cell", "GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"]

_STEP = TensorType((BATCH, 16))


def _state(units: int) -> TensorType:
    return TensorType((BATCH, units))


def _batch(inputs: Inputs) -> Dim:
    """The size of the batch that a step and the states before it make together."""
    return broadcast(inputs.first.shape[:1], *(state.shape[:1] for state in inputs.many("states")))[0]


class Cell(Gated):
    """What the steps of recurrent layers share: an input (batch, features), and the states before and after."""

    masking = Masking.LOSES
    ports = (
        Port("inputs", about="one step (batch, features)"),
        Port("states", many=True, about="the states before the step, each (batch, units)"),
    )
    gates: ClassVar[int]

    units: PositiveInt = argument("the size of a state, and of the output")

    def states(self, batch: Dim) -> dict[str, TensorType]:
        """The types of the states, by their names.

        Arguments:
            batch: the size of the batch.
        """
        return dict.fromkeys(self.state_names, TensorType((batch, self.units), self.compute_dtype))

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if given.rank != 2:
            raise wrong_rank(given, "(batch, features)", "for sequences, use the layer that repeats it, or RNN")
        require_dtype(given, self.takes, type(self).name())
        check_states(inputs.many("states"), self.states(given.shape[0]), type(self).name(), "states")
        for tensor in inputs.many("states"):
            require_dtype(tensor, Takes.FLOATS, f"a state of {type(self).name()}")
        states = self.states(_batch(inputs))
        state = next(iter(states.values()))
        return (state, *states.values())

    def output_count(self, call: object) -> int | None:
        return 1 + len(self.state_names)

    def bundles(self) -> Bundles | None:
        return (None, (None,) * len(self.state_names))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        features = known_axis(inputs.first, -1, "the kernel's size depends on it")
        width = self.gates * self.units
        kernels = (Weight("kernel", (features, width)), Weight("recurrent_kernel", (self.units, width)))
        return (*kernels, Weight("bias", self.bias_shape(width))) if self.use_bias else kernels

    def bias_shape(self, width: int) -> tuple[int, ...]:
        """The shape of the bias.

        Arguments:
            width: how many numbers the gates compute together.
        """
        return (width,)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Gates × (features + units) × units."""
        features = inputs.first.shape[-1]
        return prod((self.gates, features + self.units, self.units)) if isinstance(features, int) else None


class LSTMCell(Cell):
    """One step of a long short-term memory.

    Source: Hochreiter and Schmidhuber, 1997, https://doi.org/10.1162/neco.1997.9.8.1735
    """

    state_names = ("hidden state", "cell state")
    gates = 4
    examples = (Example({"units": 8}, (_STEP, (_state(8), _state(8)))),)

    recurrent_activation: Activation = argument("applied to the gates", SIGMOID)
    unit_forget_bias: bool = argument("whether the forget gate's bias starts one higher, so that states last", True)


class GRUCell(Cell):
    """One step of gated recurrent units.

    Source: Cho et al., 2014, https://arxiv.org/abs/1406.1078
    """

    state_names = ("state",)
    gates = 3
    examples = (Example({"units": 8}, (_STEP, (_state(8),))),)

    recurrent_activation: Activation = argument("applied to the gates", SIGMOID)
    reset_after: bool = argument("whether the reset gate acts after the state is multiplied, as in cuDNN", True)

    def bias_shape(self, width: int) -> tuple[int, ...]:
        return (2, width) if self.reset_after else (width,)


class SimpleRNNCell(Cell):
    """One step of a plain recurrent layer: activation(input · kernel + state · recurrent kernel + bias)."""

    ports = (Port("sequence", about="one step (batch, features)"), Cell.ports[1])
    state_names = ("state",)
    gates = 1
    examples = (Example({"units": 8}, (_STEP, (_state(8),))),)


class StackedRNNCells(LayerEntry):
    """Several cells as one: each reads what the one before it gives. It stands in RNN."""

    family = "recurrent"
    masking = Masking.LOSES
    reading = Reading.QUANTITIES
    neighbours = Neighbours.ORDER
    ports = (
        Port("inputs", about="one step (batch, features)"),
        Port("states", many=True, least=2, about="the states before the step, those of the first cell first"),
    )
    call_arguments = Gated.call_arguments
    examples = (
        Example(
            {"cells": [{"layer": "LSTMCell", "units": 8}, {"layer": "GRUCell", "units": 4}]},
            (_STEP, (_state(8), _state(8), _state(4))),
        ),
    )

    cells: LayerSpecs = argument("the cells, the one that reads the input first")

    @model_validator(mode="after")
    def _are_cells(self) -> StackedRNNCells:
        for index, cell in enumerate(self.cells):
            if not isinstance(cell, Cell):
                raise conflict(("cells", index, "layer"), f"{type(cell).name()} is no cell", _CELLS)
        if len(self.cells) < 2:
            raise conflict("cells", "cells holds one cell alone", "at least two", "write the cell itself")
        return self

    @property
    def stack(self) -> Sequence[Cell]:
        """The cells."""
        return [cell for cell in self.cells if isinstance(cell, Cell)]

    def states(self, batch: Dim) -> dict[str, TensorType]:
        """The types of all states, by their names.

        Arguments:
            batch: the size of the batch.
        """
        return {
            f"{name} of cell {index}": kind
            for index, cell in enumerate(self.stack)
            for name, kind in cell.states(batch).items()
        }

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if given.rank != 2:
            raise wrong_rank(given, "(batch, features)", "for sequences, put it into RNN")
        check_states(inputs.many("states"), self.states(given.shape[0]), "StackedRNNCells", "states")
        for tensor in (given, *inputs.many("states")):
            require_dtype(tensor, Takes.FLOATS, "StackedRNNCells")
        batch = _batch(inputs)
        output = TensorType((batch, self.stack[-1].units), self.stack[-1].compute_dtype)
        return (output, *self.states(batch).values())

    def output_count(self, call: object) -> int | None:
        return 1 + sum(len(cell.state_names) for cell in self.stack)

    def bundles(self) -> Bundles | None:
        return (None, self.bundles_of_states())

    def bundles_of_states(self) -> Bundles:
        """How the states are told of: a list for a cell that has two, a tensor for one."""
        counts = [len(cell.state_names) for cell in self.stack]
        return tuple((None,) * count if count > 1 else None for count in counts)

    def keras_call(self, arguments: Mapping[str, Any], call: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        positional, keywords = super().keras_call(arguments, call)
        if "states" in keywords:
            keywords["states"] = bundled(keywords["states"], self.bundles_of_states())
        return positional, keywords

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        found: list[Weight] = []
        given = inputs.first
        for name, cell in zip(held_names(self)["cells"], self.stack, strict=True):
            step = Inputs({"inputs": given})
            found += [Weight(f"{name}/{own.name}", own.shape, own.trainable) for own in cell.weights(step)]
            given = given.with_shape((given.shape[0], cell.units))
        return tuple(found)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """What the cells cost together."""
        total = 0
        given = inputs.first
        for cell in self.stack:
            cost = cell.macs(Inputs({"inputs": given}), outputs)
            if cost is None:
                return None
            total += cost
            given = given.with_shape((given.shape[0], cell.units))
        return total


_CELLS = "LSTMCell, GRUCell or SimpleRNNCell"
# The layers that repeat one of these.
_REPEATED = ("LSTM", "GRU", "SimpleRNN")


def bundled(tensors: Any, bundles: Bundles) -> Any:
    """A flat list in the nested form in which Keras takes it; the list itself where it has another number of tensors.

    Example:
        >>> bundled([1, 2, 3], ((None, None), None))
        [[1, 2], 3]
    """
    wanted = sum(1 if bundle is None else len(bundle) for bundle in bundles)
    if not isinstance(tensors, (list, tuple)) or len(tensors) != wanted:
        return tensors
    rest = iter(tensors)
    return [next(rest) if bundle is None else [next(rest) for _ in bundle] for bundle in bundles]


class RNN(LayerEntry):
    """Reads a sequence (batch, time, features) with a cell, or a stack of cells, step by step.

    The output is the last step's, or with return_sequences every step's along the time axis. With return_state the
    final states follow. For a single LSTMCell, GRUCell or SimpleRNNCell the layer without "Cell" does the same faster.
    """

    family = "recurrent"
    masking = Masking.CONSUMES
    reading = Reading.QUANTITIES
    neighbours = Neighbours.ORDER
    ports = Recurrent.ports
    call_arguments = Gated.call_arguments
    legacy = Legacy(lacking=("zero_output_for_mask",))
    examples = (
        Example({"cell": {"layer": "LSTMCell", "units": 8}}, (TensorType((BATCH, 20, 16)),)),
        Example(
            {
                "cell": {
                    "layer": "StackedRNNCells",
                    "cells": [{"layer": "GRUCell", "units": 8}, {"layer": "GRUCell", "units": 4}],
                },
                "return_sequences": True,
            },
            (TensorType((BATCH, "time", 16)),),
        ),
        Example(
            {"cell": {"layer": "LSTMCell", "units": 8}, "return_state": True},
            (TensorType((BATCH, 20, 16)), (_state(8), _state(8))),
        ),
    )

    cell: LayerSpec = argument("the cell that makes one step")
    return_sequences: bool = argument("whether every step's output is given, not only the last", False)
    return_state: bool = argument("whether the final states are given beside the output", False)
    go_backwards: bool = argument("whether the sequence is read from its end, and the output is in that order", False)
    stateful: bool = argument("whether a batch begins with the states that the one before it ended with", False)
    unroll: bool = argument("whether the steps are laid out in the graph: faster for few steps, larger for many", False)
    zero_output_for_mask: bool = argument("whether the output of steps that are not read is 0", False)

    @model_validator(mode="after")
    def _repeats_a_cell(self) -> RNN:
        if not isinstance(self.cell, (Cell, StackedRNNCells)):
            kind = type(self.cell).name()
            hint = f"write {kind}Cell, or use {kind} without RNN" if kind in _REPEATED else None
            raise conflict(("cell", "layer"), f"{kind} is no cell", f"{_CELLS}; or StackedRNNCells", hint)
        return self

    @property
    def _step(self) -> Cell | StackedRNNCells:
        assert isinstance(self.cell, (Cell, StackedRNNCells))
        return self.cell

    def outputs(self, inputs: Inputs) -> Outputs:
        sequences = inputs.one("sequences")
        if sequences.rank != 3:
            raise wrong_rank(sequences, "(batch, time, features)", "put the features of a step into one axis")
        require_dtype(sequences, Takes.REAL, "RNN")
        batch, steps, _ = sequences.shape
        for name, wanted, size in (
            ("unroll", "a known time axis", steps),
            ("stateful", "a batch of known size", batch),
        ):
            if getattr(self, name) and not isinstance(size, int):
                raise Misfit(
                    f"{name} is true, which asks for {wanted}, and the input is {shape_text(sequences.shape)}",
                    found="true",
                    expected=wanted,
                    hint=f"leave {name} out",
                    code="GB203",
                    argument=name,
                )
        states = self._step.states(batch)
        if "initial_state" in inputs.ports:
            check_states(inputs.many("initial_state"), states, "RNN")
        mask = inputs.get("mask")
        if mask is not None:
            check_mask(mask, sequences)
        units = self._step.stack[-1].units if isinstance(self._step, StackedRNNCells) else self._step.units
        shape = (batch, steps, units) if self.return_sequences else (batch, units)
        output = TensorType(shape, self.compute_dtype)
        if not self.return_state:
            return output
        return (output, *(TensorType(state.shape, self.compute_dtype) for state in states.values()))

    def output_count(self, call: object) -> int | None:
        return 1 + len(self._step.states(None)) if self.return_state else None

    def bundles(self) -> Bundles | None:
        if not self.return_state or not isinstance(self._step, StackedRNNCells):
            return None
        return (None, *self._step.bundles_of_states())

    def keras_call(self, arguments: Mapping[str, Any], call: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        positional, keywords = super().keras_call(arguments, call)
        if "initial_state" in keywords and isinstance(self.cell, StackedRNNCells):
            keywords["initial_state"] = bundled(keywords["initial_state"], self.cell.bundles_of_states())
        return positional, keywords

    def masks(self, masked: bool) -> bool:
        return masked and self.return_sequences

    def _one_step(self, inputs: Inputs) -> Inputs:
        sequences = inputs.one("sequences")
        return Inputs({"inputs": sequences.with_shape((sequences.shape[0], *sequences.shape[2:]))})

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        (name,) = held_names(self)["cell"]
        weights = self.cell.weights(self._one_step(inputs))
        return tuple(Weight(f"{name}/{own.name}", own.shape, own.trainable) for own in weights)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Steps × what the cell costs at each."""
        cost = self._step.macs(self._one_step(inputs), outputs)
        steps = inputs.one("sequences").shape[1]
        return cost * steps if cost is not None and isinstance(steps, int) else None
