"""Applies ops of the catalog: functions of keras.ops in Keras 3, their TensorFlow counterparts in tf_keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuilder.backend.frameworks import Framework
from graphbuilder.backend.layers import Unbuildable
from graphbuilder.backend.op_names import name_keras_op, name_legacy_op
from graphbuilder.catalog import OpEntry

__all__ = ["call_op", "unmasked"]


def call_op(entry: OpEntry, arguments: Mapping[str, Any], framework: Framework, name: str) -> Any:
    """The tensors that an op gives; its node in the model bears the name.

    Arguments:
        entry: the op and its arguments.
        arguments: tensors and constants by port.
        framework: the Keras to build in.
        name: the node's name.

    Raises:
        Unbuildable: tf_keras has no such op.
    """
    positional, keywords = entry.keras_call(arguments, {})
    kind = type(entry).name()
    if not framework.legacy:
        produced = getattr(framework.keras.ops, kind)(*positional, **keywords)
        name_keras_op(produced, name)
        return produced
    # The table imports TensorFlow's functions, which Keras 3 alone would not need.
    from graphbuilder.backend.legacy_ops import LEGACY_OPS

    if entry.legacy.absent is not None or kind not in LEGACY_OPS:
        raise Unbuildable(f"tf_keras has no {kind}: {entry.legacy.absent}", "build it with Keras 3")
    produced = LEGACY_OPS[kind](*positional, **keywords)
    name_legacy_op(produced, name)
    return produced


def unmasked(tensor: Any, name: str) -> Any:
    """A tensor of tf_keras without its mask.

    tf_keras passes a mask through Add and its kin when one input has one, Keras 3 only when all have. An op loses it.

    Arguments:
        tensor: a symbolic tensor that carries a mask.
        name: the name of the node that loses it.
    """
    import tensorflow

    bare = tensorflow.add(tensor, 0) if tensor.dtype.is_integer else tensorflow.multiply(tensor, 1.0)
    name_legacy_op(bare, name)
    return bare
