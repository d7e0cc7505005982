"""One layer of a Keras model as a node writes it: the catalog's name for it and what of its arguments is no default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from graphbuilder.catalog import LayerEntry, layers
from graphbuilder.catalog.defaults import as_one_number, with_defaults
from graphbuilder.catalog.objects import KINDS
from graphbuilder.catalog.tables import REFUSED
from graphbuilder.importers.described import DescribedLayer, DescribedTensor, tensors_in
from graphbuilder.importers.objects import is_saved_object, written_object
from graphbuilder.importers.problems import NotCarried
from graphbuilder.lowering.resolved_values import literal, written_entry

__all__ = ["entry_of", "layer_entry", "written_custom", "written_layer"]

# The packages that Keras's own classes come from; files of Keras 2 do not say.
_KERAS = ("keras", "tf_keras", "tensorflow", "builtins", "")
# What Keras saves beside the arguments.
_BESIDE = ("name", "batch_input_shape", "batch_shape", "build_config", "registered_name", "rng_type", "vocabulary_size")
# Also of layers that take no other.
_USUAL = (("data_format", "channels_last"), ("oov_method", "floormod"))


def written_layer(entry: LayerEntry) -> dict[str, Any]:
    """The keys of a node that makes a layer, without what it is called with.

    Arguments:
        entry: the layer, as the catalog has it.
    """
    return {"layer": type(entry).name(), **written_entry(entry)}


def layer_entry(layer: DescribedLayer) -> LayerEntry | None:
    """The catalog's entry for a layer; None for a class that the catalog does not know.

    Arguments:
        layer: the layer, which is no model and no op, and is called.

    Raises:
        NotCarried: it runs code of its own, or the catalog cannot say one of its arguments.
    """
    _refuse_code(layer.kind)
    if not _in_catalog(layer.kind, layer.module):
        return None
    firsts = [next(tensors_in([*call.arguments, *call.keywords.values()]), None) for call in layer.calls]
    ranks = {None if given is None or given.shape is None else len(given.shape) for given in firsts}
    # An axis is the last one of all that the layer is called with, or not.
    rank = ranks.pop() if len(ranks) == 1 else None
    return entry_of(layer.kind, layer.config, rank)


def _in_catalog(kind: str, module: str) -> bool:
    return module.partition(".")[0] in _KERAS and layers.get(kind) is not None


def _refuse_code(kind: str) -> None:
    if kind in REFUSED:
        reason, _, remedy = REFUSED[kind].partition("; ")
        raise NotCarried(f"{kind} cannot be imported: {reason}", remedy or None, code="GB213")


def entry_of(kind: str, config: Mapping[str, Any], rank: int | None = None) -> LayerEntry:
    """The catalog's entry for one of its layers that Keras has saved.

    Arguments:
        kind: its class.
        config: what it was made with.
        rank: how many axes its first input has, where that is known.

    Raises:
        NotCarried: the catalog cannot say one of its arguments.

    Example:
        >>> entry_of("Dense", {"name": "scores", "units": 10, "kernel_initializer": None}).units
        10
    """
    known = layers.get(kind)
    assert known is not None
    arguments = {}
    for name, value in known.saved(config).items():
        if name in known.model_fields:
            arguments[name] = as_one_number(known, name, _argument(name, value))
        elif value and name not in _BESIDE and (name, value) not in _USUAL:
            raise NotCarried(f"{kind} has an argument {name}, which the catalog does not know")
    try:
        found = known.model_validate(arguments)
    except ValidationError as error:
        told = error.errors()[0]
        where = ".".join(map(str, told["loc"]))
        raise NotCarried(f"{kind} was made with {where} in a way that cannot be said: {told['msg']}") from None
    return with_defaults(found, rank)


def _argument(name: str, value: Any) -> Any:
    """An argument as the catalog reads it."""
    if name == "dtype":
        return _policy(value)
    kind = next((kind for kind in KINDS if name.endswith(kind)), None)
    if kind is not None:
        return written_object(kind, value)
    if isinstance(value, (list, tuple)) and value and all(map(is_saved_object, value)):
        return [_argument(name, item) for item in value]
    if is_saved_object(value):
        inner, module = str(value["class_name"]), str(value.get("module") or "")
        _refuse_code(inner)
        if not _in_catalog(inner, module):
            raise NotCarried(f"it holds a {inner}, which the catalog does not know")
        # Bidirectional sets this on the layers that it wraps, whatever they were made with.
        return entry_of(inner, {key: item for key, item in value["config"].items() if key != "zero_output_for_mask"})
    return value


def _policy(value: Any) -> Any:
    """A dtype policy by its name; None for the usual one."""
    config = value["config"] if is_saved_object(value) else {"name": value}
    name = config.get("name") if isinstance(config, Mapping) else config
    return None if name in (None, "float32") else name


def written_custom(layer: DescribedLayer, gives: Mapping[int, DescribedTensor]) -> dict[str, Any]:
    """The keys of a node that makes a layer which the catalog does not know.

    Arguments:
        layer: the layer.
        gives: the tensors that it is seen to give, by their numbers.

    Raises:
        NotCarried: the file does not say where its class comes from.
    """
    if not layer.module:
        raise NotCarried(
            f"the file does not say which module the class {layer.kind} comes from",
            "put the class into a module that can be imported, and save the model again",
        )
    parts = [*layer.module.split("."), layer.kind]
    if not all(part.isidentifier() for part in parts):
        raise NotCarried(f"{layer.module}:{layer.kind} names no class")
    arguments = {name: value for name, value in layer.config.items() if name != "name"}
    arguments["dtype"] = _policy(arguments.get("dtype"))
    if arguments["dtype"] is None:
        del arguments["dtype"]
    if arguments.get("trainable") is True:
        del arguments["trainable"]
    written: dict[str, Any] = {"layer": f"{layer.module}:{layer.kind}"}
    if arguments:
        written["args"] = literal(arguments)
    stated = _stated(gives)
    return {**written, "gives": stated} if stated else written


def _stated(gives: Mapping[int, DescribedTensor]) -> Any:
    """What stands under `gives`; None where the file does not say it all."""
    found = []
    for number in range(max(gives, default=-1) + 1):
        tensor = gives.get(number)
        if tensor is None or not tensor.shape or tensor.shape[0] is not None:
            return None
        one: dict[str, Any] = {"shape": list(tensor.shape[1:])}
        found.append(one if tensor.dtype in (None, "float32") else {**one, "dtype": tensor.dtype})
    return found[0] if len(found) == 1 else found or None
