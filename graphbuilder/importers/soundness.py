"""Whether the layers of a described model fit together."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from graphbuilder.catalog import layers as catalog_layers
from graphbuilder.importers.described import DescribedLayer, DescribedModel, DescribedTensor, flattened, tensors_in
from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.reading_limits import damaged, shown

__all__ = ["check_soundness"]


def check_soundness(model: DescribedModel) -> None:
    """Sees that every tensor is one that a layer gives, and that no layer waits for itself.

    Arguments:
        model: the model, and those inside it.

    Raises:
        NotCarried: GB852, it is not so; GB213, a layer's class is a part of Python.

    Example:
        >>> layers = (DescribedLayer("x", "InputLayer", config={"batch_shape": [None, 4]}),)
        >>> check_soundness(DescribedModel("model", layers, DescribedTensor("x"), DescribedTensor("x")))
    """
    layers: dict[str, DescribedLayer] = {}
    for layer in model.layers:
        if layer.name in layers:
            raise damaged(f"two layers of {shown(model.name)} are named {shown(layer.name)}")
        layers[layer.name] = layer
        if layer.model is not None:
            check_soundness(layer.model)
    for user, tensor in [*_ends(model, "inputs"), *_ends(model, "outputs"), *_called_with(model)]:
        _check_tensor(user, tensor, layers)
    for tensor in tensors_in(model.inputs):
        if layers[tensor.layer].kind != "InputLayer":
            raise damaged(f"the input {shown(tensor.layer)} is a layer of the kind {shown(layers[tensor.layer].kind)}")
    for layer in layers.values():
        _check_class(layer)
        if layer.kind == "InputLayer":
            _check_shape(layer)
    _check_order(layers)


def _ends(model: DescribedModel, which: str) -> Iterator[tuple[str, DescribedTensor]]:
    """The tensors at one end of a model, with words for who has them."""
    found = flattened(getattr(model, which))
    if not found:
        raise damaged(f"the model {shown(model.name)} has no {which}")
    for each in found:
        if not isinstance(each, DescribedTensor):
            raise damaged(f"the {which} of the model {shown(model.name)} are no tensors")
        yield f"the model {shown(model.name)} has among its {which}", each


def _called_with(model: DescribedModel) -> Iterator[tuple[str, DescribedTensor]]:
    """The tensors that layers are called with, with words for whose call it is."""
    for layer in model.layers:
        for call in layer.calls:
            for tensor in tensors_in([*call.arguments, *call.keywords.values()]):
                yield f"the layer {shown(layer.name)} is called with", tensor


def _check_tensor(user: str, tensor: DescribedTensor, layers: dict[str, DescribedLayer]) -> None:
    layer = layers.get(tensor.layer)
    if layer is None:
        raise damaged(f"{user} what {shown(tensor.layer)} gives, and there is no such layer")
    calls = 1 if layer.kind == "InputLayer" else len(layer.calls)
    if not 0 <= tensor.call < calls:
        raise damaged(f"{user} what {shown(tensor.layer)} gives in its call {tensor.call + 1}, and it has {calls}")


def _check_class(layer: DescribedLayer) -> None:
    """Refuses a class that is a part of Python: no layer is, and `os:system` is what an attack looks like."""
    package = layer.module.partition(".")[0]
    # Where Keras writes nothing better, it says that its own classes are builtin.
    is_builtin = package == "builtins" and catalog_layers.get(layer.kind) is not None
    if package in sys.stdlib_module_names and not is_builtin:
        raise NotCarried(
            f"its class {shown(layer.module)}:{shown(layer.kind)} is a part of Python, and no layer",
            "do not load this file with Keras either",
            code="GB213",
            layer=shown(layer.name),
        )


def _check_shape(layer: DescribedLayer) -> None:
    shape = layer.config.get("batch_shape")
    sizes = shape if isinstance(shape, list) and shape else [""]
    if not all(size is None or (type(size) is int and size >= 0) for size in sizes):
        raise damaged(f"the input {shown(layer.name)} has no shape that is a list of sizes")
    if not isinstance(layer.config.get("dtype", ""), (str, type(None))):
        raise damaged(f"the input {shown(layer.name)} has no dtype that is a name")


def _check_order(layers: dict[str, DescribedLayer]) -> None:
    calls: dict[tuple[str, int], set[tuple[str, int]]] = {}
    for layer in layers.values():
        for number, call in enumerate(layer.calls):
            given = tensors_in([*call.arguments, *call.keywords.values()])
            calls[layer.name, number] = {(tensor.layer, tensor.call) for tensor in given}
    try:
        TopologicalSorter(calls).prepare()
    except CycleError as error:
        names = " → ".join(shown(name) for name, _ in error.args[1][:10])
        raise damaged(f"its layers feed each other in a circle: {names}") from None
