"""The tables of initializers, regularizers, constraints and activations against Keras 3."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import pytest

from graphbuilder.backend.layers import Unbuildable, keras_object
from graphbuilder.catalog.objects import KINDS, ObjectSpec
from tests.catalog.exemptions import ACTIVATIONS, OBJECTS
from tests.support.kerases import KERAS, TWIN

_BASES = {
    "initializer": keras.initializers.Initializer,
    "regularizer": keras.regularizers.Regularizer,
    "constraint": keras.constraints.Constraint,
}
CLASSES = [(kind, name) for kind in _BASES for name in KINDS[kind].options]
NAMES = [(kind, name) for kind in KINDS for name in KINDS[kind].names]


def home(kind: str) -> Any:
    return getattr(keras, f"{kind}s")


def exported(kind: str) -> set[str]:
    """The canonical names of what Keras exports: classes, or functions for activations."""
    found = set()
    for name in dir(home(kind)):
        thing = getattr(home(kind), name)
        if kind == "activation":
            if inspect.isfunction(thing) and name not in ("get", "serialize", "deserialize"):
                found.add(thing.__name__)
        elif inspect.isclass(thing) and issubclass(thing, _BASES[kind]) and thing is not _BASES[kind]:
            found.add(thing.__name__)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_has_what_keras_has(kind: str) -> None:
    missing = exported(kind) - KINDS[kind].options.keys() - KINDS[kind].unusable.keys()
    assert ({name for name in missing if (kind, name) not in OBJECTS}, KINDS[kind].options.keys() - exported(kind)) == (
        set(),
        set(),
    )


@pytest.mark.parametrize(("kind", "name"), CLASSES, ids=lambda part: part)
def test_options_are_keras_s(kind: str, name: str) -> None:
    made = getattr(home(kind), name)
    theirs = [
        parameter
        for parameter in inspect.signature(made).parameters.values()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    assert sorted(KINDS[kind].options[name]) == sorted(
        parameter.name for parameter in theirs if (kind, f"{name}.{parameter.name}") not in OBJECTS
    )


@pytest.mark.parametrize(("kind", "name"), NAMES, ids=lambda part: part)
def test_keras_finds_each_name_and_means_the_same(kind: str, name: str) -> None:
    if (kind, f"{name}()") in OBJECTS:
        pytest.skip(OBJECTS[kind, f"{name}()"])
    found = home(kind).get(name)
    canonical = KINDS[kind].canonical(name)
    actual = found.__name__ if kind == "activation" else type(found).__name__
    assert actual == canonical


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_that_keras_finds_is_in_the_table(kind: str) -> None:
    known = [name for name in dir(home(kind)) if not name.startswith("_") and name[0].islower()]
    taken = []
    for name in known:
        try:
            found = home(kind).get(name)
        except (KeyError, ValueError):
            continue
        if callable(found) and not inspect.ismodule(found) and name not in ("get", "serialize", "deserialize"):
            taken.append(name)
    unknown = [name for name in taken if KINDS[kind].canonical(name) is None and name not in KINDS[kind].unusable]
    assert [name for name in unknown if (kind, name) not in OBJECTS] == []


@pytest.mark.parametrize("name", [name for name, options in KINDS["activation"].options.items() if options])
def test_options_of_activations_are_those_of_the_layer(name: str) -> None:
    layer = keras_object(ObjectSpec("activation", name, {option: _value(option) for option in options_of(name)}), KERAS)
    theirs = set(inspect.signature(type(layer).__init__).parameters) - {"self", "kwargs"}
    assert set(options_of(name)) == theirs


@pytest.mark.parametrize("name", [name for name, options in KINDS["activation"].options.items() if options])
def test_an_activation_with_its_default_options_is_the_function(name: str) -> None:
    function = keras.activations.get(name)
    defaults = inspect.signature(function).parameters
    layer = keras_object(
        ObjectSpec("activation", name, {option: defaults[option].default for option in options_of(name)}), KERAS
    )
    numbers = keras.ops.convert_to_tensor([[-3.0, -0.5, 0.0, 0.5, 7.0]])
    assert keras.ops.all(keras.ops.isclose(layer(numbers), function(numbers)))


def options_of(name: str) -> tuple[str, ...]:
    return KINDS["activation"].options[name]


def _value(option: str) -> Any:
    return -1 if option == "axis" else 0.5


def activation_difference(name: str) -> float | None:
    """How far the two Kerases are apart in an activation, or None where tf_keras has none of that name."""
    try:
        twin = keras_object(ObjectSpec("activation", name), TWIN)
    except Unbuildable:
        return None
    numbers = keras.ops.reshape(keras.ops.linspace(-8.0, 8.0, 64), (4, 16))
    mine = keras_object(ObjectSpec("activation", name), KERAS)(numbers)
    return float(keras.ops.max(keras.ops.abs(mine - twin(numbers))))


@pytest.mark.parametrize("name", KINDS["activation"].options)
def test_activations_compute_the_same_in_tf_keras(name: str) -> None:
    found = activation_difference(name)
    assert found is None or (found > 1e-5) is (name in ACTIVATIONS), found
