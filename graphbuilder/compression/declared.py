"""The passes of a blueprint, checked: names, options, what they select."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from graphbuilder.catalog.refusals import Refusal, refusals
from graphbuilder.compression.passes import CompressionPass
from graphbuilder.compression.selection import Chosen, is_pattern, matches, select
from graphbuilder.compression.tables import passes
from graphbuilder.errors import Diagnostic, nearest, suggestion
from graphbuilder.graph import Graph, Origin, PassDeclaration

__all__ = ["Declared", "Finding", "declared_passes"]


@dataclass(frozen=True, slots=True)
class Declared:
    """A pass whose options are right.

    Arguments:
        declared: the pass.
        chosen: the layers that it selects.
        options: the pass as it is for each of them, overrides applied.
        named_at: the keys that lead to each layer that is named outright.
        origin: where it was written.
    """

    declared: CompressionPass
    chosen: Chosen
    options: Mapping[str, CompressionPass]
    named_at: Mapping[str, tuple[str | int, ...]]
    origin: Origin


class Finding:
    """Collects diagnostics at places of one declaration.

    Arguments:
        origin: where the declaration was written.
        found: the diagnostics, to which are added.
    """

    def __init__(self, origin: Origin, found: list[Diagnostic]) -> None:
        self.origin = origin
        self.found = found

    def add(
        self,
        code: str,
        message: str,
        *path: str | int,
        key: bool = False,
        node: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
        found: str | None = None,
        fix: str | None = None,
    ) -> None:
        """Adds one, located at the keys that lead to it from the declaration."""
        position = self.origin.position(*path, key=key)
        self.found.append(
            Diagnostic(
                code,
                message,
                file=self.origin.source.name,
                position=position,
                node=node,
                found=found,
                expected=expected,
                hint=hint,
                fix=fix,
            )
        )

    def refusal(self, refusal: Refusal, prefix: tuple[str | int, ...] = ()) -> None:
        """Adds the diagnostic of an option that was not accepted."""
        missing = refusal.code == "GB202"
        self.add(
            refusal.code,
            refusal.message,
            *(prefix if missing else (*prefix, *refusal.path)),
            key=refusal.on_key and not missing,
            expected=refusal.expected,
            hint=refusal.hint,
            found=refusal.found,
            fix=refusal.fix,
        )


def declared_passes(graph: Graph) -> tuple[tuple[Declared, ...], tuple[Diagnostic, ...]]:
    """The passes that a graph declares, and what is wrong with them.

    Arguments:
        graph: the graph, whose layers they select.
    """
    found: list[Diagnostic] = []
    made = [_declared(graph, declaration, Finding(declaration.origin, found)) for declaration in graph.compression]
    return tuple(one for one in made if one is not None), tuple(found)


def _declared(graph: Graph, declaration: PassDeclaration, finding: Finding) -> Declared | None:
    options = dict(declaration.options)
    name = options.pop("pass")
    kind = passes.get(name) if isinstance(name, str) else None
    if kind is None:
        close = nearest(str(name), passes.names())
        hint = f"did you mean {close}?" if close else f"passes are {', '.join(passes.names())}"
        finding.add("GB205", f"{name} is not a pass", "pass", hint=hint, found=str(name), fix=close)
        return None
    made = _validated(kind, options, finding)
    if made is None:
        return None
    chosen = select(graph, made.where)
    for lost in chosen.unmatched:
        written = declaration.options["where"][lost.key]
        place = ("where", lost.key, lost.index) if isinstance(written, list) else ("where", lost.key)
        what = "layer of that kind" if lost.key == "layers" else "layer"
        finding.add("GB831", f"{lost.written} matches no {what}", *place, found=lost.written, hint=lost.hint)
    if chosen.unmatched:
        return None
    overridden = _overrides(made, kind, options, chosen, finding)
    if overridden is None:
        return None
    return Declared(made, chosen, overridden, _named_at(declaration, chosen), declaration.origin)


def _named_at(declaration: PassDeclaration, chosen: Chosen) -> dict[str, tuple[str | int, ...]]:
    """Where each layer that is named outright stands under `where`."""
    nodes = declaration.options.get("where", {}).get("nodes", [])
    if isinstance(nodes, str):
        return {nodes: ("where", "nodes")} if nodes in chosen.named else {}
    return {name: ("where", "nodes", index) for index, name in enumerate(nodes) if name in chosen.named}


def _validated(
    kind: type[CompressionPass], options: Mapping[str, Any], finding: Finding, prefix: tuple[str | int, ...] = ()
) -> CompressionPass | None:
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        known = [*kind.model_fields, "pass"]
        for refusal in refusals(error, options, lambda where: [] if where else known):
            finding.refusal(refusal, prefix)
        return None


def _overrides(
    made: CompressionPass, kind: type[CompressionPass], options: Mapping[str, Any], chosen: Chosen, finding: Finding
) -> dict[str, CompressionPass] | None:
    """The pass as it is for each layer; later overrides win over earlier ones, and names over patterns."""
    before = len(finding.found)
    per_layer: dict[str, CompressionPass] = dict.fromkeys(chosen.layers, made)
    # What a search may try is said of the pass; a layer's own options are those that it has.
    written = {key: value for key, value in options.items() if key not in ("overrides", "search")}
    for pattern in sorted(made.overrides, key=is_pattern, reverse=True):
        values = made.overrides[pattern]
        matched = [layer for layer in chosen.layers if matches(layer, pattern)]
        if not matched:
            hint = None if is_pattern(pattern) else suggestion(pattern, list(chosen.layers))
            message = f"{pattern} matches no layer that the pass touches"
            finding.add("GB831", message, "overrides", pattern, key=True, found=pattern, hint=hint)
            continue
        wrong = [key for key in values if key not in kind.per_node]
        for key in wrong:
            listing = f"single nodes may have {', '.join(kind.per_node)} of their own" if kind.per_node else None
            hint = suggestion(key, list(kind.per_node), listing=listing)
            finding.add("GB201", f"{key} is not known here", "overrides", pattern, key, key=True, hint=hint, found=key)
        if wrong:
            continue
        other = {key: value for key, value in written.items() if key not in _replaced(kind, values)}
        changed = _validated(kind, {**other, **values}, finding, ("overrides", pattern))
        if changed is not None:
            per_layer.update(dict.fromkeys(matched, changed))
    return per_layer if len(finding.found) == before else None


def _replaced(kind: type[CompressionPass], values: Mapping[str, Any]) -> tuple[str, ...]:
    """Options that an override stands for: of alternatives such as rank and energy, all."""
    return kind.per_node if kind.name() == "low_rank" and values else ()
