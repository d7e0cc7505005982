"""The layers of one model as nodes, and those of the models inside it as blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any

from graphbuilder.catalog import LayerEntry
from graphbuilder.importers.calling import call_options, custom_call, layer_call
from graphbuilder.importers.described import (
    DescribedCall,
    DescribedLayer,
    DescribedModel,
    DescribedTensor,
    Given,
    flattened,
    tensors_in,
)
from graphbuilder.importers.operations import is_operation, operation
from graphbuilder.importers.problems import NotCarried, Problems
from graphbuilder.importers.sharing import called_with, refuse_beside_tensors
from graphbuilder.importers.translating import layer_entry, written_custom, written_layer
from graphbuilder.lowering.resolved_names import legal_name
from graphbuilder.lowering.resolved_values import Unwritable, literal

__all__ = ["Level", "Shared"]


@dataclass
class Shared:
    """What all levels of one model write to.

    Arguments:
        problems: where what cannot be carried is noted.
        blocks: as under `blocks`.
        names: the path of the node that makes each layer, by the names of the models around it and its own.
    """

    problems: Problems
    blocks: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def block_name(self, wanted: str) -> str:
        """A name that no block has yet, which is kept for this one."""
        name = _free(legal_name(wanted), self.blocks)
        self.blocks[name] = {}
        return name


class Level:
    """The layers of one model.

    Arguments:
        model: the model.
        shared: what all levels write to.
        outside: the names of the models around this one in the file, and of the block nodes that they became.
        training: what each layer is told of training where the model as a whole is told it.
    """

    def __init__(
        self,
        model: DescribedModel,
        shared: Shared,
        outside: tuple[tuple[str, str], ...] = (),
        training: bool | None = None,
    ) -> None:
        self.model = model
        self.shared = shared
        self.outside = outside
        self.training = training
        self.ports: dict[str, str] = {}
        self._layers = {layer.name: layer for layer in model.layers}
        self._calls: dict[tuple[str, int], str] = {}
        self._makers: dict[str, str] = {}
        self._entries: dict[str, LayerEntry | None] = {}
        # What the models inside were told of training when they became blocks.
        self._trained: dict[str, bool | None] = {}
        self._taken: set[str] = set()
        self._gives = _given_types(model)
        self._order = list(self._in_order())
        self._name_all()

    def _name_all(self) -> None:
        inside = self.outside != ()
        # A mapping's keys are what a model is called with; inside, a port bears the layer's own name.
        keys = {} if inside or not isinstance(self.model.inputs, dict) else _keys(self.model.inputs)
        for tensor in tensors_in(self.model.inputs):
            if tensor.layer not in self.ports:
                name = self._free(legal_name(keys.get(tensor.layer, tensor.layer)))
                self.ports[tensor.layer] = self._calls[tensor.layer, 0] = name
                self._note(tensor.layer, name)
        for layer in self.model.layers:
            if layer.name not in self.ports:
                # Names are given in the order of the file, so that those that differ only in signs stay as they are.
                self._makers[layer.name] = self._free(legal_name(layer.name))
                for each in (layer.name, *layer.also):
                    self._note(each, self._makers[layer.name])
        met: set[str] = set()
        for layer, number in self._order:
            name = self._makers[layer.name]
            self._calls[layer.name, number] = self._free(f"{name}_again") if layer.name in met else name
            met.add(layer.name)

    def _note(self, layer: str, node: str) -> None:
        theirs = "/".join([*(model for model, _ in self.outside), layer])
        self.shared.names[theirs] = ".".join([*(block for _, block in self.outside), node])

    def _free(self, wanted: str) -> str:
        name = _free(wanted, self._taken)
        self._taken.add(name)
        return name

    def place(self, layer: str) -> str:
        """What messages call a layer: its name below those of the models around it."""
        return "/".join([*(model for model, _ in self.outside), layer])

    def inputs(self) -> dict[str, Any]:
        """As under `inputs` of the file."""
        found = {}
        for layer, name in self.ports.items():
            try:
                found[name] = self._input(self._layers[layer])
            except NotCarried as problem:
                self.shared.problems.refuse(self.place(layer), problem)
        return found

    def _input(self, layer: DescribedLayer) -> dict[str, Any]:
        config = layer.config
        for form in ("sparse", "ragged"):
            if config.get(form):
                raise NotCarried(f"it is a {form} input", "make the model with dense inputs")
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        if not isinstance(shape, (list, tuple)) or not shape:
            raise NotCarried("its shape is not known")
        if shape[0] is not None:
            told = f"the batch size is fixed to {shape[0]}, and a blueprint leaves it open"
            self.shared.problems.lose(self.place(layer.name), told)
        if config.get("optional"):
            self.shared.problems.lose(self.place(layer.name), "the input may be left out, and a blueprint needs it")
        written: dict[str, Any] = {"shape": list(shape[1:])}
        dtype = config.get("dtype") or "float32"
        if isinstance(dtype, Mapping):
            dtype = dtype.get("config", {}).get("name", "float32")
        if dtype != "float32":
            written["dtype"] = dtype
        return written

    def nodes(self) -> dict[str, Any]:
        """As under `nodes`: each after what it takes, else in the order of the file."""
        found: dict[str, Any] = {}
        for layer, number in self._order:
            name = self._calls[layer.name, number]
            try:
                found[name] = self._node(layer, number, name)
            except NotCarried as problem:
                self.shared.problems.refuse(self.place(layer.name), problem)
            except Unwritable as error:
                told = NotCarried(error.message, error.hint, code=error.code)
                self.shared.problems.refuse(self.place(layer.name), told)
        return found

    def _in_order(self) -> Iterator[tuple[DescribedLayer, int]]:
        calls = [
            (layer, number)
            for layer in self.model.layers
            if layer.kind != "InputLayer"
            for number in range(len(layer.calls))
        ]
        place = {(layer.name, number): index for index, (layer, number) in enumerate(calls)}
        waiting: list[int] = []
        following: dict[int, list[int]] = {}
        for index, (layer, number) in enumerate(calls):
            needed = {place.get((tensor.layer, tensor.call)) for tensor in _tensors(layer.calls[number])} - {None}
            waiting.append(len(needed))
            for each in needed:
                assert each is not None
                following.setdefault(each, []).append(index)
        ready = [index for index, count in enumerate(waiting) if not count]
        heapify(ready)
        while ready:
            index = heappop(ready)
            yield calls[index]
            for each in following.get(index, ()):
                waiting[each] -= 1
                if not waiting[each]:
                    heappush(ready, each)

    def _node(self, layer: DescribedLayer, number: int, name: str) -> dict[str, Any]:
        call = layer.calls[number]
        if is_operation(layer):
            return operation(layer, call).written(self.reference)
        maker = self._makers[layer.name]
        if layer.model is not None:
            return self._block(layer, layer.model, call, name, maker)
        entry = self._entry(layer)
        if entry is None:
            written = {} if name != maker else written_custom(layer, self._gives.get((layer.name, number), {}))
            if name == maker:
                self._tell_custom(layer)
            source, options = custom_call(call, self.reference)
        else:
            written = {} if name != maker else written_layer(entry)
            source, options = layer_call(type(entry), call, self.reference)
            if self.training and "training" in entry.call_arguments:
                options.setdefault("training", self.training)
        head = {"reuse": maker} if name != maker else {"layer": written.pop("layer")}
        return {**head, "from": source, **written, **({"call": literal(options)} if options else {})}

    def _tell_custom(self, layer: DescribedLayer) -> None:
        self.shared.problems.lose(
            self.place(layer.name),
            f"{layer.module}:{layer.kind} is code outside the catalog, and only its name and arguments are carried",
            f"compile imports it with --trust {layer.module}, if you trust it",
        )

    def _block(
        self, layer: DescribedLayer, model: DescribedModel, call: DescribedCall, name: str, maker: str
    ) -> dict[str, Any]:
        """A node for a model inside this one."""
        training = True if call.keywords.get("training") is True else self.training
        refuse_beside_tensors(call)
        given = [self.reference(tensor) for tensor in called_with(model, call)]
        source = given[0] if len(given) == 1 else given
        if name != maker:
            # A first call that could not be written has been told of already.
            if training != self._trained.get(maker, training):
                told = "it is called again and told otherwise of training, and a block does the same at every call"
                self.shared.problems.lose(self.place(layer.name), told)
            return {"reuse": maker, "from": source}
        self._trained[maker] = training
        if model.kind not in ("Functional", "Model", "Sequential"):
            told = f"it is a {model.kind}, of which the layers are carried, not what the class does beside"
            self.shared.problems.lose(self.place(layer.name), told)
        block = self.shared.block_name(layer.name)
        outside = (*self.outside, (layer.name, name))
        level = Level(model, self.shared, outside, training)
        definition: dict[str, Any] = {"inputs": list(level.ports.values()), "nodes": level.nodes()}
        definition["outputs"] = level.given(_ports_out(model.outputs))
        # Blocks stand below those that they use.
        del self.shared.blocks[block]
        self.shared.blocks[block] = definition
        return {"block": block, "from": source}

    def given(self, value: Given) -> Any:
        """The outputs of a model as references."""
        if isinstance(value, DescribedTensor):
            return self.reference(value)
        if isinstance(value, list):
            return [self.given(each) for each in value]
        if isinstance(value, dict):
            return {key: self.given(each) for key, each in value.items()}
        raise NotCarried("an output of the model is no tensor")

    def reference(self, tensor: DescribedTensor) -> str:
        """What a tensor is called on this level.

        Raises:
            NotCarried: the file says nothing of the layer that gives it.
        """
        name = self._calls.get((tensor.layer, tensor.call))
        if name is None:
            raise NotCarried(f"it takes what {tensor.layer} gives, which is not in the file", code="GB852")
        layer = self._layers[tensor.layer]
        if layer.model is not None:
            outputs = _ports_out(layer.model.outputs)
            if isinstance(outputs, dict):
                return f"{name}.{sorted(outputs)[tensor.index]}"
            return f"{name}.{tensor.index}" if isinstance(outputs, list) else name
        return f"{name}.{tensor.index}" if tensor.index or self._several(layer, tensor) else name

    def _several(self, layer: DescribedLayer, tensor: DescribedTensor) -> bool:
        """Whether a call gives several tensors, so that the first must be numbered too."""
        call = layer.calls[tensor.call] if layer.calls else None
        try:
            if call is None:
                return False
            if is_operation(layer):
                return (operation(layer, call).entry.output_count({}) or 1) > 1
            entry = self._entry(layer)
            if entry is not None:
                return (entry.output_count(call_options(type(entry), call)) or 1) > 1
        except NotCarried:
            # It is told at the layer itself.
            return False
        return len(self._gives[layer.name, tensor.call]) > 1

    def _entry(self, layer: DescribedLayer) -> LayerEntry | None:
        if layer.name not in self._entries:
            self._entries[layer.name] = layer_entry(layer)
        return self._entries[layer.name]


def _ports_out(outputs: Given) -> Given:
    """The outputs of a model inside another, in the form in which a block has them."""
    leaves = flattened(outputs)
    if len(leaves) == 1:
        return leaves[0]
    if isinstance(outputs, dict) and all(
        isinstance(leaf, DescribedTensor) and legal_name(key) == key for key, leaf in outputs.items()
    ):
        return outputs
    return leaves


def _keys(inputs: Mapping[str, Given]) -> dict[str, str]:
    """The key of each input in a mapping, by its layer."""
    return {tensor.layer: key for key, tensor in inputs.items() if isinstance(tensor, DescribedTensor)}


def _given_types(model: DescribedModel) -> dict[tuple[str, int], dict[int, DescribedTensor]]:
    """The tensors that each call is seen to give, by their numbers."""
    found: dict[tuple[str, int], dict[int, DescribedTensor]] = {}
    for layer in model.layers:
        for call in layer.calls:
            for tensor in _tensors(call):
                found.setdefault((tensor.layer, tensor.call), {})[tensor.index] = tensor
    for tensor in tensors_in(model.outputs):
        found.setdefault((tensor.layer, tensor.call), {}).setdefault(tensor.index, tensor)
    return found


def _tensors(call: DescribedCall) -> list[DescribedTensor]:
    return list(tensors_in([*call.arguments, *call.keywords.values()]))


def _free(wanted: str, taken: Iterable[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name
