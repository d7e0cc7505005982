"""From a document to a graph, with everything that is wrong or noteworthy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphbuilder.blueprint import Document, ParamProblem, resolve_params
from graphbuilder.errors import BlueprintError, Diagnostic, Severity
from graphbuilder.graph import BudgetDeclaration, Graph, PassDeclaration
from graphbuilder.lowering.arguments import resolved
from graphbuilder.lowering.limits import GraphLimits
from graphbuilder.lowering.modalities import warn_modalities
from graphbuilder.lowering.usage import live_calls, used_layers, warn_unused
from graphbuilder.lowering.walk import Walk

__all__ = ["Lowered", "lower", "try_lower"]


@dataclass(frozen=True, slots=True)
class Lowered:
    """What came of a document.

    Arguments:
        graph: the graph, or None when there was an error.
        diagnostics: errors and warnings, in the order of the file.
    """

    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are errors."""
        return tuple(item for item in self.diagnostics if item.severity is Severity.ERROR)


def lower(document: Document, params: Mapping[str, Any] | None = None, *, limits: GraphLimits | None = None) -> Graph:
    """The graph of a document.

    Arguments:
        document: a loaded blueprint.
        params: values for some of its params.
        limits: how large the graph may become.

    Raises:
        BlueprintError: with every error found.
    """
    lowered = try_lower(document, params, limits=limits)
    if lowered.graph is None:
        raise BlueprintError(lowered.errors or [_no_model(document)])
    return lowered.graph


def _no_model(document: Document) -> Diagnostic:
    """The diagnostic of a file without nodes, where a model is wanted."""
    return Diagnostic(
        "GB202",
        "there are no nodes, so there is no model",
        file=document.source.name,
        position=document.source.nearest(("nodes",)),
        hint="such as nodes: {dense: {layer: Dense, units: 10}}",
    )


def try_lower(
    document: Document, params: Mapping[str, Any] | None = None, *, limits: GraphLimits | None = None
) -> Lowered:
    """The graph of a document where it has one, and all diagnostics.

    A file that holds only blocks, to be imported, has no graph and no error.

    Arguments:
        document: a loaded blueprint.
        params: values for some of its params.
        limits: how large the graph may become.
    """
    blueprint = document.blueprint
    walk = Walk(document, {}, limits or GraphLimits())
    values = resolve_params(blueprint.params, params or {}, lambda problem: _param_problem(walk, problem))
    graph = None
    if values is not None and not blueprint.nodes:
        walk.root.params = values
        walk.check_blocks(set(blueprint.blocks))
        if not blueprint.blocks:
            return Lowered(None, (*walk.reports.diagnostics, _no_model(document)))
    elif values is not None:
        walk.root.params = values
        walk.run()
        # An output that a limit kept from being made is no second mistake.
        outputs = None if walk.stopped else walk.outputs()
        training = _resolved_part(walk, "training")
        compression = _resolved_part(walk, "compression")
        budget = _resolved_part(walk, "budget")
        if outputs is not None and not walk.reports.failed:
            calls, reached = live_calls(walk, outputs)
            warn_unused(walk, calls, reached)
            fusions = {name: fusion for name, fusion in walk.fusions.items() if name in calls}
            warn_modalities(walk, calls, fusions)
            inputs_as = blueprint.inputs_as or ("tensor" if len(walk.inputs) == 1 else "mapping")
            graph = Graph(
                document.name,
                walk.inputs,
                inputs_as,
                used_layers(calls),
                calls,
                outputs,
                values,
                training,
                tuple(
                    PassDeclaration(options, walk.root.origin("compression", index))
                    for index, options in enumerate(compression or ())
                ),
                blueprint.about,
                fusions,
                None if budget is None else BudgetDeclaration(budget, walk.root.origin("budget")),
                tuple(each for each in walk.pretraining if any(name.startswith(f"{each.path}.") for name in calls)),
            )
    diagnostics = sorted(walk.reports.diagnostics, key=_reading_order)
    return Lowered(graph, tuple(diagnostics))


def _reading_order(diagnostic: Diagnostic) -> tuple[int, int]:
    position = diagnostic.position
    return (position.line, position.column) if position is not None else (0, 0)


def _param_problem(walk: Walk, problem: ParamProblem) -> None:
    """Reports a param's value; one that the user gave stands nowhere in the file."""
    message = problem.message
    path: tuple[str, ...] = ("params", problem.param)
    if problem.given and problem.code == "GB201":
        message, path = f"there is no param {problem.param} to set", ("params",)
    elif problem.code == "GB202":
        message = f"the param {problem.param} has no default and is not set"
        hint = f"set it with --set {problem.param}=…"
        walk.reports.add(walk.root, problem.code, message, path, key=True, hint=hint)
        return
    walk.reports.add(
        walk.root,
        problem.code,
        message,
        path,
        expected=problem.expected,
        hint=problem.hint,
        key=problem.given,
        fix=None if problem.given else problem.fix,
    )


def _resolved_part(walk: Walk, key: str) -> Any:
    """A part of the file that is carried through as plain data, its expressions evaluated."""
    data = walk.document.source.data.get(key)
    return None if data is None else resolved(walk.root, walk.reports, data, (key,), None)
