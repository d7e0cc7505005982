"""What a form is made of: fields with values as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphbuilder.blueprint.entry_schema import in_words
from graphbuilder.catalog.arguments import as_written
from graphbuilder.editing.command import Command
from graphbuilder.errors import BlueprintError
from graphbuilder.text import parse

__all__ = ["UNSET", "Field", "Form", "Said", "choices_of", "name_field", "read_value", "said_of", "value_text"]

UNSET: Any = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that can be set.

    Arguments:
        key: what tells it from the others of its form.
        label: what it is called.
        about: what it is, in one line.
        accepts: what it takes, in words.
        value: what is written, as plain data; `UNSET` where nothing is.
        default: what holds where nothing is written.
        required: whether something must be written.
        choices: the values it takes, where these are few.
        change: the command that gives it a value; None where it cannot be changed here.
        clear: the command that takes the value away; None where there is no such thing.
        text: whether it takes a text as it is typed, and not as YAML.
    """

    key: str
    label: str
    about: str
    accepts: str
    value: Any = UNSET
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    change: Callable[[Any], Command] | None = None
    clear: Callable[[], Command] | None = None
    text: bool = False

    @property
    def shown(self) -> str:
        """The value, or the default, as an author would write it."""
        value = self.default if self.value is UNSET else self.value
        if self.value is UNSET and self.required:
            return "(required)"
        return value_text(value)


@dataclass(frozen=True, slots=True)
class Form:
    """What can be set of one thing.

    Arguments:
        title: the thing.
        kind: what it is.
        about: what such things do, in a line or two.
        fields: in the order in which they are shown.
        note: why nothing of it can be changed here; empty where it can.
    """

    title: str
    kind: str
    about: str
    fields: tuple[Field, ...]
    note: str = ""


def name_field(name: str, change: Callable[[str], Command]) -> Field:
    """The field in which something is renamed.

    Arguments:
        name: what it is called.
        change: the command that calls it something else.
    """
    about = "what it is called; everything that refers to it follows"
    return Field("name", "name", about, "a name", name, required=True, change=change, text=True)


def read_value(text: str, field: Field) -> Any:
    """What an author means by what was typed in a field.

    Arguments:
        text: a value in YAML, such as `3`, `[3, 3]`, `same` or `$units`.
        field: the field.

    Raises:
        BlueprintError: it is no YAML.

    Example:
        >>> read_value("[3, 3]", Field("size", "size", "", ""))
        [3, 3]
    """
    if field.text:
        return text
    return parse(text, name=field.label).data


def value_text(value: Any) -> str:
    """A value on one line, as it can be typed again.

    Example:
        >>> value_text({"adam": {"learning_rate": 0.1}}), value_text(None), value_text("same"), value_text("3")
        ('{adam: {learning_rate: 0.1}}', 'null', 'same', "'3'")
    """
    if isinstance(value, str):
        return value if _plain(value) else _as_quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{value_text(key)}: {value_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(value_text, value)) + "]"
    return as_written(value)


@lru_cache(maxsize=2048)
def _plain(value: str) -> bool:
    """Whether a string can stand without quotes, also within braces."""
    if not value or any(character in value for character in ",[]{}\n\r"):
        return False
    try:
        return bool(parse(value).data == value)
    except BlueprintError:
        return False


def _as_quoted(value: str) -> str:
    """A string in double quotes, of which YAML reads every character back."""
    return json.dumps(value, ensure_ascii=False) if any(ord(each) < 32 for each in value) else f"'{_doubled(value)}'"


def _doubled(value: str) -> str:
    return value.replace("'", "''")


def choices_of(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The values that a schema takes, as they are typed, where these are few; else none.

    Example:
        >>> choices_of({"enum": ["valid", "same"]}), choices_of({"type": "boolean"}), choices_of({"type": "integer"})
        (('valid', 'same'), ('true', 'false'), ())
    """
    found: list[str] = []
    for branch in schema.get("anyOf", [schema]):
        if "enum" in branch:
            found += [value_text(each) for each in branch["enum"]]
        elif "const" in branch:
            found.append(value_text(branch["const"]))
        elif branch.get("type") == "boolean":
            found += ["true", "false"]
        elif branch.get("type") == "null":
            found.append("null")
        elif "properties" not in branch:
            # It takes more than can be listed.
            return ()
    return tuple(dict.fromkeys(found)) if len(found) > 1 else ()


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of an argument, whatever its value.

    Arguments:
        about: what it is, in one line.
        accepts: what it takes, in words.
        default: what holds where nothing is written.
        required: whether something must be written.
        choices: the values it takes, where these are few.
        text: whether it takes a text as it is typed, and not as YAML.
    """

    about: str
    accepts: str
    default: Any
    required: bool
    choices: tuple[str, ...]
    text: bool = False


def said_of(about: str, schema: Mapping[str, Any], default: Any, required: bool = False, *, text: bool = False) -> Said:
    """What is said of an argument that a JSON Schema describes.

    Arguments:
        about: what it is, in one line.
        schema: what it takes.
        default: what holds where nothing is written.
        required: whether something must be written.
        text: whether it takes a text as it is typed.
    """
    return Said(about, in_words(schema), default, required, choices_of(schema), text)
