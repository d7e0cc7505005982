"""Reading and checking blueprints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from graphbuilder.blueprint import Document, parse_blueprint
from graphbuilder.blueprint import load as _load
from graphbuilder.errors import BlueprintError, Diagnostic, Severity
from graphbuilder.graph import Graph
from graphbuilder.limits import raised
from graphbuilder.lowering import GraphLimits, try_lower
from graphbuilder.lowering import lower as _lower

__all__ = [
    "Blueprintish",
    "Checked",
    "Limits",
    "check",
    "document_of",
    "json_schema",
    "load",
    "lower",
    "parse",
    "unmet",
]

# What the functions take for a blueprint: a file, or a document that was loaded already.
Blueprintish: TypeAlias = "str | PathLike[str] | Document"


# Limits by their names, or those of the graph.
Limits: TypeAlias = "Mapping[str, int] | GraphLimits"


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a blueprint found.

    Arguments:
        graph: the graph with every shape; None when there is an error, or when the file holds only blocks.
        diagnostics: errors and warnings, in the order of the file.
    """

    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are errors."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are warnings."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.WARNING)


def document_of(blueprint: Blueprintish) -> Document:
    """The document of a file, or the one that is given."""
    return blueprint if isinstance(blueprint, Document) else load(blueprint)


def load(path: str | PathLike[str], *, limits: Mapping[str, int] | None = None) -> Document:
    """Reads a blueprint and what it imports. Runs no code and imports no TensorFlow.

    Arguments:
        path: a YAML or JSON file.
        limits: limits by their names, such as {"bytes": 64_000_000}.

    Raises:
        BlueprintError: with everything that is wrong with the texts.
        CommandError: there is no such limit.

    Example:
        >>> load("blueprints/cnn.yaml").name
        'cnn'
    """
    with raised(limits):
        return _load(path if isinstance(path, str) else Path(path))


def parse(text: str, *, name: str = "<blueprint>", limits: Mapping[str, int] | None = None) -> Document:
    """Reads a blueprint from a string of YAML or JSON.

    Arguments:
        text: the blueprint.
        name: what messages call it.
        limits: limits by their names, such as {"bytes": 64_000_000}.

    Raises:
        BlueprintError: with everything that is wrong with the text.
        CommandError: there is no such limit.
    """
    with raised(limits):
        return parse_blueprint(text, name=name)


def check(blueprint: Blueprintish, params: Mapping[str, Any] | None = None, *, limits: Limits | None = None) -> Checked:
    """Checks a blueprint without TensorFlow: names, arguments, shapes. Never raises for a wrong blueprint.

    Arguments:
        blueprint: a file or a loaded document.
        params: values for some of its params.
        limits: limits by their names, such as {"nodes": 500_000}; or those of the graph alone.

    Example:
        >>> checked = check("blueprints/cnn.yaml")
        >>> checked.ok, checked.graph.parameters
        (True, 1969738)
    """
    with _within(limits) as of_graph:
        try:
            document = document_of(blueprint)
        except BlueprintError as error:
            return Checked(None, error.diagnostics)
        lowered = try_lower(document, params, limits=of_graph)
    graph = lowered.graph
    if graph is None:
        return Checked(None, lowered.diagnostics)
    found = unmet(graph)
    return Checked(None if found else graph, (*lowered.diagnostics, *found))


def unmet(graph: Graph) -> tuple[Diagnostic, ...]:
    """What a blueprint asks of its model and does not get: passes that cannot be carried out, budgets exceeded.

    Arguments:
        graph: its graph.
    """
    if not (graph.compression or graph.budget):
        return ()
    # Few blueprints are compressed, and the others need not wait for these imports.
    from graphbuilder.analysis.model_budget import check_model_budget
    from graphbuilder.compression.budget import check_budget
    from graphbuilder.compression.plan import plan_compression

    _, wrong_passes = plan_compression(graph)
    return (*wrong_passes, *check_budget(graph), *check_model_budget(graph))


def lower(blueprint: Blueprintish, params: Mapping[str, Any] | None = None, *, limits: Limits | None = None) -> Graph:
    """The graph of a blueprint: flat, with every block expanded and every shape inferred.

    Arguments:
        blueprint: a file or a loaded document.
        params: values for some of its params.
        limits: limits by their names, such as {"nodes": 500_000}; or those of the graph alone.

    Raises:
        BlueprintError: with every error found.
    """
    with _within(limits) as of_graph:
        return _lower(document_of(blueprint), params, limits=of_graph)


@contextmanager
def _within(limits: Limits | None) -> Iterator[GraphLimits | None]:
    """Sets limits for what is done within, and gives those of the graph where they are given by themselves."""
    if isinstance(limits, GraphLimits):
        yield limits
        return
    with raised(limits):
        yield None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of blueprints, with every layer's arguments, for completion and hover in an editor."""
    from graphbuilder.blueprint.json_schema import json_schema as make
    from graphbuilder.compression.tables import passes
    from graphbuilder.fusion import strategies

    fusions = {name: kind for name in strategies.names() if (kind := strategies.get(name)) is not None}
    return make(fusions, {name: found for name in passes.names() if (found := passes.get(name)) is not None})
