"""What a merge is asked for, checked before anything is edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from graphbuilder.blueprint import Document
from graphbuilder.blueprint.forms import Name, has_expression
from graphbuilder.catalog.arguments import as_written
from graphbuilder.catalog.refusals import refusals
from graphbuilder.editing.checking import lowered
from graphbuilder.editing.levels import Level, level_of
from graphbuilder.editing.references import same_branch
from graphbuilder.editing.rewiring import known_value
from graphbuilder.editing.scratch import branches_alone, seen_at
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic, Related, nearest, suggestion
from graphbuilder.fusion import FusionStrategy, strategies
from graphbuilder.lowering import try_lower

__all__ = ["Branches", "Request", "checked", "checked_branches", "free_name"]

_DEFAULT_NAME = "merged"


@dataclass(frozen=True, slots=True)
class Request:
    """A merge that can be tried.

    Arguments:
        level: where they stand.
        branches: references to what is merged, at least two.
        seen: for a block, the path of a node that uses it, by which shapes are known; None where no node does, and for
            the file itself.
        strategy: the way to merge.
        name: the new node, which no node or input is called yet.
        node: the new node as plain data.
    """

    level: Level
    branches: tuple[str, ...]
    seen: str | None
    strategy: str
    name: str
    node: Mapping[str, Any]


def checked(
    document: Document,
    nodes: Sequence[str],
    strategy: str,
    name: str | None,
    options: Mapping[str, Any] | None,
    params: Mapping[str, Any] | None,
    block: str | None = None,
) -> Request:
    """What is asked for, if it can be tried.

    Arguments:
        document: the blueprint.
        nodes: references to what is merged.
        strategy: the way to merge.
        name: the new node, or None for a name that is free.
        options: the strategy's options.
        params: values for some of the blueprint's params.
        block: the block that the branches stand in; None for the file itself.

    Raises:
        BlueprintError: the blueprint is wrong already.
        CommandError: a branch, the strategy, the name or an option is not what can be taken.
    """
    found = checked_branches(document, nodes, params, block)
    kind = strategies.get(strategy)
    if kind is None:
        hint = suggestion(strategy, strategies.names(), listing="`graphbuilder layers --fusions` lists them")
        raise CommandError(Diagnostic("GB205", f"{strategy} is not a fusion", found=strategy, hint=hint))
    chosen = free_name(found.level) if name is None else name
    _check_name(found.level, chosen)
    _check_options(kind, chosen, options or {})
    node = {"fuse": strategy, "from": list(found.names), **(options or {})}
    return Request(found.level, found.names, found.seen, strategy, chosen, node)


@dataclass(frozen=True, slots=True)
class Branches:
    """What can be merged.

    Arguments:
        level: where it stands.
        names: references to it.
        seen: for a block, the path of a node that uses it; None where no node does, and for the file itself.
    """

    level: Level
    names: tuple[str, ...]
    seen: str | None


def checked_branches(
    document: Document, nodes: Sequence[str], params: Mapping[str, Any] | None, block: str | None = None
) -> Branches:
    """The branches, if each is a value of the blueprint, and each another one.

    Arguments:
        document: the blueprint.
        nodes: references to what is merged.
        params: values for some of the blueprint's params.
        block: the block that they stand in; None for the file itself.

    Raises:
        BlueprintError: the blueprint is wrong already.
        CommandError: GB301 or GB303.
    """
    level = level_of(document, block)
    before = lowered(document) if params is None else try_lower(document, params)
    if before.errors:
        raise BlueprintError(before.errors)
    file = document.source.name
    if len(nodes) < 2:
        told = f"{nodes[0]} alone" if nodes else "nothing"
        raise CommandError(Diagnostic("GB303", f"there is {told} to merge", file=file, expected="two nodes or more"))
    known: dict[str, str] = {}
    for node in nodes:
        _check_first(level, node)
        same = known.setdefault(same_branch(level.definition, node), node)
        if same is not node or list(nodes).count(node) > 1:
            twice = f"{node} stands twice" if same == node else f"{same} and {node} are the same"
            raise CommandError(
                Diagnostic("GB303", f"{twice} among the branches", file=file, found=node, expected="different branches")
            )
    seen = seen_at(level, before) if block is not None else None
    if block is None or seen is not None:
        wrong = try_lower(branches_alone(level, nodes, seen), params).errors
        if wrong:
            raise CommandError([replace(found, position=None, node=None, related=()) for found in wrong])
    return Branches(level, tuple(nodes), seen)


def _check_first(level: Level, reference: str) -> None:
    """Refuses a reference whose first name is no node or input.

    Raises:
        CommandError: GB301.
    """
    if level.block is not None:
        known_value(level, reference)
        return
    blueprint, file = level.document.blueprint, level.document.source.name
    first = reference.partition(".")[0]
    known = level.names
    if first in known:
        return
    inside = next((name for name, block in blueprint.blocks.items() if first in block.nodes or first == name), None)
    hint = suggestion(first, known, listing=f"known here: {', '.join(known[:8])}" if known else None)
    if inside is not None and nearest(first, known) is None:
        what = f"{first} is a block" if first == inside else f"{first} stands inside the block {inside}"
        hint = f"{what}; `merge --block {inside}` merges the nodes in it"
    message = f"there is no node or input {first}"
    raise CommandError(Diagnostic("GB301", message, file=file, found=reference, hint=hint))


def free_name(level: Level) -> str:
    """The first of merged, merged_2, merged_3, … that nothing is called yet, also no output of a block."""
    outputs = level.definition.outputs
    return level.free_name(_DEFAULT_NAME, outputs if level.block is not None and isinstance(outputs, dict) else ())


def _check_name(level: Level, name: str) -> None:
    source = level.document.source
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise CommandError(
            Diagnostic(
                "GB206", f"{name or as_written(name)} is not a legal name", found=name,
                expected="a letter or _, then letters, digits, _ or -",
            )
        ) from None  # fmt: skip
    for kind, what in (("nodes", "node"), ("inputs", "input"), ("taps", "tap")):
        if name in getattr(level.definition, kind):
            place = source.position(level.at(kind, name), key=True)
            raise CommandError(
                Diagnostic(
                    "GB206", f"there is a {what} {name} already".replace("a input", "an input"), file=source.name,
                    expected="a new name", hint=f"leave the name out to have {free_name(level)}",
                    related=(Related("it stands here", None, place),),
                )
            )  # fmt: skip


def _check_options(kind: type[FusionStrategy], node: str, options: Mapping[str, Any]) -> None:
    """Checks options as far as they are no expressions, which only the file can evaluate.

    Raises:
        CommandError: GB201 to GB204.
    """
    plain = {key: value for key, value in options.items() if not _holds_expression(value)}
    held = set(options) - set(plain)
    try:
        kind.model_validate(plain)
    except ValidationError as error:
        found = []
        for refusal in refusals(error, plain, lambda where: () if where else list(kind.model_fields)):
            if refusal.code == "GB202" and refusal.path[0] in held:
                continue
            message, hint = refusal.message, refusal.hint
            if len(refusal.path) == 1 and refusal.code == "GB201":
                message = f"{kind.name()} has no option {refusal.path[0]}"
                takes = ", ".join(kind.model_fields)
                hint = hint or (f"{kind.name()} takes {takes}" if takes else f"{kind.name()} takes no options")
            elif len(refusal.path) == 1 and refusal.code == "GB202":
                message = f"{kind.name()} needs the option {refusal.path[0]}"
                hint = hint or kind.model_fields[str(refusal.path[0])].description
            found.append(
                Diagnostic(refusal.code, message, node=node, found=refusal.found, expected=refusal.expected, hint=hint)
            )
        if found:
            raise CommandError(found) from error


def _holds_expression(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_expression, value.values()))
    if isinstance(value, list):
        return any(map(_holds_expression, value))
    return has_expression(value)
