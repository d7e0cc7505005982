"""The configuration of a Keras 2 model, as tf_keras and TensorFlow before 2.16 save it, in neutral form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from graphbuilder.importers.described import (
    DescribedCall,
    DescribedLayer,
    DescribedModel,
    DescribedTensor,
    Given,
)
from graphbuilder.importers.keras2_layers import modern_config, modern_kind
from graphbuilder.importers.keras2_ops import (
    OPERATIONS,
    described_operation,
    fixed_sizes,
    free_name,
    parted,
    picked,
)
from graphbuilder.importers.keras3 import MODELS
from graphbuilder.importers.operations import without_unused_operations
from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.reading_limits import damaged, shown

__all__ = ["described2"]

# Stands in the place of a layer's name where a call is given plain data.
_CONSTANT = "_CONSTANT_VALUE"
# Layers whose states are saved among their inputs.
_RECURRENT = ("Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "LSTM", "SimpleRNN")
# How JSON of a SavedModel marks what is a tuple, or the shape of a tensor.
_TUPLES = ("TensorShape", "__tuple__")


def described2(saved: Mapping[str, Any]) -> DescribedModel:
    """The model that a configuration of Keras 2 describes.

    Arguments:
        saved: what `model.to_json()` gives, read.

    Raises:
        NotCarried: it is no functional or sequential model, or something in it is not carried.
    """
    return _model(_plain(saved))


def _plain(saved: Any) -> Any:
    """Plain data in which tuples are lists."""
    if isinstance(saved, Mapping):
        if saved.get("class_name") in _TUPLES and isinstance(saved.get("items"), list):
            return [_plain(each) for each in saved["items"]]
        return {key: _plain(value) for key, value in saved.items()}
    return [_plain(each) for each in saved] if isinstance(saved, list) else saved


def _model(saved: Mapping[str, Any]) -> DescribedModel:
    kind, config = str(saved.get("class_name")), saved.get("config")
    if not _is_model(saved):
        raise NotCarried(
            f"it is a {kind}, which says in code, not in its configuration, what it computes",
            "functional and sequential models can be imported",
            code="GB851",
        )
    # Before version 2.2.5 the configuration of a sequential model was the list of its layers.
    config = {"layers": config} if isinstance(config, list) else config
    assert isinstance(config, Mapping)
    model = _Functional(config).described() if "input_layers" in config else _sequential(config)
    return replace(model, kind=kind, keras=2, training=saved.get("compile_config") or None)


def _is_model(saved: Mapping[str, Any]) -> bool:
    config = saved.get("config")
    if isinstance(config, list):
        return saved.get("class_name") == "Sequential"
    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):
        return False
    return saved.get("class_name") in MODELS or "input_layers" in config


def _layer(saved: Mapping[str, Any]) -> DescribedLayer:
    """A layer without its calls."""
    # A class that somebody registered stands behind its package: `mine>Scale`.
    config, kind = saved.get("config") or {}, modern_kind(str(saved["class_name"]).rpartition(">")[2])
    name, shared = _name(saved), saved.get("shared_object_id")
    if _is_model(saved):
        return DescribedLayer(name, kind, _module(saved), model=_model(saved), shared=shared)
    try:
        return DescribedLayer(name, kind, _module(saved), modern_config(kind, config), shared=shared)
    except NotCarried as problem:
        problem.layer = problem.layer or name
        raise


def _module(saved: Mapping[str, Any]) -> str:
    if saved.get("module"):
        return str(saved["module"])
    # Of a class that somebody registered the file knows its package alone.
    registered = saved.get("registered_name") if ">" in str(saved.get("registered_name")) else saved["class_name"]
    return str(registered).rpartition(">")[0]


class _Functional:
    """The layers of a functional model, and what each of their calls is called with.

    Arguments:
        config: what the model was made with.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._saved: dict[str, Mapping[str, Any]] = {}
        for each in config["layers"]:
            name = _name(each)
            if name in self._saved:
                raise damaged(f"two layers of {shown(str(config.get('name')))} are named {shown(name)}")
            self._saved[name] = each
        self._used = set(_references(config))
        self._first = self._first_calls()
        self._operations = self._named_operations()

    def described(self) -> DescribedModel:
        """The model."""
        layers = [layer for name in self._saved for layer in self._layers(name)]
        inputs, outputs = self._ends(self._config["input_layers"]), self._ends(self._config["output_layers"])
        return DescribedModel(
            str(self._config.get("name")), without_unused_operations(layers, outputs), inputs, outputs
        )

    def _first_calls(self) -> dict[str, int]:
        """The number that the file has for the first call of each layer.

        A model that was given inputs was called on them when it was made, and the file leaves that call out.
        """
        highest: dict[str, int] = {}
        for name, call, _ in self._used:
            highest[name] = max(call, highest.get(name, 0))
        found = {}
        for name, saved in self._saved.items():
            calls = len(saved.get("inbound_nodes") or ())
            skipped = _is_model(saved) and (_has_input(saved) or highest.get(name, 0) >= calls)
            found[name] = int(skipped)
        return found

    def _named_operations(self) -> dict[tuple[str, int], str]:
        """The names of the ops, of which each call becomes an op of its own."""
        taken = {name for name, saved in self._saved.items() if saved["class_name"] not in OPERATIONS}
        found = {}
        for name, saved in self._saved.items():
            if saved["class_name"] in OPERATIONS:
                for call in range(len(saved.get("inbound_nodes") or ())):
                    # Of Keras's own names, such as `tf.math.add_2`, the last part says what it is.
                    own = name.rpartition(".")[2] if name.startswith("tf.") else name
                    found[name, call] = free_name(own, taken)
        return found

    def _layers(self, name: str) -> Iterator[DescribedLayer]:
        """A layer, or the ops that stand for it."""
        saved = self._saved[name]
        nodes = saved.get("inbound_nodes") or ()
        if saved["class_name"] in OPERATIONS:
            function = str(saved["config"].get("function"))
            for call, node in enumerate(nodes):
                yield from self._operation((name, call), function, node)
            return
        layer = _layer(saved)
        yield replace(layer, calls=tuple(self._call(layer.kind, node) for node in nodes))

    def _operation(self, key: tuple[str, int], function: str, node: Any) -> Iterator[DescribedLayer]:
        """The ops that stand for one call of a function."""
        name, given, keywords = self._operations[key], self._given(node), self._keywords(node)
        axis = parted(function, keywords)
        if axis is None:
            yield from described_operation(name, function, given, keywords, self._sizes(keywords.get("shape")))
            return
        for index in sorted(index for *call, index in self._used if tuple(call) == key):
            yield picked(f"{name}_{index}", given, axis, index)

    def _call(self, kind: str, node: Any) -> DescribedCall:
        given, keywords = self._given(node), self._keywords(node)
        if isinstance(given, list) and len(given) == 1:
            given = given[0]
        if kind in _RECURRENT and isinstance(given, list):
            given, *states = given
            keywords = {**keywords, "initial_state": states}
        return DescribedCall((given,), keywords)

    def _given(self, node: Any) -> Given:
        """What a call is called with by position."""
        if isinstance(node, Mapping):
            return {str(key): self._given(value) for key, value in node.items()}
        if not _is_reference(node):
            return [self._given(each) for each in node]
        if node[0] == _CONSTANT:
            return node[2]  # type: ignore[no-any-return]
        return self._tensor(node)

    def _keywords(self, node: Any) -> dict[str, Given]:
        """What a call is called with by name, which stands at each of its tensors."""
        first = next((each for each in _flat(node) if len(each) == 4), None)
        return {} if first is None else {str(name): self._keyword(value) for name, value in first[3].items()}

    def _keyword(self, value: Any) -> Given:
        if isinstance(value, Mapping):
            return {str(key): self._keyword(each) for key, each in value.items()}
        if isinstance(value, list):
            return self._tensor(value) if _is_tensor(value) else [self._keyword(each) for each in value]
        return value  # type: ignore[no-any-return]

    def _tensor(self, reference: Sequence[Any]) -> DescribedTensor:
        name, call, index = reference[:3]
        operation = self._operations.get((name, call))
        if operation is not None:
            return (
                DescribedTensor(f"{operation}_{index}")
                if self._is_parted(name, call)
                else DescribedTensor(operation, 0, index)
            )
        return DescribedTensor(name, call - self._first.get(name, 0), index)

    def _is_parted(self, name: str, call: int) -> bool:
        saved = self._saved[name]
        keywords: Mapping[str, Any] = next(
            (each[3] for each in _flat(saved["inbound_nodes"][call]) if len(each) == 4), {}
        )
        return parted(str(saved["config"].get("function")), keywords) is not None

    def _sizes(self, shape: Given) -> list[int] | None:
        """The sizes to reshape to, where at most one of them is computed: that one follows from the others."""
        if isinstance(shape, DescribedTensor):
            name = next((name for (name, _), op in self._operations.items() if op == shape.layer), "")
            saved = self._saved.get(name)
            stacked = saved is not None and saved["config"].get("function") in ("stack", "convert_to_tensor")
            shape = self._given(saved["inbound_nodes"][0]) if saved is not None and stacked else shape
        return fixed_sizes(shape)

    def _ends(self, saved: Any) -> Given:
        """The inputs or outputs of the model; Keras 2 saves a single tensor as a list of one."""
        if isinstance(saved, list) and len(saved) == 1 and _is_reference(saved[0]):
            return self._tensor(saved[0])
        if isinstance(saved, Mapping):
            return {str(key): self._ends(value) for key, value in saved.items()}
        return self._tensor(saved) if _is_reference(saved) else [self._ends(each) for each in saved]


