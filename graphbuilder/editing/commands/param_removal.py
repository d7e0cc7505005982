"""The command that takes a param away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphbuilder.blueprint import Document, ExpressionError
from graphbuilder.catalog.arguments import as_written
from graphbuilder.editing.changes import Change, Delete, Replace
from graphbuilder.editing.command import Edit
from graphbuilder.editing.levels import Level, counted, level_of, listed, refused
from graphbuilder.editing.param_places import block_users, declared_param, param_places
from graphbuilder.editing.param_text import expressions, named_params, substituted
from graphbuilder.errors import Related
from graphbuilder.text.source import Path
from graphbuilder.text.splices import same_data

__all__ = ["RemoveParam"]


@dataclass(frozen=True, slots=True)
class RemoveParam:
    """Takes a param away; what named it has the value of its default from now on.

    Arguments:
        name: the param.
        block: whose param it is; None for the file's.
    """

    name: str
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Writes the default wherever the param was named.

        Raises:
            CommandError: there is no such param, it has no default and is used, or a node gives a block another value.
        """
        level = level_of(document, self.block)
        written = declared_param(level, self.name)
        place = level.at("params", self.name)
        options = written if isinstance(written, dict) else {"default": written}
        last = len(level.data["params"]) == 1
        changes: list[Change] = [Delete(level.at("params") if last else place)]
        named = [(path, text) for path, text in param_places(level) if self.name in named_params(text)]
        users = [(path, node) for path, node in block_users(level) if self.name in node.arguments]
        told = []
        if named:
            value = _value_left(level, self.name, options, named[0][0])
            changes += _without_param(level, self.name, value, named)
            told.append(f"{as_written(value)} now stands in {counted(len(named), 'value')} that named ${self.name}")
        if users:
            changes += [Delete((*path, self.name)) for path, _ in users]
            verb = "gives" if len(users) == 1 else "give"
            told.append(f"{listed([str(path[-1]) for path, _ in users])} no longer {verb} {self.name}")
        return Edit(f"remove param {self.name}", tuple(changes), told=tuple(told))


def _value_left(level: Level, name: str, options: Mapping[str, Any], where: Path) -> Any:
    """What is written where a param was named: the one value that it has everywhere.

    Raises:
        CommandError: it has none, or several.
    """
    document, place = level.document, level.at("params", name)
    given: list[tuple[Path | None, Any]] = []
    for path, node in block_users(level):
        if name in node.arguments or "default" in options:
            own = name in node.arguments
            given.append(((*path, name) if own else None, node.arguments[name] if own else options["default"]))
    if not given and "default" not in options:
        raise refused(
            document, "GB202", f"{name} has no default to write where it is named", place, key=True,
            hint="give it a default first",
            related=(Related("it is named here", None, document.source.nearest(where)),),
        )  # fmt: skip
    first = given[0][1] if given else options["default"]
    if any(not same_data(value, first) for _, value in given):
        other = next(path for path, _ in reversed(given) if path is not None)
        raise refused(
            document, "GB203", f"{name} has several values: {level.block} is used with different ones", place, key=True,
            hint="give all nodes that use the block the same value first",
            related=(Related("one is given here", None, document.source.nearest(other)),),
        )  # fmt: skip
    if given and given[0][0] is not None and any(True for _ in expressions(first)):
        raise refused(
            document, "GB203", f"{name} is given {as_written(first)}, which names what {level.block} does not know",
            given[0][0], hint="write a value there first",
        )  # fmt: skip
    return first


def _without_param(level: Level, name: str, default: Any, named: list[tuple[Path, str]]) -> Iterator[Change]:
    for path, text in named:
        if path[: len(level.path) + 1] == level.at("params") and path[len(level.path) + 1] == name:
            continue
        try:
            value = substituted(text, {name: default})
        except ExpressionError as error:
            raise refused(level.document, error.code, error.message, path, hint=error.hint) from None
        if isinstance(value, dict) and path[-2] == "params":
            # In the short form, a mapping would be taken for the options of the param.
            value = {"default": value}
        yield Replace(path, value)
