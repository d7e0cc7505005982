"""Everything that is known of one node: what it is, what it is given and gives, what it costs, and why it is there."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from graphbuilder.analysis.explain_fusion import explain_fusion, fusion_text
from graphbuilder.analysis.explain_model import ExplainedArgument, ExplainedInput, Explanation, Link
from graphbuilder.analysis.explain_names import nothing_of_that_name, untapped, value_owner, within, written_node
from graphbuilder.analysis.summary import CallSummary, summarize
from graphbuilder.blueprint import BlockNode, Document, ReuseNode
from graphbuilder.blueprint.entry_schema import blueprint_key, written
from graphbuilder.catalog import Entry, LayerEntry
from graphbuilder.errors import Diagnostic
from graphbuilder.fusion import strategies
from graphbuilder.graph import Argument, Call, Constant, CustomLayer, Fusion, Graph, Layer, Origin, Value, flatten

__all__ = ["explain"]

# How many links of a chain from the inputs are kept; those in the middle are left out.
MOST_LINKS = 12

# How many chains are told of a node that is given several values.
MOST_CHAINS = 4


def explain(
    document: Document,
    graph: Graph,
    name: str,
    params: Mapping[str, Any] | None = None,
    warnings: tuple[Diagnostic, ...] = (),
) -> Explanation:
    """Explains one node of a graph.

    Arguments:
        document: the file.
        graph: what came of it.
        name: an input, a node, a tap, or the path of what lies inside one, such as `encoder.2.attention`.
        params: the values that the file's params were set to.
        warnings: what checking it warned about.

    Raises:
        CommandError: there is nothing of that name in the graph.
    """
    name = untapped(document, name)
    return _Explainer(document, graph, params, warnings).explain(value_owner(graph, name) or name)


class _Explainer:
    """Explains the nodes of one graph."""

    def __init__(
        self, document: Document, graph: Graph, params: Mapping[str, Any] | None, warnings: tuple[Diagnostic, ...]
    ) -> None:
        self.document = document
        self.graph = graph
        self.params = params
        self.warnings = warnings
        self.summaries = {call.name: call for call in summarize(graph).calls}
        self.givers = {value: call for call in graph.calls.values() for value in call.outputs}

    def explain(self, name: str) -> Explanation:
        """Explains what a name stands for.

        Raises:
            CommandError: nothing.
        """
        if name in self.graph.inputs:
            return self._input(name)
        fusion = self.graph.fusions.get(name)
        if fusion is not None:
            return self._fusion(fusion)
        call = self.graph.calls.get(name)
        if call is not None:
            return self._call(call)
        inner = [call for path, call in self.graph.calls.items() if within(path, name)]
        if inner:
            return self._several(name, inner)
        raise nothing_of_that_name(self.document, self.graph, name)

    def _input(self, name: str) -> Explanation:
        item = self.graph.inputs[name]
        kind = item.modality
        does = ("A tensor that the model is given.",)
        return Explanation(
            name, "input", kind, does, item.about, item.origin, None, (),
            (item.value,), self._consumers((item.value,)), self._is_output((item.value,)), warnings=self._about(name),
        )  # fmt: skip

    def _call(self, call: Call) -> Explanation:
        summary = self.summaries[call.name]
        target = call.target
        entry = target.entry if isinstance(target, Layer) else target
        does: tuple[str, ...]
        if isinstance(entry, CustomLayer):
            does = ("A layer of somebody's package, which checking does not import.",)
            arguments = tuple(ExplainedArgument(key, value, False, "") for key, value in entry.arguments.items())
        else:
            does = (_headline(inspect.getdoc(type(entry)) or ""),)
            arguments = tuple(_arguments(entry))
        options = tuple(
            ExplainedArgument(key, value, False, "stated under call:") for key, value in call.options.items()
        )
        weights = target.weights if isinstance(target, Layer) else ()
        return Explanation(
            call.name,
            "layer" if isinstance(target, Layer) else "op",
            call.kind,
            does,
            call.about,
            call.origin,
            self._used(call.name, call.origin),
            self._around(call.name),
            call.outputs,
            self._consumers(call.outputs),
            self._is_output(call.outputs),
            self._reason(call.name),
            (*arguments, *options),
            tuple(self._given(call)),
            None if weights is None else tuple((summary.shares or call.name, weight) for weight in weights),
            summary.shares,
            summary.shared_by,
            summary.parameters,
            summary.trainable,
            call.macs,
            (summary,),
            self._chains(list(call.inputs()), call.name),
            warnings=self._about(call.name),
        )

    def _fusion(self, fusion: Fusion) -> Explanation:
        calls = [self.graph.calls[name] for name in fusion.calls if name in self.graph.calls]
        kind = strategies.get(fusion.strategy)
        found = written_node(self.document, fusion.name)
        arguments = tuple(_arguments(kind.model_construct(**fusion.options))) if kind is not None else ()
        arriving = [
            ExplainedInput(
                branch.role or "inputs",
                branch.value.name,
                branch.value.type,
                branch.value.masked,
                self._giver(branch.value),
            )
            for branch in fusion.branches
        ]
        return Explanation(
            fusion.name,
            "fusion",
            fusion.strategy,
            fusion_text(fusion.strategy)[0],
            fusion.about,
            fusion.origin,
            self._used(fusion.name, fusion.origin),
            self._around(fusion.name),
            (fusion.gives,),
            self._consumers((fusion.gives,)),
            self._is_output((fusion.gives,)),
            arguments=arguments,
            inputs=tuple(arriving),
            shares=found.node.reuse if found is not None and isinstance(found.node, ReuseNode) else None,
            chains=self._chains([branch.value for branch in fusion.branches], fusion.name),
            fusion=explain_fusion(self.document, self.graph, fusion, self.params, self.summaries),
            warnings=self._about(fusion.name),
            **self._costs(calls),
        )

    def _several(self, name: str, calls: list[Call]) -> Explanation:
        """A block, a copy of a repeated one, or a part of a fusion."""
        found = written_node(self.document, name)
        place = found.block if found is not None else None
        inside = {value for call in calls for value in call.outputs}
        arriving = dict.fromkeys(value for call in calls for value in call.inputs() if value not in inside)
        leaving = tuple(value for value in inside if self._leaves(value, calls))
        does: tuple[str, ...] = ("A part of the fusion.",)
        about, kind, origin, shares = None, None, None, None
        if found is not None and place is not None:
            text = getattr(place.definition, "about", None) or "A block of nodes."
            does = (" ".join(text.split()),)
            about, origin = found.node.about, found.origin
            kind = found.node.block if isinstance(found.node, BlockNode) else None
            shares = found.node.reuse if isinstance(found.node, ReuseNode) else None
        return Explanation(
            name,
            "block" if place is not None else "part",
            kind,
            does,
            about,
            origin or calls[0].origin,
            self._used(name, origin or calls[0].origin),
            self._around(name),
            tuple(value for value in self.givers if value in leaving),
            self._consumers(leaving),
            self._is_output(leaving),
            inputs=tuple(
                ExplainedInput("inputs", value.name, value.type, value.masked, self._giver(value)) for value in arriving
            ),
            shares=shares,
            chains=self._chains(list(arriving), name),
            warnings=self._about(name),
            **self._costs(calls),
        )

    def _costs(self, calls: list[Call]) -> dict[str, Any]:
        """What several calls cost together."""
        summaries = tuple(self.summaries[call.name] for call in calls)
        layers = {call.target.name: call.target for call in calls if isinstance(call.target, Layer)}
        owned = [(name, layer.weights) for name, layer in layers.items() if self._first(name, summaries)]
        unknown = any(weights is None for _, weights in owned)
        weights = tuple((name, weight) for name, several in owned for weight in several or ())
        return {
            "weights": None if unknown else weights,
            "parameters": _sum([call.parameters for call in summaries]),
            "trainable": _sum([call.trainable for call in summaries]),
            "macs": _sum([call.macs for call in summaries]),
            "calls": summaries,
        }

    def _first(self, layer: str, calls: tuple[CallSummary, ...]) -> bool:
        return any(call.layer == layer and call.shares is None for call in calls)

    def _leaves(self, value: Value, calls: list[Call]) -> bool:
        """Whether somebody else reads a value, or it is an output of the model."""
        own = {call.name for call in calls}
        return self._is_output((value,)) or any(name not in own for name in self._consumers((value,)))

    def _consumers(self, values: tuple[Value, ...]) -> tuple[str, ...]:
        wanted = set(values)
        return tuple(name for name, call in self.graph.calls.items() if not wanted.isdisjoint(call.inputs()))

    def _is_output(self, values: tuple[Value, ...]) -> bool:
        return any(leaf in values for leaf in flatten(self.graph.outputs) if isinstance(leaf, Value))

    def _giver(self, value: Value) -> str:
        call = self.givers.get(value)
        return "input" if call is None else call.kind

    def _given(self, call: Call) -> Iterator[ExplainedInput]:
        for port, argument in call.arguments.items():
            yield from self._at_port(port, argument)

    def _at_port(self, port: str, argument: Argument) -> Iterator[ExplainedInput]:
        for leaf in flatten(argument):
            if isinstance(leaf, Constant):
                yield ExplainedInput(port, str(leaf.value), leaf.type, False, "constant")
            else:
                yield ExplainedInput(port, leaf.name, leaf.type, leaf.masked, self._giver(leaf))

    def _chains(self, values: list[Value], name: str) -> tuple[tuple[Link, ...], ...]:
        """How values came from the inputs, each by the first of what every call on the way is given.

        A block or fusion on the way is one link, unless the explained node lies inside it.
        """
        found = []
        for value in list(dict.fromkeys(values))[:MOST_CHAINS]:
            links: list[Link] = []
            here: Value | None = value
            while here is not None:
                call = self.givers.get(here)
                link = self._link(here, call, name)
                if not links or links[-1].name != link.name:
                    links.append(link)
                here = next(call.inputs(), None) if call is not None else None
            links.reverse()
            if len(links) > MOST_LINKS:
                half = MOST_LINKS // 2
                left_out = Link(f"{len(links) - MOST_LINKS} more", "", None)
                links = [*links[:half], left_out, *links[-half:]]
            found.append(tuple(links))
        return tuple(found)

    def _link(self, value: Value, call: Call | None, name: str) -> Link:
        """The call that gives a value, or the outermost block or fusion around it that is not around a name too."""
        if call is None:
            return Link(value.name, "input", value.type)
        steps = call.name.split(".")
        for depth in range(1, len(steps)):
            outer = ".".join(steps[:depth])
            if not within(name, outer):
                return Link(outer, "fusion" if outer in self.graph.fusions else "block", value.type)
        return Link(value.name, call.kind, value.type)

    def _around(self, name: str) -> tuple[str, ...]:
        """The blocks and fusions that a path lies in, the outermost first."""
        steps = name.split(".")
        outer = [".".join(steps[:depth]) for depth in range(1, len(steps))]
        return tuple(path for path in outer if path in self.graph.fusions or written_node(self.document, path))

    def _used(self, name: str, origin: Origin) -> Origin | None:
        """The node of the user's file that led to what another file, or a block, writes."""
        own = Origin(self.document.source, ("nodes", name.partition(".")[0]))
        return None if origin.source is own.source and origin.path == own.path else own

    def _reason(self, name: str) -> str | None:
        """Why an adapter is there."""
        for fusion in self.graph.fusions.values():
            for branch in fusion.branches:
                for adapter in branch.adapters:
                    if adapter.call == name:
                        return adapter.reason
        return None

    def _about(self, name: str) -> tuple[Diagnostic, ...]:
        return tuple(
            found for found in self.warnings if found.node == name or (found.node and within(found.node, name))
        )


def _arguments(entry: Entry) -> Iterator[ExplainedArgument]:
    """The arguments of an entry: those that it needs, those that differ from their defaults, the others."""
    kind = type(entry)
    found = []
    for name, info in kind.model_fields.items():
        value = getattr(entry, name)
        default = not info.is_required() and value == info.default
        argument = ExplainedArgument(blueprint_key(kind, name), _plain(value), default, info.description or "")
        found.append(((default, not info.is_required(), name in LayerEntry.model_fields), argument))
    yield from (argument for _, argument in sorted(found, key=lambda pair: pair[0]))


def _plain(value: Any) -> Any:
    """An argument as a blueprint writes it."""
    if isinstance(value, LayerEntry):
        given = {argument.name: argument.value for argument in _arguments(value) if not argument.default}
        return {"layer": type(value).name(), **given}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    name, option = getattr(value, "name", None), getattr(value, "option", value)
    if option is not value:  # an adapter of a fusion
        return name if option is None else {name: _plain(option)}
    return written(value)


def _headline(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def _sum(amounts: list[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None
