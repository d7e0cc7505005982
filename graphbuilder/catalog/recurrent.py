"""Recurrent layers: a cell that reads a sequence step by step and carries a state along."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from math import prod
from typing import ClassVar, Literal

from pydantic import model_validator

from graphbuilder.catalog.arguments import (
    GLOROT_UNIFORM,
    ORTHOGONAL,
    SIGMOID,
    TANH,
    ZEROS,
    Activation,
    Constraint,
    Fraction,
    Initializer,
    PositiveInt,
    Regularizer,
    Seed,
    argument,
    conflict,
)
from graphbuilder.catalog.broadcasting import may_equal
from graphbuilder.catalog.checks import Takes, known_axis, require_dtype
from graphbuilder.catalog.entry import Example, LayerEntry, Legacy, Masking, Outputs, Weight
from graphbuilder.catalog.meaning import Neighbours, Reading
from graphbuilder.catalog.objects import KINDS, ObjectSpec
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit, Port, wrong_rank
from graphbuilder.catalog.tensor import BATCH, Shape, TensorType, shape_text

__all__ = ["GRU", "LSTM", "Gated", "Recurrent", "SimpleRNN", "check_mask", "check_states", "plain"]


def plain(spec: ObjectSpec | None, name: str) -> bool:
    """Whether an argument names the object of that canonical name, with no options."""
    return spec is not None and not spec.options and KINDS[spec.kind].canonical(spec.name) == name


class Gated(LayerEntry):
    """The arguments of what carries a state along, whether it is one step of it or a layer."""

    family = "recurrent"
    reading = Reading.QUANTITIES
    neighbours = Neighbours.ORDER
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "training": CallArgument(bool, False, "whether dropout acts")
    }
    takes: ClassVar[Takes] = Takes.REAL
    state_names: ClassVar[tuple[str, ...]]

    activation: Activation = argument("applied to the candidate for the new state", TANH)
    use_bias: bool = argument("whether a bias is added", True)
    kernel_initializer: Initializer = argument("how the kernel, which reads the input, starts", GLOROT_UNIFORM)
    recurrent_initializer: Initializer = argument("how the recurrent kernel, which reads the state, starts", ORTHOGONAL)
    bias_initializer: Initializer = argument("how the bias starts", ZEROS)
    kernel_regularizer: Regularizer = argument("penalty on the kernel", None)
    recurrent_regularizer: Regularizer = argument("penalty on the recurrent kernel", None)
    bias_regularizer: Regularizer = argument("penalty on the bias", None)
    kernel_constraint: Constraint = argument("constraint on the kernel", None)
    recurrent_constraint: Constraint = argument("constraint on the recurrent kernel", None)
    bias_constraint: Constraint = argument("constraint on the bias", None)
    dropout: Fraction = argument("share of the input that is dropped in training, the same at every step", 0.0)
    recurrent_dropout: Fraction = argument(
        "share of the state that is dropped in training, the same at every step", 0.0
    )
    seed: Seed | None = argument("makes the dropout repeatable", None)

    @model_validator(mode="after")
    def _initializers_have_kernels(self) -> Gated:
        for name in ("kernel_initializer", "recurrent_initializer"):
            if self.dtype == "bfloat16" and plain(getattr(self, name), "Orthogonal"):
                raise conflict(
                    name,
                    f"{name} is orthogonal beside dtype bfloat16, in which TensorFlow cannot compute it",
                    "another initializer",
                    "write dtype: mixed_bfloat16, which keeps the weights in float32, or another initializer",
                )
        return self


class Recurrent(Gated):
    """What every recurrent layer shares: its input (batch, time, …), its states, its mask and its outputs.

    The output is the last step's, or with return_sequences every step's along the time axis. With return_state the
    final states follow. A mask says which steps are read; it passes on where the output has steps.
    """

    masking = Masking.CONSUMES
    ports = (
        Port("sequences", about="what is read, step by step along axis 1"),
        Port(
            "initial_state", many=True, optional=True, about="the states to begin with, in the order of the final ones"
        ),
        Port("mask", optional=True, about="true at the steps to read, (batch, time)"),
    )
    cell: ClassVar[str]

    activity_regularizer: Regularizer = argument("penalty on the output", None)
    return_sequences: bool = argument("whether every step's output is given, not only the last", False)
    return_state: bool = argument("whether the final states are given beside the output", False)
    go_backwards: bool = argument("whether the sequence is read from its end, and the output is in that order", False)
    stateful: bool = argument("whether a batch begins with the states that the one before it ended with", False)

    @abstractmethod
    def state_shape(self, sequences: TensorType) -> Shape:
        """The shape of a state, and of one step's output.

        Raises:
            Misfit: the layer cannot read the sequences.
        """

    def final_state(self, sequences: TensorType) -> TensorType:
        """The type of each final state.

        Raises:
            Misfit: the layer cannot read the sequences.
        """
        require_dtype(sequences, self.takes, type(self).name())
        shape = self.state_shape(sequences)
        if self.stateful and not isinstance(shape[0], int):
            raise Misfit(
                f"stateful is true, and the size of the batch in {shape_text(sequences.shape)} is unknown",
                found="true",
                expected="a batch of known size",
                hint="leave stateful out; return_state and initial_state carry states from call to call",
                code="GB203",
                argument="stateful",
            )
        return TensorType(shape, self.compute_dtype)

    def outputs(self, inputs: Inputs) -> Outputs:
        sequences = inputs.one("sequences")
        state = self.final_state(sequences)
        if "initial_state" in inputs.ports:
            states = dict.fromkeys(self.state_names, state)
            check_states(inputs.many("initial_state"), states, type(self).name())
        mask = inputs.get("mask")
        if mask is not None:
            check_mask(mask, sequences)
        output = state
        if self.return_sequences:
            output = state.with_shape((state.shape[0], sequences.shape[1], *state.shape[1:]))
        return (output, *(state for _ in self.state_names)) if self.return_state else output

    def output_count(self, call: object) -> int | None:
        return 1 + len(self.state_names) if self.return_state else None

    def masks(self, masked: bool) -> bool:
        return masked and self.return_sequences


def check_states(
    given: tuple[TensorType, ...], states: Mapping[str, TensorType], kind: str, port: str = "initial_state"
) -> None:
    """Refuses states that a recurrent layer, or a step of one, cannot begin with.

    Arguments:
        given: the states that are connected.
        states: what they have to be, by their names.
        kind: what begins with them.
        port: where they are connected.

    Raises:
        Misfit: there are more or fewer, or one has another shape.
    """
    if len(given) != len(states):
        count = len(states)
        raise Misfit(
            f"{port} holds {len(given)} tensors, and {kind} has {count} state{'s' if count > 1 else ''}",
            found=str(len(given)),
            expected=" and ".join(states),
            code="GB303",
        )
    for (name, state), tensor in zip(states.items(), given, strict=True):
        fits = tensor.rank == state.rank and all(map(may_equal, tensor.shape[1:], state.shape[1:]))
        # One state may stand for the whole batch.
        if not fits or not (tensor.shape[0] == 1 or may_equal(tensor.shape[0], state.shape[0])):
            raise Misfit(
                f"the initial {name} of {kind} is {shape_text(tensor.shape)}",
                found=shape_text(tensor.shape),
                expected=shape_text(state.shape),
            )
        require_dtype(tensor, Takes.REAL, kind)


def check_mask(mask: TensorType, sequences: TensorType) -> None:
    """Refuses a mask that does not say of each step whether it is read.

    Raises:
        Misfit: it has another shape, or no numbers.
    """
    expected = sequences.shape[:2]
    # A last axis of 1 is the form in which Keras itself hands masks on.
    shape = mask.shape[:-1] if mask.rank == 3 and mask.shape[-1] == 1 else mask.shape
    fits = len(shape) == 2 and may_equal(shape[1], expected[1])
    if not fits or not (shape[0] == 1 or may_equal(shape[0], expected[0])):
        raise Misfit(
            f"the mask is {shape_text(mask.shape)} for sequences of {shape_text(sequences.shape)}",
            found=shape_text(mask.shape),
            expected=shape_text(expected),
        )
    require_dtype(mask, Takes.REAL, "a mask")


class _Units(Recurrent):
    """What the recurrent layers for vectors share."""

    gates: ClassVar[int]

    units: PositiveInt = argument("the size of a state, and of the output's last axis")
    unroll: bool = argument("whether the steps are laid out in the graph: faster for few steps, larger for many", False)

    def state_shape(self, sequences: TensorType) -> Shape:
        if sequences.rank != 3:
            hint = "put the features of a step into one axis with a Reshape"
            if sequences.rank == 2:
                hint = "add a time axis with a Reshape"
            elif sequences.rank == 4:
                hint = "put the features of a step into one axis with a Reshape, or wrap the layer in TimeDistributed"
            raise wrong_rank(sequences, "(batch, time, features)", hint)
        if self.unroll and not isinstance(sequences.shape[1], int):
            raise Misfit(
                f"unroll is true, and how many steps {shape_text(sequences.shape)} has is unknown",
                found="true",
                expected="a known time axis",
                hint="give the steps where the shape comes from, in `inputs:`, or leave unroll out",
                code="GB203",
                argument="unroll",
            )
        return (sequences.shape[0], self.units)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        features = known_axis(inputs.one("sequences"), -1, "the kernel's size depends on it")
        width = self.gates * self.units
        kernels = (
            Weight(f"{self.cell}/kernel", (features, width)),
            Weight(f"{self.cell}/recurrent_kernel", (self.units, width)),
        )
        return (*kernels, Weight(f"{self.cell}/bias", self._bias_shape(width))) if self.use_bias else kernels

    def _bias_shape(self, width: int) -> tuple[int, ...]:
        return (width,)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Steps × gates × (features + units) × units."""
        steps, features = inputs.one("sequences").shape[1:]
        if not isinstance(steps, int) or not isinstance(features, int):
            return None
        return prod((steps, self.gates, features + self.units, self.units))

    def _cudnn_obstacle(self) -> str | None:
        """The argument for which the fused kernel of a GPU is out of the question, or None."""
        if not plain(self.activation, "tanh"):
            return "activation"
        obstacles = {
            "recurrent_dropout": self.recurrent_dropout > 0,
            "unroll": self.unroll,
            "use_bias": not self.use_bias,
        }
        return next((name for name, stands in obstacles.items() if stands), None)


