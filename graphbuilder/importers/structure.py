"""Whether a configuration has the structure that Keras writes, so that reading it needs no further doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.reading_limits import damaged, shown

__all__ = ["check_structure"]

_CheckCall: TypeAlias = Callable[[Any, str], None]

_KINDS = {dict: "a mapping", list: "a list", str: "a string", int: "a whole number", float: "a number"}
# What stands beside the class and its configuration, or does not.
_OPTIONAL = {
    "module": str,
    "registered_name": str,
    "build_config": dict,
    "shared_object_id": int,
}


def check_structure(saved: Mapping[str, Any], *, legacy: bool) -> None:
    """Sees that models, layers and calls are of the types that Keras writes.

    Arguments:
        saved: what `model.to_json()` gives, read.
        legacy: whether it is of Keras 2, which writes calls in another form.

    Raises:
        NotCarried: GB851, it describes no model; GB852, something in it is of another type.

    Example:
        >>> check_structure({"class_name": "Sequential", "config": {"layers": []}}, legacy=False)
    """
    if not isinstance(saved.get("class_name"), str) or not isinstance(saved.get("config"), (dict, list)):
        hint = "expected the class_name and the config that model.to_json() writes"
        raise NotCarried("it describes no model", hint, code="GB851")
    for key in ("compile_config", "training_config"):
        if saved.get(key) is not None:
            _expect(saved, key, (dict,), "the model")
            _check_objects(saved[key], "the model")
    _check_model(saved, _check_legacy_call if legacy else _check_call)


def _check_model(saved: Mapping[str, Any], check_call: _CheckCall) -> None:
    config = saved["config"]
    # In the oldest files the configuration of a sequential model is the list of its layers.
    layers = config if isinstance(config, list) else config.get("layers")
    if not isinstance(layers, list) or not (isinstance(config, list) or _has_layers(saved)):
        return
    for number, layer in enumerate(layers):
        _check_layer(layer, number, check_call)
    if isinstance(config, dict) and (saved["class_name"] != "Sequential" or "input_layers" in config):
        for key in ("input_layers", "output_layers"):
            _check_end(config.get(key), key)


def _has_layers(saved: Mapping[str, Any]) -> bool:
    return saved["class_name"] in ("Functional", "Model", "Sequential") or "input_layers" in saved["config"]


def _check_layer(layer: Any, number: int, check_call: _CheckCall) -> None:
    place = f"layer {number + 1}"
    if not isinstance(layer, dict):
        raise _wrong(place, layer, "a mapping")
    config = layer.get("config")
    name = layer.get("name", config.get("name") if isinstance(config, dict) else None)
    if name is not None and not isinstance(name, str):
        raise _wrong(f"the name of {place}", name, "a string")
    place = f"layer {shown(name)}" if name else place
    _expect(layer, "class_name", (str,), place)
    _expect(layer, "config", (dict, list) if layer["class_name"] == "Sequential" else (dict,), place)
    for key, kind in _OPTIONAL.items():
        if layer.get(key) is not None:
            _expect(layer, key, (kind,), place)
    module, registered = str(layer.get("module")), str(layer.get("registered_name"))
    is_own = registered.rpartition(">")[2] == layer["class_name"]
    if module.partition(".")[0] in ("keras", "tf_keras") and ">" in registered and not is_own:
        raise damaged(f"{place} is of two classes, {shown(module)}:{layer['class_name']} and {shown(registered)}")
    if "inbound_nodes" in layer:
        _expect(layer, "inbound_nodes", (list,), place)
        for node in layer["inbound_nodes"]:
            check_call(node, place)
    _check_objects(layer["config"], place)
    _check_model(layer, check_call)


def _check_objects(config: Any, place: str) -> None:
    """What a layer was made with: initializers, other layers and the like have a class and were made with something."""
    waiting: list[Any] = [config]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict) and "class_name" in item and "config" in item:
            _expect(item, "class_name", (str,), f"an object of {place}")
            # Functions are saved as their names, and the oldest sequential models as the lists of their layers.
            kinds = {"function": (str,), "Sequential": (dict, list)}.get(item["class_name"], (dict,))
            _expect(item, "config", kinds, f"an object of {place}")
        if isinstance(item, (dict, list)):
            waiting += item.values() if isinstance(item, dict) else item


def _check_call(node: Any, place: str) -> None:
    if not isinstance(node, dict):
        raise _wrong(f"a call of {place}", node, "a mapping")
    for key, kind in (("args", list), ("kwargs", dict)):
        if key in node:
            _expect(node, key, (kind,), f"a call of {place}")
    waiting: list[Any] = [node]
    while waiting:
        item = waiting.pop()
        config = item.get("config") if isinstance(item, dict) else None
        if isinstance(config, dict):
            _check_marked(item.get("class_name"), config, place)
        if isinstance(item, (dict, list)):
            waiting += item.values() if isinstance(item, dict) else item


def _check_marked(kind: Any, config: Mapping[str, Any], place: str) -> None:
    """What a call is given that JSON has no form for."""
    place = f"what {place} is called with"
    if kind == "__keras_tensor__":
        if not _is_reference(config.get("keras_history")):
            raise _wrong(place, config.get("keras_history"), "a layer, a call and an index")
        if config.get("shape") is not None:
            _expect(config, "shape", (list,), place)
    elif kind in ("__numpy__", "__tensor__"):
        _expect(config, "value", (list, int, float), place)
        _expect(config, "dtype", (str,), place)


def _check_legacy_call(node: Any, place: str) -> None:
    expected = "a layer, a call and an index, with or without keywords"
    if not isinstance(node, (list, dict)) or not node:
        raise _wrong(f"a call of {place}", node, "a list or mapping of tensors")
    if isinstance(node, list) and isinstance(node[0], str):
        is_right = len(node) in (3, 4) and (node[0] == "_CONSTANT_VALUE" or _is_reference(node[:3]))
        if not is_right or not isinstance(node[-1] if len(node) == 4 else {}, dict):
            raise _wrong(f"what {place} is called with", node, expected)
        return
    for each in node.values() if isinstance(node, dict) else node:
        _check_legacy_call(each, place)


def _check_end(saved: Any, key: str) -> None:
    if _is_reference(saved):
        return
    if not isinstance(saved, (list, dict)) or (isinstance(saved, list) and saved and isinstance(saved[0], str)):
        raise _wrong(key, saved, "a layer, a call and an index, or lists or mappings of such")
    for each in saved.values() if isinstance(saved, dict) else saved:
        _check_end(each, key)


def _is_reference(value: Any) -> bool:
    """Whether this is `[layer, call, index]`."""
    return (
        isinstance(value, list)
        and len(value) == 3
        and isinstance(value[0], str)
        and all(type(each) is int and each >= 0 for each in value[1:])
    )


def _expect(saved: Mapping[str, Any], key: str, kinds: tuple[type, ...], place: str) -> None:
    value = saved.get(key)
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise _wrong(f"{key} of {place}", value, " or ".join(_KINDS[kind] for kind in kinds))


def _wrong(place: str, value: Any, expected: str) -> NotCarried:
    found = "null" if value is None else "true or false" if isinstance(value, bool) else _KINDS.get(type(value), "text")
    if isinstance(value, (list, dict)) and not value:
        found = f"{found} of nothing"
    return damaged(f"in its configuration, {place} is {found}; expected {expected}")
