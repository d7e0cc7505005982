"""Applies ops of the catalog: functions of keras.ops in Keras 3, their TensorFlow counterparts in tf_keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuilder.backend.frameworks import Framework
from graphbuilder.backend.layers import Unbuildable
from graphbuilder.catalog import OpEntry

__all__ = ["call_op"]


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
    from graphbuilder.backend.legacy_ops import LEGACY_OPS
    from graphbuilder.backend.op_names import name_keras_op, name_legacy_op

    positional, keywords = entry.keras_call(arguments, {})
    kind = type(entry).name()
    if not framework.legacy:
        produced = getattr(framework.keras.ops, kind)(*positional, **keywords)
        name_keras_op(produced, name)
        return produced
    if entry.legacy.absent is not None or kind not in LEGACY_OPS:
        raise Unbuildable(f"tf_keras has no {kind}: {entry.legacy.absent}", "build it with Keras 3")
    produced = LEGACY_OPS[kind](*positional, **keywords)
    name_legacy_op(produced, name)
    return produced