def _needs_cudnn(obstacle: str) -> Exception:
    return conflict(
        "use_cudnn",
        f"use_cudnn is true, and cuDNN has no kernel for this {obstacle}",
        "'auto' or false",
        f"leave use_cudnn out, or leave {obstacle} at its default",
    )


class LSTM(_Units):
    """Reads a sequence (batch, time, features) with a long short-term memory: gates for input, forgetting and output.

    Source: Hochreiter and Schmidhuber, 1997, https://doi.org/10.1162/neco.1997.9.8.1735
    """

    cell = "lstm_cell"
    state_names = ("hidden state", "cell state")
    gates = 4
    legacy = Legacy(lacking=("use_cudnn",))
    examples = (
        Example({"units": 64}, (TensorType((BATCH, 100, 16)),)),
        Example(
            {"units": 32, "return_sequences": True, "return_state": True, "go_backwards": True},
            (TensorType((BATCH, "time", 8)), (TensorType((BATCH, 32)), TensorType((BATCH, 32)))),
        ),
        Example(
            {"units": 12, "use_bias": False},
            (
                TensorType((BATCH, 5, 3)),
                (TensorType((BATCH, 12)), TensorType((BATCH, 12))),
                TensorType((BATCH, 5), "bool"),
            ),
        ),
    )

    recurrent_activation: Activation = argument("applied to the gates", SIGMOID)
    unit_forget_bias: bool = argument("whether the forget gate's bias starts one higher, so that states last", True)
    use_cudnn: Literal["auto"] | bool = argument("whether a GPU's fused kernel is used; auto: where it can be", "auto")

    @model_validator(mode="after")
    def _cudnn_can(self) -> LSTM:
        obstacle = self._cudnn_obstacle() or (
            None if plain(self.recurrent_activation, "sigmoid") else "recurrent_activation"
        )
        if self.use_cudnn is True and obstacle is not None:
            raise _needs_cudnn(obstacle)
        return self


