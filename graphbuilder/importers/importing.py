"""From a model, or its file, to the text of a blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.errors import BlueprintError, Diagnostic, Severity
from graphbuilder.graph import Graph
from graphbuilder.importers.assembling import assembled
from graphbuilder.importers.described import DescribedModel
from graphbuilder.importers.folding import folded
from graphbuilder.importers.masks import without_own_masks
from graphbuilder.importers.problems import NotCarried, Problems
from graphbuilder.importers.settling import settled
from graphbuilder.importers.sharing import shared_side_by_side
from graphbuilder.importers.substituting import substituted
from graphbuilder.lowering import try_lower
from graphbuilder.text import parse, to_json, to_yaml

__all__ = ["Imported", "import_file", "import_model", "imported"]

# How wide a line of the text may be.
_WIDTH = 110


@dataclass(frozen=True, slots=True)
class Imported:
    """A model as a blueprint.

    Arguments:
        text: the blueprint.
        names: the node or input that makes each layer, by the layer's name in the model.
        lost: what was not carried, each with its place.
    """

    text: str
    names: Mapping[str, str]
    lost: tuple[Diagnostic, ...]

    def json(self) -> str:
        """The blueprint as JSON."""
        return to_json(parse(self.text).data)

    def refuse_losses(self) -> None:
        """Refuses what was not carried.

        Raises:
            BlueprintError: with all of it, if there is any.
        """
        if self.lost:
            raise BlueprintError([replace(found, severity=Severity.ERROR) for found in self.lost])


def import_file(path: Path, *, flat: bool = False) -> Imported:
    """The blueprint of a model's file.

    Arguments:
        path: a `.keras` or `.h5` file, the JSON of `model.to_json()`, or the folder of a SavedModel.
        flat: whether each layer stays a node of its own; else repeated structure becomes blocks.

    Raises:
        BlueprintError: it is no such file, or holds what a blueprint has no words for.
    """
    from graphbuilder.importers.reading import read_model

    return imported(read_model(path), str(path), flat=flat)


def import_model(model: Any, *, flat: bool = False) -> Imported:
    """The blueprint of a model in memory.

    Arguments:
        model: a model of Keras 3 or tf_keras.
        flat: whether each layer stays a node of its own; else repeated structure becomes blocks.

    Raises:
        BlueprintError: it holds what a blueprint has no words for.
        CommandError: it is no model of Keras.
    """
    from graphbuilder.importers.configurations import described
    from graphbuilder.importers.live import configuration

    name = str(getattr(model, "name", "the model"))
    try:
        found = described(configuration(model))
    except NotCarried as problem:
        told = Diagnostic(problem.code, problem.message, file=name, node=problem.layer, hint=problem.hint)
        raise BlueprintError([told]) from None
    return imported(found, name, flat=flat)


def imported(model: DescribedModel, file: str, *, flat: bool = False) -> Imported:
    """The blueprint of a described model. It is read and checked again before it is given.

    Arguments:
        model: the model.
        file: what messages call it.
        flat: whether each layer stays a node of its own; else repeated structure becomes blocks.

    Raises:
        BlueprintError: it holds what a blueprint has no words for, each thing told at its layer.
    """
    problems = Problems(file)
    try:
        found = assembled(shared_side_by_side(without_own_masks(substituted(model))), problems)
    except NotCarried as problem:
        problems.refuse(problem.layer, problem)
        raise BlueprintError(problems.errors) from None
    problems.raise_if_any()
    data, names = found.data, found.names
    text = to_yaml(data, width=_WIDTH)
    graph = _proved(text, names, file)
    shorter = None if graph is None else settled(data, graph)
    if shorter is not None:
        data, text = shorter, to_yaml(shorter, width=_WIDTH)
        graph = _proved(text, names, file)
    if flat or graph is None:
        return Imported(text, names, tuple(problems.lost))
    short = folded(data, graph)
    folded_names = {layer: short.path(node) for layer, node in names.items()}
    return Imported(short.text, folded_names, tuple(problems.lost))


def _proved(text: str, names: Mapping[str, str], file: str) -> Graph | None:
    """What the text lowers to; None where it holds no model.

    Raises:
        BlueprintError: it is wrong, which is told at the layers of the model.
    """
    graph = None
    try:
        lowered = try_lower(parse_blueprint(text, name="the imported blueprint"))
        graph, errors = lowered.graph, lowered.errors
    except BlueprintError as error:
        errors = error.diagnostics
    if errors:
        layers = {node: layer for layer, node in names.items()}
        raise BlueprintError(
            [
                replace(
                    found, file=file, position=None, node=layers.get(found.node or "", found.node), fix=None, related=()
                )
                for found in errors
            ]
        )
    return graph
