"""Einsum for tf_keras, built of products of matrices.

tf_keras cannot save a call of `tf.einsum`, whose operands are variable arguments; the functions used here it can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import tensorflow as tf

__all__ = ["einsum"]


@dataclass(frozen=True, slots=True)
class _Operand:
    """A tensor with a label for each axis: a letter, or "0", "1"… from the right for what an ellipsis stands for."""

    tensor: Any
    labels: tuple[str, ...]


def einsum(subscripts: str, tensors: Sequence[Any]) -> Any:
    """What `tf.einsum` gives, for tensors of one float dtype, of which at least one is symbolic.

    Arguments:
        subscripts: the equation.
        tensors: the operands.
    """
    given, arrow, wanted = subscripts.partition("->")
    operands = [_labelled(tensor, spec) for tensor, spec in zip(tensors, given.split(","), strict=True)]
    if not arrow:
        letters = given.replace("...", "").replace(",", "")
        wanted = "..." + "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    between = max((sum(label.isdigit() for label in operand.labels) for operand in operands), default=0)
    before, dots, after = wanted.partition("...")
    result = (*before, *(_ellipsis(between) if dots else ()), *after)
    current = operands[0]
    for number, other in enumerate(operands[1:], 1):
        later = {label for operand in operands[number + 1 :] for label in operand.labels}
        current = _product(current, other, {*result, *later})
    current = _summed(current, set(result))
    return _arranged(current, result)


def _ellipsis(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in reversed(range(count)))


def _labelled(tensor: Any, spec: str) -> _Operand:
    """An operand with its labels, each of them once."""
    before, dots, after = spec.partition("...")
    count = len(tensor.shape) - len(before) - len(after)
    operand = _Operand(tensor, (*before, *(_ellipsis(count) if dots else ()), *after))
    for label in operand.labels:
        while operand.labels.count(label) > 1:
            axes = [axis for axis, other in enumerate(operand.labels) if other == label]
            rest = [axis for axis in range(len(operand.labels)) if axis not in axes[:2]]
            tensor = tf.linalg.diag_part(tf.transpose(operand.tensor, [*rest, *axes[:2]]))
            operand = _Operand(tensor, (*(operand.labels[axis] for axis in rest), label))
    return operand


def _summed(operand: _Operand, needed: set[str]) -> _Operand:
    """The operand without the axes that nothing needs."""
    axes = [axis for axis, label in enumerate(operand.labels) if label not in needed]
    if not axes:
        return operand
    left = tuple(label for label in operand.labels if label in needed)
    return _Operand(tf.reduce_sum(operand.tensor, axis=axes), left)


def _arranged(operand: _Operand, labels: tuple[str, ...]) -> Any:
    """The tensor with its axes in this order, and axes of 1 for labels that it lacks."""
    present = [label for label in labels if label in operand.labels]
    order = [operand.labels.index(label) for label in present]
    tensor = operand.tensor
    tensor = tf.identity(tensor) if order == list(range(len(order))) else tf.transpose(tensor, order)
    for axis, label in enumerate(labels):
        if label not in operand.labels:
            tensor = tf.expand_dims(tensor, axis)
    return tensor


def _product(left: _Operand, right: _Operand, needed: set[str]) -> _Operand:
    """Two operands multiplied, and summed over the labels that both have and nothing else needs."""
    left = _summed(left, {*needed, *right.labels})
    right = _summed(right, {*needed, *left.labels})
    summed = [label for label in left.labels if label in right.labels and label not in needed and not label.isdigit()]
    # Axes of an ellipsis are broadcast, so that an operand may lack them or have 1 there.
    shared = [label for label in left.labels if label in right.labels and label not in summed and not label.isdigit()]
    dots = sorted({label for label in (*left.labels, *right.labels) if label.isdigit()}, key=int, reverse=True)
    rows = [label for label in left.labels if label not in right.labels and not label.isdigit()]
    columns = [label for label in right.labels if label not in left.labels and not label.isdigit()]
    batch = [*dots, *shared]
    first = _arranged(left, (*batch, *rows, *summed))
    second = _arranged(right, (*batch, *summed, *columns))
    if not summed:
        for _ in columns:
            first = tf.expand_dims(first, -1)
        for _ in rows:
            second = tf.expand_dims(second, len(batch))
        return _Operand(tf.multiply(first, second), (*batch, *rows, *columns))
    sizes = [_sizes(first)[len(batch) :][: len(rows)], _sizes(second)[len(second.shape) - len(columns) :]]
    inner = _sizes(first)[len(first.shape) - len(summed) :]
    if len(rows) != 1 or len(summed) != 1:
        first = _reshaped(first, [*_sizes(first)[: len(batch)], _merged(sizes[0]), _merged(inner)])
    if len(columns) != 1 or len(summed) != 1:
        second = _reshaped(second, [*_sizes(second)[: len(batch)], _merged(inner), _merged(sizes[1])])
    found = tf.matmul(first, second)
    if len(rows) != 1 or len(columns) != 1:
        found = _reshaped(found, [*_sizes(found)[: len(batch)], *sizes[0], *sizes[1]])
    return _Operand(found, (*batch, *rows, *columns))


def _sizes(tensor: Any) -> list[Any]:
    """The size of each axis: an integer, or a symbolic one where it is unknown."""
    known = list(tensor.shape)
    if None not in known:
        return known
    dynamic = tf.shape(tensor)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(known)]


def _merged(sizes: Sequence[Any]) -> Any:
    """The number of elements of several axes."""
    if all(isinstance(size, int) for size in sizes):
        return prod(sizes)
    merged = sizes[0]
    for size in sizes[1:]:
        merged = tf.multiply(merged, size)
    return merged


def _reshaped(tensor: Any, sizes: list[Any]) -> Any:
    """The tensor in a shape of which sizes may be symbolic."""
    symbolic = [axis for axis, size in enumerate(sizes) if not isinstance(size, int)]
    if len(symbolic) == 1:
        sizes[symbolic[0]] = -1
        symbolic = []
    return tf.reshape(tensor, tf.stack(sizes) if symbolic else sizes)
