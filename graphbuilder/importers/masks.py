"""Masks that Keras hands on by itself, which it saves among the arguments of calls once it has worked them out.

`Embedding(mask_zero=True)` gives its output a mask, and Keras passes it on from layer to layer. A functional model has
it as ops and as the `mask` of a call, as if somebody had written them. What is built of the blueprint has the
mask again, so it is left out wherever it is the very one that Keras would hand on; any other mask stays.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from typing import Any

from graphbuilder.catalog import LayerEntry, OpEntry, ops
from graphbuilder.importers.described import (
    DescribedCall,
    DescribedLayer,
    DescribedModel,
    DescribedTensor,
    Given,
    flattened,
    tensors_in,
)
from graphbuilder.importers.operations import is_operation, operation, without_unused_operations
from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.translating import layer_entry
from graphbuilder.lowering.resolved_values import plain_entry

__all__ = ["without_own_masks"]

_MASK = "mask"
_Place = tuple[str, int]


def without_own_masks(model: DescribedModel, *, inside: bool = False) -> DescribedModel:
    """The model, and those inside it, without the masks that Keras hands on by itself, and the ops that only they need.

    Arguments:
        model: the model.
        inside: whether it lies in another one, so that its inputs may have masks.

    Example:
        >>> words = DescribedTensor("words", shape=(None, 6), dtype="int32")
        >>> table = {"input_dim": 9, "output_dim": 4, "mask_zero": True}
        >>> read = DescribedCall((DescribedTensor("table"),), {"mask": DescribedTensor("known")})
        >>> layers = (
        ...     DescribedLayer("words", "InputLayer", "keras.layers"),
        ...     DescribedLayer("table", "Embedding", "keras.layers", table, (DescribedCall((words,)),)),
        ...     DescribedLayer("known", "NotEqual", "keras.ops", {}, (DescribedCall((words, 0)),)),
        ...     DescribedLayer("read", "LSTM", "keras.layers", {"units": 3}, (read,)),
        ... )
        >>> found = without_own_masks(DescribedModel("reader", layers, words, DescribedTensor("read")))
        >>> [layer.name for layer in found.layers], found.layers[-1].calls[0].keywords
        (['words', 'table', 'read'], {})
    """
    layers = tuple(
        layer if layer.model is None else replace(layer, model=without_own_masks(layer.model, inside=True))
        for layer in model.layers
    )
    model = replace(model, layers=layers)
    if not any(_may_be_own(call) for layer in layers for call in layer.calls):
        return model
    own = set(_Masks(model, inside).own())
    if not own:
        return model
    layers = tuple(
        replace(
            layer,
            calls=tuple(
                _without_mask(call) if (layer.name, number) in own else call for number, call in enumerate(layer.calls)
            ),
        )
        for layer in layers
    )
    return replace(model, layers=without_unused_operations(layers, model.outputs))


def _without_mask(call: DescribedCall) -> DescribedCall:
    return replace(call, keywords={name: value for name, value in call.keywords.items() if name != _MASK})


def _may_be_own(call: DescribedCall) -> bool:
    """Whether a call is given a mask, and one tensor or list beside it: Keras hands on no mask where there are more."""
    if next(tensors_in(call.keywords.get(_MASK)), None) is None:
        return False
    beside = [value for name, value in call.keywords.items() if name != _MASK]
    given = [value for value in [*call.arguments, *beside] if next(tensors_in(value), None) is not None]
    return len(given) == 1 and bool(call.arguments)


def _tensors(call: DescribedCall) -> Iterator[DescribedTensor]:
    return tensors_in([*call.arguments, *call.keywords.values()])


@dataclass(frozen=True, slots=True)
class _Known:
    """A tensor: two of one number are equal, whatever the model is given.

    Arguments:
        number: which one.
        rank: how many axes it has, where that is known.
    """

    number: int
    rank: int | None = field(default=None, compare=False)


class _Masks:
    """Which masks the tensors of one model have when Keras builds it.

    Arguments:
        model: the model.
        inside: whether it lies in another one.
    """

    def __init__(self, model: DescribedModel, inside: bool) -> None:
        self.layers = {layer.name: layer for layer in model.layers}
        # What is computed in the same way of the same tensors has one number.
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[tuple[str, int, int], _Known] = {}
        self._masks: dict[_Place, _Known | None] = {}
        self._entries: dict[str, LayerEntry | None] = {}
        for tensor in tensors_in(model.inputs) if inside else ():
            self._masks[tensor.layer, 0] = self._unknown()

    def own(self) -> Iterator[_Place]:
        """The calls, as layer and number, whose mask is the one that Keras would hand on."""
        for name, number in self._in_order():
            layer = self.layers[name]
            call = layer.calls[number]
            if is_operation(layer):
                self._note_op(layer, number, call)
                continue
            given = flattened(call.arguments[0]) if call.arguments else []
            handed_on = [self._mask_of(item) for item in given]
            masks = [self._number(item) for item in flattened(call.keywords.get(_MASK))]
            if _may_be_own(call) and masks == handed_on:
                yield name, number
            self._masks[name, number] = self._mask_of_output(layer, given, masks if any(masks) else handed_on)

    def _in_order(self) -> Iterator[_Place]:
        needs = {
            (layer.name, number): {(tensor.layer, tensor.call) for tensor in _tensors(call)}
            for layer in self.layers.values()
            for number, call in enumerate(layer.calls)
        }
        return (place for place in TopologicalSorter(needs).static_order() if place in needs)

    def _mask_of(self, given: Given) -> _Known | None:
        # A layer gives its mask to the first of its outputs.
        if not isinstance(given, DescribedTensor) or given.index:
            return None
        return self._masks.get((given.layer, given.call))

    def _mask_of_output(self, layer: DescribedLayer, given: list[Given], masks: list[_Known | None]) -> _Known | None:
        tensors = [each for each in given if isinstance(each, DescribedTensor)]
        # A model inside hands on no mask when Keras builds the graph; the layers that stand for it in a blueprint do.
        entry = self._entry(layer) if layer.model is None else None
        if entry is None or not tensors or not len(tensors) == len(given) == len(masks):
            return self._unknown()
        return entry.mask_of_output(self, [self._arrived(entry, tensor) for tensor in tensors], masks)

    def _unknown(self) -> _Known:
        """A mask that may be any or none, and so is equal to no other."""
        return _Known(self._numbers.setdefault(object(), len(self._numbers)))

    def _entry(self, layer: DescribedLayer) -> LayerEntry | None:
        """The catalog's entry; None where nobody knows what the layer makes of masks."""
        if layer.name not in self._entries:
            try:
                self._entries[layer.name] = layer_entry(layer)
            except NotCarried:
                # It is told where the layer becomes a node.
                self._entries[layer.name] = None
        return self._entries[layer.name]

    def _arrived(self, entry: LayerEntry, tensor: DescribedTensor) -> _Known:
        """A tensor in the dtype that the layer computes in."""
        found, dtype = self._tensor(tensor), tensor.dtype
        if dtype is None or entry.cast(dtype) == dtype:
            return found
        return self.apply("cast", {"x": found}, dtype=entry.cast(dtype))

    def _note_op(self, layer: DescribedLayer, number: int, call: DescribedCall) -> None:
        try:
            found = operation(layer, call)
        except NotCarried:
            # It is told where the op becomes a node.
            return
        if found.entry.output_count({}) is None:
            made = self._made(found.entry, {port: self._frozen(value) for port, value in found.ports.items()})
            self._known[layer.name, number, 0] = _Known(made)

    def _frozen(self, given: Given) -> Hashable:
        if isinstance(given, DescribedTensor):
            return self._tensor(given)
        if isinstance(given, list):
            return tuple(self._frozen(each) for each in given)
        # A number is equal to itself as another kind of number, as it is where Keras compares with it.
        return given if isinstance(given, (int, float)) else repr(given)

    def _number(self, given: Given) -> _Known | None:
        return self._tensor(given) if isinstance(given, DescribedTensor) else None

    def _tensor(self, given: DescribedTensor) -> _Known:
        place = given.layer, given.call, given.index
        if place not in self._known:
            self._known[place] = _Known(self._numbers.setdefault(place, len(self._numbers)))
        found = self._known[place]
        return found if given.shape is None else replace(found, rank=len(given.shape))

    def _made(self, entry: OpEntry, ports: Mapping[str, Hashable]) -> int:
        key = (entry.name(), json.dumps(plain_entry(entry), sort_keys=True), tuple(ports.items()))
        return self._numbers.setdefault(key, len(self._numbers))

    def apply(self, op: str, given: Mapping[str, _Known | list[_Known] | float], **arguments: Any) -> _Known:
        """What an op of the catalog makes of what stands at its ports."""
        kind = ops.get(op)
        assert kind is not None
        ports = {port: tuple(value) if isinstance(value, list) else value for port, value in given.items()}
        return _Known(self._made(kind.model_validate(arguments), ports), self._rank_of(op, given))

    def _rank_of(self, op: str, given: Mapping[str, _Known | list[_Known] | float]) -> int | None:
        """How many axes the result has."""
        known = [each for value in given.values() for each in (value if isinstance(value, list) else [value])]
        ranks = [each.rank for each in known if isinstance(each, _Known)]
        if None in ranks:
            return None
        return max(rank for rank in ranks if rank is not None) + {"expand_dims": 1, "any": -1}.get(op, 0)

    def rank(self, tensor: _Known) -> int | None:
        """How many axes a tensor has, where that is known."""
        return tensor.rank
