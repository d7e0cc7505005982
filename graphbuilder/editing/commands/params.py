"""Commands on params: those of a file, and those of a block."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pydantic import ValidationError

from graphbuilder.blueprint import Document, Param, ParamProblem, diagnose, resolve_params
from graphbuilder.blueprint.expressions import FUNCTIONS
from graphbuilder.blueprint.forms import KINDS, ParamName
from graphbuilder.catalog.arguments import as_written
from graphbuilder.catalog.refusals import refusals
from graphbuilder.editing.changes import Change, Delete, Insert, Rename, Replace
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.commands.param_removal import RemoveParam
from graphbuilder.editing.levels import Level, check_legal, counted, inserted_section, level_of, listed, refused
from graphbuilder.editing.param_places import block_users, declared_param, param_places
from graphbuilder.editing.param_text import expressions, renamed
from graphbuilder.errors import CommandError, Related
from graphbuilder.text.splices import same_data

__all__ = ["AddParam", "RenameParam", "SetParam", "UnsetParam", "draw"]

# Words that mean something of their own in an expression.
_WORDS = (*FUNCTIONS, "true", "false", "null")


@dataclass(frozen=True, slots=True)
class SetParam:
    """Gives a param another default, or another of the options that describe it.

    Arguments:
        name: the param.
        value: plain data.
        option: default, type, min, max, choices or about.
        block: whose param it is; None for the file's.
    """

    name: str
    value: Any
    option: str = "default"
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Sets it where it is written, in the short form where that is enough.

        Raises:
            CommandError: there is no such param, or the value is not one that it takes.
        """
        level = level_of(document, self.block)
        written = declared_param(level, self.name)
        title = f"set {self.name} to {as_written(self.value)}"
        if self.option != "default":
            title = f"set {self.option} of {self.name} to {as_written(self.value)}"
        long = dict(written) if isinstance(written, dict) else {"default": written}
        _check(level, self.name, {**long, self.option: self.value})
        place = level.at("params", self.name)
        change: Change
        if self.option in long and same_data(long[self.option], self.value):
            return Edit(title, ())
        if isinstance(written, dict):
            if self.option in written:
                change = Replace((*place, self.option), self.value)
            else:
                change = Insert(place, self.option, self.value, None if self.option == "default" else _last(written))
        elif self.option == "default" and not isinstance(self.value, dict):
            change = Replace(place, self.value)
        else:
            change = Replace(place, {**long, self.option: self.value})
        return Edit(title, (change,), told=_given_elsewhere(level, self.name) if self.option == "default" else ())


@dataclass(frozen=True, slots=True)
class UnsetParam:
    """Takes away one of the options that describe a param.

    Arguments:
        name: the param.
        option: default, type, min, max, choices or about.
        block: whose param it is; None for the file's.
    """

    name: str
    option: str
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Takes the option away; without a default, whoever uses the file or block must give the param.

        Raises:
            CommandError: there is no such param or option, or it cannot be missing.
        """
        level = level_of(document, self.block)
        written = declared_param(level, self.name)
        title = f"take {self.option} of {self.name} away"
        long = dict(written) if isinstance(written, dict) else {"default": written}
        if self.option not in long:
            raise refused(document, "GB201", f"{self.name} has no {self.option}", level.at("params", self.name))
        del long[self.option]
        _check(level, self.name, long)
        if self.option == "default":
            _refuse_missing(level, self.name)
        if not isinstance(written, dict):
            return Edit(title, (Replace(level.at("params", self.name), {}),))
        return Edit(title, (Delete(level.at("params", self.name, self.option)),))


@dataclass(frozen=True, slots=True)
class AddParam:
    """A new param, below the others.

    Arguments:
        name: its name.
        options: what describes it: default, type, min, max, choices, about.
        block: whose param it is; None for the file's.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=lambda: {"default": None})
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Declares it, in the short form where that is enough.

        Raises:
            CommandError: the name is not legal or taken, or an option is wrong.
        """
        level = level_of(document, self.block)
        _check_new(level, self.name)
        options = dict(self.options)
        _check(level, self.name, options)
        if "default" not in options:
            _refuse_missing(level, self.name)
        short = list(options) == ["default"] and not isinstance(options["default"], dict)
        value = options["default"] if short else options
        told = (f"nothing names ${self.name} yet",)
        return Edit(f"add param {self.name}", tuple(_added(level, {self.name: value})), told=told)


@dataclass(frozen=True, slots=True)
class RenameParam:
    """Gives a param another name, wherever an expression names it.

    Arguments:
        name: the param.
        new: its new name.
        block: whose param it is; None for the file's.
    """

    name: str
    new: str
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Renames it where it is declared, in expressions, and on the nodes that give it to a block.

        Raises:
            CommandError: there is no such param, or the new name is not legal or taken.
        """
        level = level_of(document, self.block)
        declared_param(level, self.name)
        title = f"rename param {self.name} to {self.new}"
        if self.new == self.name:
            return Edit(title, ())
        _check_new(level, self.new)
        changes: list[Change] = [Rename(level.at("params", self.name), self.new)]
        for path, text in param_places(level):
            after = renamed(text, {self.name: self.new})
            if after != text:
                changes.append(Replace(path, after))
        told = []
        if len(changes) > 1:
            told.append(f"${self.name} is now ${self.new} in {counted(len(changes) - 1, 'value')}")
        users = [path for path, node in block_users(level) if self.name in node.arguments]
        changes += [Rename((*path, self.name), self.new) for path in users]
        if users:
            given = "gives" if len(users) == 1 else "give"
            told.append(f"{listed([str(path[-1]) for path in users])} {given} it as {self.new} now")
        return Edit(title, tuple(changes), told=tuple(told))


