"""What the tests of the text share."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.text import TextLimits, parse
from graphbuilder.text.fixing import fix_splice
from graphbuilder.text.splices import spliced
from graphbuilder.text.tree import to_data
from graphbuilder.text.yaml_events import EventParser, ParserType, PythonParser
from graphbuilder.text.yaml_reader import read_yaml
from tests.text.support import ApplyFix, Problems, YamlData

DEFAULT = TextLimits()


@pytest.fixture(params=["c", "python"])
def parser_type(request: pytest.FixtureRequest) -> ParserType:
    """Each of the parsers that the YAML reader can stand on."""
    return EventParser if request.param == "c" else PythonParser


@pytest.fixture
def yaml_data(parser_type: ParserType) -> YamlData:
    """Reads YAML with each of the parsers."""

    def read(text: str) -> Any:
        return to_data(read_yaml(text, "model.yaml", TextLimits(), parser_type=parser_type))

    return read


@pytest.fixture
def yaml_problems(parser_type: ParserType) -> Problems:
    """What is wrong with a YAML text, as each of the parsers has it."""

    def read(text: str, limits: TextLimits = DEFAULT) -> tuple[Diagnostic, ...]:
        with pytest.raises(BlueprintError) as caught:
            read_yaml(text, "model.yaml", limits, parser_type=parser_type)
        return caught.value.diagnostics

    return read


@pytest.fixture
def problems() -> Problems:
    """What is wrong with a text."""

    def read(text: str | bytes, name: str = "model.yaml", limits: TextLimits = DEFAULT) -> tuple[Diagnostic, ...]:
        with pytest.raises(BlueprintError) as caught:
            parse(text, name=name, limits=limits)
        return caught.value.diagnostics

    return read


def applied(text: str, diagnostic: Diagnostic) -> str:
    """The text with the fix of a diagnostic put in."""
    splice = fix_splice(diagnostic, text)
    assert splice is not None
    return spliced(text, [splice])


@pytest.fixture
def apply_fix() -> ApplyFix:
    """Puts a diagnostic's fix into its text."""
    return applied
