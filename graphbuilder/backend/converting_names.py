"""The names that a converted model's inputs and outputs bear: those of the blueprint. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphbuilder.backend.build import layer_names
from graphbuilder.graph import CustomLayer, Graph, Layer, Value

__all__ = [
    "RECURRENT",
    "SignatureNames",
    "fixed_batch",
    "names_of_graph",
    "names_of_model",
    "rename_inputs",
    "stand_ins",
]

# Layers whose fused TFLite operator needs the number of samples to be known.
RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional"})


@dataclass(frozen=True, slots=True)
class SignatureNames:
    """The names of a model's ends.

    Arguments:
        inputs: the names of the converted model's inputs, each with that of the model's input layer.
        outputs: the names of its outputs, in the structure that the model gives.
        nodes: every layer and op by the name it was built under, with its path in the blueprint.
    """

    inputs: Mapping[str, str]
    outputs: Any
    nodes: Mapping[str, str]


def names_of_graph(graph: Graph) -> SignatureNames:
    """The names that a blueprint gives its inputs and outputs.

    An output alone, and those of a list, are called by what they give (`answer`, `lstm.1`), those of a mapping by their
    keys.
    """
    built = layer_names(graph)
    taken: set[str] = set()

    def named(part: Any, name: str | None) -> Any:
        if isinstance(part, Value):
            return _unique(name or part.name, taken)
        if isinstance(part, Mapping):
            return {key: named(item, key if name is None else f"{name}.{key}") for key, item in part.items()}
        return [named(item, None if name is None else f"{name}.{index}") for index, item in enumerate(part)]

    inputs = {name: built[name] for name in graph.inputs}
    return SignatureNames(inputs, named(graph.outputs, None), {name: path for path, name in built.items()})


def _unique(name: str, taken: set[str]) -> str:
    """The name, or a numbered one where the same value is given twice."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}.{number}"
    taken.add(found)
    return found


def names_of_model(model: Any) -> SignatureNames:
    """The names that a model of tf_keras has, where there is no blueprint."""
    taken: set[str] = set()
    outputs = [_unique(name, taken) for name in model.output_names]
    nodes = {layer.name: layer.name for layer in model.layers}
    return SignatureNames({name: name for name in model.input_names}, outputs, nodes)


def fixed_batch(graph: Graph) -> tuple[str, ...]:
    """The recurrent layers of a graph: with them, a converted model takes a fixed number of samples at a time."""
    found = []
    for name, layer in graph.layers.items():
        if _is_recurrent(layer):
            found.append(name)
    return tuple(found)


def _is_recurrent(layer: Layer) -> bool:
    return not isinstance(layer.entry, CustomLayer) and layer.kind in RECURRENT


def stand_ins(names: Iterable[str]) -> dict[str, str]:
    """For each name of an input one that TensorFlow takes as an argument's, as long in bytes as the name itself.

    TensorFlow changes names such as `_tokens` and `left-image`; the equal length lets `rename_inputs` put them back.

    Example:
        >>> stand_ins(["_tokens", "left-image", "image"])
        {'_tokens': 'xtokens', 'left-image': 'left_image', 'image': 'image'}
    """
    wanted = list(names)
    taken = {name for name in wanted if name.isidentifier() and not name.startswith("_")}
    found = {}
    for name in wanted:
        made = name
        if name not in taken:
            base = name.replace("-", "_")
            base = base if not base.startswith("_") else f"x{base[1:]}"
            # Where the obvious one is taken, letters are put in its place, from the end.
            made, number = base, 0
            while made in taken:
                tail = _letters(number)
                made = (base[: len(base) - len(tail)] + tail)[: len(base)]
                number += 1
            taken.add(made)
        found[name] = made
    return found


def _letters(number: int) -> str:
    """The numbers from 0 on, written in letters alone: 0 is a, 25 is z, 26 is ba."""
    text = ""
    while True:
        number, digit = divmod(number, 26)
        text = chr(ord("a") + digit) + text
        if not number:
            return text


def rename_inputs(content: bytes, names: Mapping[str, str]) -> bytes:
    """A .tflite file whose signature calls its inputs otherwise; every other byte stays.

    Arguments:
        content: the file.
        names: the new names by the old ones; they are equally long.
    """
    changed = {old: new for old, new in names.items() if old != new}
    if not changed:
        return content
    from ai_edge_litert.schema_py_generated import Model

    made = bytearray(content)
    model = Model.GetRootAs(content, 0)
    for signature in range(model.SignatureDefsLength()):
        definition = model.SignatureDefs(signature)
        for index in range(definition.InputsLength()):
            entry = definition.Inputs(index)
            old = entry.Name().decode()
            if old in changed:
                # The field's place in its table, the string's place after its length.
                table = entry._tab
                field = table.Offset(4) + table.Pos
                start = table.Indirect(field) + 4
                assert made[start : start + len(old)] == old.encode()
                made[start : start + len(old)] = changed[old].encode()
    return bytes(made)
