"""Every layer's arguments, defaults and call arguments against the signatures of both Kerases."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Annotated, Any

import keras
import pytest
import tf_keras
from pydantic import ConfigDict, TypeAdapter, ValidationError

from graphbuilder.backend.missing import missing_layers
from graphbuilder.catalog import REFUSED, Entry, LayerEntry, layers
from tests.catalog.exemptions import SIGNATURES
from tests.catalog.names import LAYERS, OPS, entry_kind, layer_kind, op_kind

# What every layer takes: `name` is the node's, `trainable` and `dtype` are LayerEntry's, the rest not for blueprints.
_EVERYWHERE = {"self", "args", "kwargs", "name", "trainable", "dtype", "autocast"}
_NO_DEFAULT = object()

# The layers that are gone in Keras 3.
ONLY_LEGACY = {
    "AbstractRNNCell",
    "DenseFeatures",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "RandomHeight",
    "RandomWidth",
    "ThresholdedReLU",
}


def exempt(name: str, argument: str) -> bool:
    """Whether an argument is known to differ from Keras's."""
    return (name, argument) in SIGNATURES or ("*", argument) in SIGNATURES


def constructor(made: type) -> Any:
    """The constructor that a class has or inherits."""
    return next(cls.__dict__["__init__"] for cls in made.__mro__ if "__init__" in cls.__dict__)


def own_arguments(made: type) -> dict[str, Any]:
    """The arguments that a class's own constructor lists, with their defaults."""
    found = {}
    for name, parameter in inspect.signature(constructor(made)).parameters.items():
        if name not in _EVERYWHERE and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            found[name] = _NO_DEFAULT if parameter.default is parameter.empty else parameter.default
    return found


def all_arguments(made: type, root: type) -> dict[str, Any]:
    """The arguments of a class's constructor and of those that it hands its other arguments on to."""
    found: dict[str, Any] = {}
    for cls in made.__mro__:
        if "__init__" not in cls.__dict__:
            continue
        found = {**own_arguments(cls), **found}
        kinds = [parameter.kind for parameter in inspect.signature(cls.__dict__["__init__"]).parameters.values()]
        if cls is root or inspect.Parameter.VAR_KEYWORD not in kinds:
            break
    return found


def described(kind: type[LayerEntry]) -> list[str]:
    """The arguments that an entry describes, but for those that every layer has."""
    return [name for name in kind.model_fields if name not in LayerEntry.model_fields]


def validated(kind: type[Entry], name: str, value: Any) -> Any:
    """A value as the entry's argument would hold it."""
    field = kind.model_fields[name]
    annotation: Any = field.annotation
    for item in field.metadata:
        annotation = Annotated[annotation, item]
    adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=ConfigDict(strict=True, arbitrary_types_allowed=True))
    return adapter.validate_python(value)


