"""What the catalog knows of one layer or op: its arguments as fields, and its rules as methods."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator

from graphbuilder.catalog.arguments import argument, conflict
from graphbuilder.catalog.meaning import Keeping, Neighbours, Reading
from graphbuilder.catalog.ports import CallArgument, Inputs, Port
from graphbuilder.catalog.tensor import TensorType, elements, is_float

__all__ = [
    "Bundles",
    "Entry",
    "Example",
    "LayerEntry",
    "Legacy",
    "MaskOps",
    "Masking",
    "OpEntry",
    "Outputs",
    "Tensor",
    "Weight",
]

Outputs: TypeAlias = TensorType | tuple[TensorType, ...]

# Tensors in nested lists: None stands for each tensor.
Bundles: TypeAlias = tuple["Bundles | None", ...]

# Where a word of a class name begins, but for its first.
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

DTypePolicy: TypeAlias = Literal["float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16"]


class Masking(StrEnum):
    """What a layer does with the mask of its first input."""

    PASSES = "passes"  # the output carries the input's mask
    CREATES = "creates"  # the output carries a mask of its own
    CONSUMES = "consumes"  # the mask is used, the output has none
    LOSES = "loses"  # Keras drops the mask and warns


# Whatever stands for a tensor where a mask is made.
Tensor = TypeVar("Tensor")


class MaskOps(Protocol[Tensor]):
    """The functions of `keras.ops` that masks are made with."""

    def apply(self, op: str, given: Mapping[str, Tensor | list[Tensor] | float], **arguments: Any) -> Tensor:
        """What a function gives.

        Arguments:
            op: its name.
            given: what stands at each port.
            arguments: its arguments that are no tensors.
        """

    def rank(self, tensor: Tensor) -> int | None:
        """How many axes a tensor has, where that is known."""


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight that a layer owns.

    Arguments:
        name: its path below the layer, as in Keras 3: "kernel", "lstm_cell/kernel".
        shape: all axes, each known.
        trainable: whether training changes it.
    """

    name: str
    shape: tuple[int, ...]
    trainable: bool = True

    @property
    def size(self) -> int:
        """The number of elements."""
        return elements(self.shape) or 0


@dataclass(frozen=True, slots=True)
class Legacy:
    """How tf_keras (Keras 2) differs for one layer or op.

    Arguments:
        name: the name there, or None when it is the same.
        absent: the reason when tf_keras has no such thing.
        differs: what its thing of that name does otherwise, where a model of it would be no twin.
        renamed: arguments with another name there.
        lacking: arguments that it does not have, which must stand at their defaults for the twin.
        defaults: arguments whose default is another there; the twin always gets ours.
        weights: weights with another path there, ours to theirs.
    """

    name: str | None = None
    absent: str | None = None
    differs: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)

    def refusal(self, name: str) -> str | None:
        """Why no twin can be made of it, in one clause; None where one can.

        Arguments:
            name: what Keras 3 calls it.

        Example:
            >>> Legacy(absent="it came with Keras 3").refusal("MixUp")
            'tf_keras has no MixUp: it came with Keras 3'
        """
        if self.absent is not None:
            return f"tf_keras has no {name}: {self.absent}"
        return None if self.differs is None else f"{name} of tf_keras is no twin of it: {self.differs}"


@dataclass(frozen=True, slots=True)
class Example:
    """One way to use a layer or op, shown by `graphbuilder layers` and built by the tests.

    Arguments:
        arguments: as a blueprint writes them.
        inputs: the types at the ports, in the order of the ports; a list for a port that takes several.
        call: call arguments that are not tensors.
    """

    arguments: Mapping[str, Any]
    inputs: tuple[TensorType | tuple[TensorType, ...], ...]
    call: Mapping[str, Any] = field(default_factory=dict)