class GRU(_Units):
    """Reads a sequence (batch, time, features) with gated recurrent units: gates for update and reset.

    Source: Cho et al., 2014, https://arxiv.org/abs/1406.1078
    """

    cell = "gru_cell"
    state_names = ("state",)
    gates = 3
    legacy = Legacy(lacking=("use_cudnn",))
    examples = (
        Example({"units": 64}, (TensorType((BATCH, 100, 16)),)),
        Example(
            {"units": 32, "return_sequences": True, "return_state": True, "reset_after": False},
            (TensorType((BATCH, "time", 8)), (TensorType((BATCH, 32)),)),
        ),
    )

    recurrent_activation: Activation = argument("applied to the gates", SIGMOID)
    reset_after: bool = argument("whether the reset gate acts after the state is multiplied, as in cuDNN", True)
    use_cudnn: Literal["auto"] | bool = argument("whether a GPU's fused kernel is used; auto: where it can be", "auto")

    @model_validator(mode="after")
    def _cudnn_can(self) -> GRU:
        obstacle = self._cudnn_obstacle()
        if obstacle is None and not self.reset_after:
            obstacle = "reset_after"
        if obstacle is None and not plain(self.recurrent_activation, "sigmoid"):
            obstacle = "recurrent_activation"
        if self.use_cudnn is True and obstacle is not None:
            raise _needs_cudnn(obstacle)
        return self

    def _bias_shape(self, width: int) -> tuple[int, ...]:
        return (2, width) if self.reset_after else (width,)


class SimpleRNN(_Units):
    """Reads a sequence (batch, time, features): activation(input · kernel + state · recurrent kernel + bias)."""

    cell = "simple_rnn_cell"
    state_names = ("state",)
    gates = 1
    legacy = Legacy(lacking=("seed",))
    examples = (
        Example({"units": 64}, (TensorType((BATCH, 100, 16)),)),
        Example({"units": 8, "return_sequences": True, "activation": "relu"}, (TensorType((BATCH, "time", 4)),)),
    )