def differences(kind: type[Entry], theirs: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    """Which defaults differ.

    Arguments:
        kind: the entry.
        theirs: Keras's arguments and defaults.
        names: our names of the arguments to compare, to theirs.
    """
    found = {}
    for ours, name in names.items():
        field = kind.model_fields[ours]
        default = theirs[name]
        if default is _NO_DEFAULT or field.is_required():
            if not (default is _NO_DEFAULT and field.is_required()):
                found[ours] = f"required {'by Keras' if default is _NO_DEFAULT else 'by us'} only"
            continue
        try:
            expected = validated(kind, ours, default)
        except ValidationError as error:
            found[ours] = f"Keras's default {default!r} is refused: {error.errors()[0]['msg']}"
            continue
        if ours == "data_format" and {field.default, expected} == {None, "channels_last"}:
            continue  # null means Keras's configured format, which is channels_last unless a user changes it
        if field.default != expected or type(field.default) is not type(expected):
            found[ours] = f"{field.default!r} here, {expected!r} in Keras"
    return found


def signature_findings(name: str) -> dict[str, str]:
    """Each argument of a layer that is not as in Keras 3, with what differs."""
    kind = layer_kind(name)
    theirs = own_arguments(getattr(keras.layers, name))
    ours = described(kind)
    found = {argument: "Keras has it" for argument in theirs if argument not in ours}
    found |= {argument: "Keras's signature does not list it" for argument in ours if argument not in theirs}
    return found | differences(kind, theirs, {argument: argument for argument in ours if argument in theirs})


@pytest.mark.parametrize("name", LAYERS)
def test_arguments_and_defaults_are_keras_s(name: str) -> None:
    found = signature_findings(name)
    assert {argument: what for argument, what in found.items() if not exempt(name, argument)} == {}


@pytest.mark.parametrize("name", LAYERS)
def test_defaults_are_as_validation_leaves_them(name: str) -> None:
    kind = layer_kind(name)
    for argument, field in kind.model_fields.items():
        if not field.is_required():
            assert field.default == validated(kind, argument, field.default), argument


@pytest.mark.parametrize("name", LAYERS)
def test_tf_keras_differs_as_stated(name: str) -> None:
    kind = layer_kind(name)
    legacy = kind.legacy
    made = getattr(tf_keras.layers, legacy.name or name, None)
    if legacy.absent is not None:
        assert made is None, f"tf_keras has {name}, and `legacy.absent` says: {legacy.absent}"
        return
    assert made is not None, f"tf_keras has no {legacy.name or name}: state `legacy.absent`"
    ours = described(kind)
    theirs = all_arguments(made, tf_keras.layers.Layer)
    for argument in (*legacy.lacking, *legacy.renamed, *legacy.defaults):
        assert argument in ours, f"`legacy` speaks of {argument}, which {name} does not have"
    wrong = {argument: "tf_keras has it" for argument in legacy.lacking if argument in theirs}
    names = {argument: legacy.renamed.get(argument, argument) for argument in ours if argument not in legacy.lacking}
    wrong |= {argument: f"tf_keras has no {theirs_}" for argument, theirs_ in names.items() if theirs_ not in theirs}
    wrong |= {argument: "tf_keras has our name too" for argument in legacy.renamed if argument in theirs}
    assert wrong == {}
    others = differences(kind, theirs, names)
    stated = dict(legacy.defaults)
    assert others.keys() == stated.keys(), f"defaults that differ: {others}; stated: {stated}"
    for argument, default in stated.items():
        # None stands for "required there".
        actual = theirs[names[argument]]
        assert default == (None if actual is _NO_DEFAULT else actual), argument


def op_findings(name: str) -> dict[str, str]:
    """Each argument of an op that is not as in `keras.ops`, with what differs."""
    kind = op_kind(name)
    parameters = inspect.signature(getattr(keras.ops, name)).parameters
    theirs = {key: item for key, item in parameters.items() if item.kind is not item.VAR_KEYWORD}
    ports = {port.name: port for port in kind.ports}
    ours = [*ports, *kind.model_fields]
    found = {argument: "Keras has it" for argument in theirs if argument not in ours}
    found |= {argument: "Keras has no such argument" for argument in ours if argument not in theirs}
    defaults = {
        argument: _NO_DEFAULT if parameter.default is parameter.empty else parameter.default
        for argument, parameter in theirs.items()
    }
    for argument, port in ports.items():
        if argument in defaults and port.optional is (defaults[argument] is _NO_DEFAULT):
            found[argument] = f"optional is {port.optional} here"
    return found | differences(kind, defaults, {name: name for name in kind.model_fields if name in theirs})


@pytest.mark.parametrize("name", OPS)
def test_arguments_of_ops_are_keras_s(name: str) -> None:
    found = op_findings(name)
    assert {argument: what for argument, what in found.items() if not exempt(name, argument)} == {}


def call_findings(name: str) -> dict[str, str]:
    """Each argument of a layer's call that is not as in Keras 3, as "call.…", with what differs."""
    kind = layer_kind(name)
    ports = {port.name: port for port in kind.ports}
    theirs = {
        argument: parameter
        for argument, parameter in inspect.signature(getattr(keras.layers, name).call).parameters.items()
        if argument not in ("self", "args", "kwargs")
    }
    ours = [*ports, *kind.call_arguments]
    packs = kind.keras_call is not LayerEntry.keras_call
    found = {argument: "Keras has it" for argument in theirs if argument not in ours and not packs}
    found |= {argument: "Keras has no such argument" for argument in ours if argument not in theirs and not packs}
    for argument, parameter in theirs.items():
        optional = parameter.default is not parameter.empty
        if argument in ports and ports[argument].optional is not optional:
            found[argument] = f"optional is {not optional} here"
        if argument in kind.call_arguments and kind.call_arguments[argument].default != parameter.default:
            found[argument] = f"{kind.call_arguments[argument].default!r} here, {parameter.default!r} in Keras"
    return {f"call.{argument}": what for argument, what in found.items()}


@pytest.mark.parametrize("name", LAYERS)
def test_ports_and_call_arguments_are_keras_s(name: str) -> None:
    found = call_findings(name)
    assert {argument: what for argument, what in found.items() if not exempt(name, argument)} == {}


@pytest.mark.parametrize("name", [*LAYERS, *OPS])
def test_the_json_schema_can_be_made(name: str) -> None:
    assert entry_kind(name).model_json_schema()["additionalProperties"] is False


@pytest.mark.parametrize("name", [*LAYERS, *OPS])
def test_every_entry_is_described_and_shown(name: str) -> None:
    kind = entry_kind(name)
    assert kind.__doc__, "no docstring"
    assert kind.__doc__ != (Entry.__doc__ or "")
    assert kind.family, "no family"
    assert kind.name() == name
    assert [argument for argument, field in kind.model_fields.items() if not field.description] == []
    assert [argument for argument, call in kind.call_arguments.items() if not call.about] == []
    assert kind.examples, "no example"
    for example in kind.examples:
        kind.model_validate(dict(example.arguments))
        assert len(example.inputs) <= len(kind.ports)
        assert set(example.call) <= set(kind.call_arguments)
        required = [port.name for port in kind.ports if not port.optional]
        assert len(example.inputs) >= len(required)


def test_what_is_refused_exists_in_a_keras_and_not_here() -> None:
    both = (keras.layers, tf_keras.layers)
    assert [name for name in REFUSED if not any(hasattr(home, name) for home in both)] == []
    assert [name for name in REFUSED if name in layers] == []


def test_what_the_catalog_lacks_is_refused_by_name() -> None:
    lacking = missing_layers()
    assert {name for name, _ in lacking} >= {"Lambda", "Layer", "TFSMLayer"}
    assert [name for name, reason in lacking if reason is None] == []
    # Nothing that Keras 3 has is left out for being in tf_keras too.
    assert {name for name, reason in lacking if reason and reason.startswith("Keras 3 has no")} <= ONLY_LEGACY
    assert [name for name in ONLY_LEGACY if hasattr(keras.layers, name)] == []


def test_every_exemption_of_a_signature_is_needed() -> None:
    found = {(name, argument) for name in LAYERS for argument in (*signature_findings(name), *call_findings(name))}
    arguments = {argument for _, argument in found}
    found |= {(name, argument) for name in OPS for argument in op_findings(name)}
    idle = [key for key in SIGNATURES if key[0] in (*LAYERS, *OPS) and key not in found]
    idle += [key for key in SIGNATURES if key[0] == "*" and key[1] not in arguments]
    assert idle == []
