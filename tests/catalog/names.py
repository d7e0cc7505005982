"""The names that the tests run over. An entry that cannot be loaded is among them, so that only its own tests fail."""

from __future__ import annotations

from collections.abc import Callable

from graphbuilder.catalog import Entry, LayerEntry, OpEntry, layers, ops

__all__ = ["LAYERS", "OPS", "OP_TWINS", "PAIRS", "TWINS", "entry_kind", "layer_kind", "op_kind"]


def layer_kind(name: str) -> type[LayerEntry]:
    """The layer of that name."""
    found = layers.get(name)
    assert found is not None
    return found


def op_kind(name: str) -> type[OpEntry]:
    """The op of that name."""
    found = ops.get(name)
    assert found is not None
    return found


def entry_kind(name: str) -> type[Entry]:
    """The layer or op of that name."""
    return layer_kind(name) if name in layers else op_kind(name)


def _unless(without: Callable[[str], bool], names: list[str]) -> list[str]:
    kept = []
    for name in names:
        try:
            if without(name):
                continue
        except ImportError:
            pass
        kept.append(name)
    return kept


LAYERS = layers.names()
OPS = ops.names()
# The layers, and the ops, of which there is a twin in tf_keras.
TWINS = _unless(lambda name: layer_kind(name).legacy.refusal(name) is not None, LAYERS)
OP_TWINS = _unless(lambda name: op_kind(name).legacy.refusal(name) is not None, OPS)
# The ops with two operands, of which one may be a plain number.
PAIRS = _unless(lambda name: len(op_kind(name).ports) != 2, OPS)