def _name(saved: Mapping[str, Any]) -> str:
    config = saved.get("config")
    return str(saved.get("name") or (config.get("name") if isinstance(config, Mapping) else None))


def _has_input(saved: Mapping[str, Any]) -> bool:
    """Whether a model was given inputs when it was made."""
    config = saved["config"]
    if isinstance(config, Mapping) and "input_layers" in config:
        return True
    first: Mapping[str, Any] = next(iter(config if isinstance(config, list) else config["layers"]), {})
    return first.get("class_name") == "InputLayer" or "batch_input_shape" in (first.get("config") or {})


def _is_reference(node: Any) -> bool:
    """Whether this is `[layer, call, index]`, or that and keywords."""
    return isinstance(node, list) and len(node) in (3, 4) and isinstance(node[0], str)


def _is_tensor(value: list[Any]) -> bool:
    return _is_reference(value) and len(value) == 3 and all(type(each) is int for each in value[1:])


def _flat(node: Any) -> Iterator[Sequence[Any]]:
    """The references in what a call is called with by position."""
    if _is_reference(node):
        yield node
    else:
        for each in node.values() if isinstance(node, Mapping) else node:
            yield from _flat(each)


def _references(config: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """The layers, calls and indices that anything in a model refers to."""
    waiting = [config["input_layers"], config["output_layers"]]
    waiting += [node for each in config["layers"] for node in each.get("inbound_nodes") or ()]
    while waiting:
        item = waiting.pop()
        if _is_reference(item) and type(item[1]) is int and type(item[2]) is int:
            yield item[0], item[1], item[2]
        if isinstance(item, (list, Mapping)):
            waiting += item.values() if isinstance(item, Mapping) else item


def _sequential(config: Mapping[str, Any]) -> DescribedModel:
    """A sequential model, whose layers are called one after the other."""
    name = str(config.get("name") or "sequential")
    layers = [_layer(each) for each in config["layers"]]
    if not layers:
        raise NotCarried(f"the sequential model {name} has no layers", "add a layer, or leave the model out")
    if layers[0].kind != "InputLayer":
        layers.insert(0, _implied_input(config, name, {layer.name for layer in layers}))
    called = [
        replace(layer, calls=(DescribedCall((DescribedTensor(above.name),)),)) for above, layer in pairwise(layers)
    ]
    ends = DescribedTensor(layers[0].name), DescribedTensor(layers[-1].name)
    return DescribedModel(name, (layers[0], *called), *ends)


def _implied_input(config: Mapping[str, Any], model: str, taken: set[str]) -> DescribedLayer:
    """The input of a sequential model that was given none: its first layer says what it is called with."""
    saved = config["layers"][0]
    first = saved.get("config") or {}
    build = saved.get("build_config") or {}
    shape = first.get("batch_input_shape") or config.get("build_input_shape") or build.get("input_shape")
    if not isinstance(shape, list):
        raise NotCarried(
            f"the sequential model {model} was never built, so nobody knows what it is given",
            "call it on data before it is saved, or give it an Input",
        )
    dtype = "int32" if saved["class_name"] == "Embedding" else "float32"
    return DescribedLayer(
        free_name("input", taken), "InputLayer", "keras.layers", {"batch_shape": shape, "dtype": dtype}
    )