class Entry(BaseModel):
    """The arguments of one layer or op, checked; and the rules that follow from them.

    A subclass is named as Keras names the thing, its fields are Keras 3's arguments with the same names and defaults,
    and its class attributes state the facts that no argument changes. Defaults are written as validation would leave
    them (a size as a tuple, an initializer as an ObjectSpec), because they are not validated again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True, arbitrary_types_allowed=True)

    family: ClassVar[str] = ""
    # What it supposes of the numbers at its ports, and what it leaves of those at the first one.
    reading: ClassVar[Reading] = Reading.ANYTHING
    neighbours: ClassVar[Neighbours] = Neighbours.APART
    keeping: ClassVar[Keeping] = Keeping.NOTHING
    ports: ClassVar[tuple[Port, ...]] = (Port("inputs"),)
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {}
    legacy: ClassVar[Legacy] = Legacy()
    examples: ClassVar[tuple[Example, ...]] = ()

    @classmethod
    def name(cls) -> str:
        """The name that a blueprint uses."""
        return cls.__name__

    def outputs(self, inputs: Inputs) -> Outputs:
        """The type of the output, or of each output where there are several.

        Raises:
            Misfit: the inputs cannot be taken.
        """
        raise NotImplementedError(type(self).__name__)

    def output_count(self, call: Mapping[str, Any]) -> int | None:
        """How many outputs a call has: None for a single tensor, a number where Keras returns a list.

        It follows from the arguments alone, so that it is known even where the input is not.
        """
        return None

    def pooled_axes(self, tensor: TensorType) -> tuple[int, ...]:
        """The axes of which the output has one number in the place of all positions, and which it has no more.

        Arguments:
            tensor: what stands at the first port.
        """
        return ()

    def keras_call(self, arguments: Mapping[str, Any], call: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """How Keras is called: positional and keyword arguments.

        By default the first port is positional, the other ports and the call arguments are keywords. Layers that Keras
        calls with one list of query, value and key override this.

        Arguments:
            arguments: what stands at each connected port, by the port's name: tensors, or lists of them.
            call: the call arguments that are not tensors.
        """
        keywords = {**arguments, **call}
        first = [keywords.pop(self.ports[0].name)] if self.ports and self.ports[0].name in keywords else []
        return first, keywords

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Multiply-accumulates of one call on one sample; None when an axis that matters is unknown.

        Element-wise work (biases, activations, normalization, pooling) counts as none, as is customary.
        """
        return 0


class LayerEntry(Entry):
    """A Keras layer."""

    masking: ClassVar[Masking] = Masking.LOSES
    # Whether a list of inputs counts as masked only when all of them are, as Keras 3 has it for Add and its kin.
    all_masked: ClassVar[bool] = False
    # Whether Keras's constructor takes `trainable`, which some layers without weights do not.
    takes_trainable: ClassVar[bool] = True

    trainable: bool = argument("whether training changes the layer's weights", True)
    dtype: DTypePolicy | None = argument("the dtype policy: what it computes in and keeps its weights in", None)

    @model_validator(mode="after")
    def _takes_trainable(self) -> LayerEntry:
        if not self.trainable and not self.takes_trainable:
            hint = "leave it out: the layer has no weights"
            raise conflict("trainable", f"{self.name()} takes no trainable", hint=hint, code="GB201")
        return self

    @classmethod
    def saved(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """What Keras has saved of a layer, without what follows from the rest and its constructor refuses beside it.

        Arguments:
            config: its arguments by name, as `get_config` gives them.
        """
        return config

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        """The weights that the layer creates when it is first called, in Keras's order.

        Raises:
            Misfit: an axis that a weight's shape needs is unknown.
        """
        return ()

    def masks(self, masked: bool) -> bool:
        """Whether the first output carries a mask, given whether the first input does."""
        return self.masking is Masking.CREATES or (masked and self.masking is Masking.PASSES)

    def bundles(self) -> Bundles | None:
        """How Keras bundles the outputs in lists inside the list of them; None where it does not."""
        return None

    def mask_of_output(
        self, ops: MaskOps[Tensor], given: Sequence[Tensor], masks: Sequence[Tensor | None]
    ) -> Tensor | None:
        """The mask that Keras 3 makes for the first output when it builds a graph; None where there is none.

        Arguments:
            ops: makes masks of tensors.
            given: the tensors that the layer is called with first.
            masks: theirs, each None where a tensor has none.
        """
        return masks[0] if masks and masks[0] is not None and self.masks(True) else None

    @property
    def compute_dtype(self) -> str:
        """The dtype that floating inputs are cast to and the output has."""
        return (self.dtype or "float32").removeprefix("mixed_")

    def cast(self, dtype: str) -> str:
        """The dtype in which an input of that dtype arrives: floats are cast, all others stay."""
        return self.compute_dtype if is_float(dtype) else dtype


class OpEntry(Entry):
    """A function of `keras.ops`. It owns no weights.

    The class bears the function's name with capitals for underscores: `ExpandDims` describes `expand_dims`. Ports are
    the function's tensors, fields its other arguments.
    """

    # The other name of the function under which Keras saves it, where it has two.
    saved_as: ClassVar[str | None] = None

    @classmethod
    def name(cls) -> str:
        """The function's name in `keras.ops`."""
        return _WORD_START.sub("_", cls.__name__).lower()

    def keras_call(self, arguments: Mapping[str, Any], call: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """How the function is called: the first port by position, then the other ports and the arguments by name."""
        positional, keywords = super().keras_call(arguments, call)
        return positional, {**keywords, **self.own_arguments()}

    def own_arguments(self) -> dict[str, Any]:
        """The arguments that are not at their defaults, as Keras takes them."""
        fields = type(self).model_fields
        values = {name: getattr(self, name) for name in fields}
        return {
            name: value for name, value in values.items() if fields[name].is_required() or value != fields[name].default
        }
