"""What is told of one node, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphbuilder.analysis.explain_fusion import ExplainedFusion
from graphbuilder.analysis.summary import CallSummary
from graphbuilder.catalog import TensorType, Weight
from graphbuilder.errors import Diagnostic
from graphbuilder.graph import Origin, Value

__all__ = ["ExplainedArgument", "ExplainedInput", "Explanation", "Link"]


@dataclass(frozen=True, slots=True)
class ExplainedArgument:
    """An argument of a node.

    Arguments:
        name: as a blueprint writes it.
        value: its value, as plain data.
        default: whether that is the default.
        about: what it is, in one line.
    """

    name: str
    value: Any
    default: bool
    about: str


@dataclass(frozen=True, slots=True)
class ExplainedInput:
    """Something that a node is given.

    Arguments:
        port: the call argument at which it stands.
        value: the name of the value; for a number or an array, its text.
        type: its shape and dtype; None where unknown.
        masked: whether it carries a mask.
        giver: what gives it: the kind of layer or op, `input`, or `constant`.
    """

    port: str
    value: str
    type: TensorType | None
    masked: bool
    giver: str


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the chain from an input; one without a name stands for some that are left out.

    Arguments:
        name: the value, or how many steps are left out.
        kind: what gives it.
        type: its shape and dtype.
    """

    name: str
    kind: str
    type: TensorType | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of one node.

    Arguments:
        name: its path.
        node: what it is: input, layer, op, fusion, block, or part, for what lies inside a fusion and is no single call.
        kind: the layer, op, fusion or block, as a blueprint writes it; the modality of an input.
        does: what it does, paragraph by paragraph.
        about: the author's description, if any.
        origin: where it is written; where it stands inside a shipped or imported block, `used` is the user's own node.
        used: the place in the user's file that led there, if that is another one.
        part_of: the blocks and fusions around it, the outermost first.
        reason: for an adapter, why it is there.
        arguments: those that differ from their defaults, and then the others.
        inputs: what it is given.
        outputs: what it gives.
        consumers: the nodes that read that.
        is_output: whether something it gives is an output of the model.
        weights: what it owns, by layer for what has several; None where unknown.
        shares: the node whose weights it uses again, if it does.
        shared_by: the later nodes that use its weights.
        parameters: numbers in its weights; None where unknown.
        trainable: those that training changes.
        macs: multiply-accumulates for one sample; None where unknown.
        calls: the calls that it stands for.
        chains: how what it is given came from the inputs.
        fusion: what is known of a fusion.
        warnings: those about it.
    """

    name: str
    node: str
    kind: str | None
    does: tuple[str, ...]
    about: str | None
    origin: Origin | None
    used: Origin | None
    part_of: tuple[str, ...]
    outputs: tuple[Value, ...]
    consumers: tuple[str, ...]
    is_output: bool
    reason: str | None = None
    arguments: tuple[ExplainedArgument, ...] = ()
    inputs: tuple[ExplainedInput, ...] = ()
    weights: tuple[tuple[str, Weight], ...] | None = ()
    shares: str | None = None
    shared_by: tuple[str, ...] = ()
    parameters: int | None = 0
    trainable: int | None = 0
    macs: int | None = 0
    calls: tuple[CallSummary, ...] = ()
    chains: tuple[tuple[Link, ...], ...] = ()
    fusion: ExplainedFusion | None = None
    warnings: tuple[Diagnostic, ...] = ()