def _check(level: Level, name: str, options: Mapping[str, Any]) -> None:
    """Refuses a param that could not be declared so.

    Raises:
        CommandError: an option is wrong, or the default is not one that the others allow.
    """
    source = level.document.source
    try:
        param = Param.model_validate(dict(options))
    except ValidationError as error:
        found = refusals(error, options, lambda _: list(Param.model_fields))
        raise CommandError([diagnose(each, source, level.at("params", name)) for each in found]) from None
    problems: list[ParamProblem] = []
    if not param.required and not any(True for _ in expressions(options["default"])):
        resolve_params({name: param}, {}, problems.append)
    if problems:
        first = problems[0]
        raise refused(
            level.document,
            first.code,
            first.message,
            level.at("params", name),
            expected=first.expected,
            hint=first.hint,
        )


def _check_new(level: Level, name: str) -> None:
    """Refuses a name that a new param cannot have.

    Raises:
        CommandError: GB206.
    """
    document = level.document
    check_legal(document, name, ParamName)
    if keyword.iskeyword(name) or name in _WORDS:
        raise refused(document, "GB206", f"{name} means something of its own in an expression", found=name)
    if level.block is not None and name in KINDS:
        raise refused(
            document, "GB206", f"a param of a block cannot be named {name}, which says what kind of node one is",
            found=name,
        )  # fmt: skip
    if name in level.data.get("params", {}):
        place = document.source.position(level.at("params", name), key=True)
        raise refused(
            document, "GB206", f"there is a param {name} already", expected="a new name", found=name,
            related=(Related("it stands here", None, place),),
        )  # fmt: skip


def _refuse_missing(level: Level, name: str) -> None:
    """Refuses that a param has no default while a node uses the block without giving it.

    Raises:
        CommandError: GB202.
    """
    for path, node in block_users(level):
        if name not in node.arguments:
            raise refused(
                level.document, "GB202", f"{path[-1]} uses {level.block} and does not give {name}", path, key=True,
                hint=f"give {name} a default, or a value on {path[-1]} first",
            )  # fmt: skip


def _given_elsewhere(level: Level, name: str) -> tuple[str, ...]:
    """Which nodes give a block another value, so that a new default does not reach them."""
    users = [str(path[-1]) for path, node in block_users(level) if name in node.arguments]
    return (f"{listed(users)} {'gives' if len(users) == 1 else 'give'} {name} a value of its own",) if users else ()


def _added(level: Level, params: Mapping[str, Any]) -> Iterator[Change]:
    """The changes that declare new params behind the others."""
    written = level.data.get("params")
    if written is None:
        if level.block is None:
            yield inserted_section(level.document, "params", dict(params))
        else:
            yield Insert(level.path, "params", dict(params), "about" if "about" in level.data else None)
        return
    for name, value in params.items():
        yield Insert(level.at("params"), name, value, _last(written))


def _last(mapping: Mapping[str, Any]) -> str | None:
    return list(mapping)[-1] if mapping else None


def draw(document: Document, random: Random) -> Command | None:
    """A command on a param that can probably be carried out; None where the file has none.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    blueprint = document.blueprint
    blocks = [None, *blueprint.blocks]
    block = random.choice(blocks)
    level = Level(document, block)
    params = list(level.definition.params)
    fresh = f"p{random.randrange(10_000)}"
    if not params or random.random() < 0.2:
        default = random.choice([3, 0.5, True, "relu", None, [1, 2], {"a": 1}])
        return AddParam(
            fresh, {"default": default, **({"about": "a: new # one"} if random.random() < 0.3 else {})}, block
        )
    name = random.choice(params)
    chosen = random.random()
    if chosen < 0.4:
        return RenameParam(name, fresh, block)
    if chosen < 0.6:
        return RemoveParam(name, block)
    param = level.definition.params[name]
    if chosen < 0.75:
        return SetParam(name, random.choice(["what it is", "it's: #1"]), "about", block)
    value: Any = param.default
    if isinstance(value, bool):
        value = not value
    elif isinstance(value, (int, float)):
        value = value * 2 if param.max is None else min(value * 2, param.max)
        value = int(value) if isinstance(param.default, int) else value
    return SetParam(name, value, block=block) if not param.required else SetParam(name, "what", "about", block)
