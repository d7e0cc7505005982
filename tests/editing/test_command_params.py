"""Commands on params: texts before and after, refusals, and that names do not change the model."""

from __future__ import annotations

import pytest

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.param_removal import RemoveParam
from graphbuilder.editing.commands.params import AddParam, RenameParam, SetParam, UnsetParam
from graphbuilder.editing.session import Session
from graphbuilder.errors import CommandError
from graphbuilder.lowering import lower
from graphbuilder.lowering.resolved_proof import first_difference
from tests.editing.golden import STYLES, check_golden, session_of

CASES: dict[str, Command] = {
    "set_param": SetParam("units", 16),
    "set_param_short": SetParam("rate", 0.01),
    "set_param_short_to_mapping": SetParam("half", {"a": 1}),
    "set_param_option": SetParam("rate", "how fast it learns: slowly", "about"),
    "set_param_option_of_long": SetParam("units", 64, "max"),
    "unset_param_option": UnsetParam("units", "about"),
    "add_param": AddParam("depth", {"default": 2}),
    "add_param_long": AddParam("kind", {"default": "relu", "choices": ["relu", "gelu"]}),
    "add_param_to_block": AddParam("size", {"default": 3, "min": 1}, block="branch"),
    "rename_param": RenameParam("units", "width"),
    "rename_param_of_block": RenameParam("filters", "channels", "branch"),
    "remove_param": RemoveParam("units"),
    "remove_param_short": RemoveParam("half"),
    "remove_param_of_block": RemoveParam("filters", "branch"),
    "remove_unused_param": RemoveParam("nothing"),
    "set_param_beyond_limit": SetParam("units", 0),
    "set_param_to_wrong_type": SetParam("units", "many"),
    "add_param_twice": AddParam("units"),
    "add_param_with_a_word": AddParam("min"),
    "add_param_without_default_to_block": AddParam("size", {"type": "int"}, block="branch"),
    "rename_param_to_key": RenameParam("filters", "from", "branch"),
    "rename_param_to_taken": RenameParam("units", "half"),
    "unset_param_default": UnsetParam("filters", "type", block="branch"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_after_a_command_is_exact(name: str) -> None:
    check_golden(name, CASES[name])


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "command",
    [
        RenameParam("units", "width"),
        RenameParam("filters", "channels", "branch"),
        RemoveParam("units"),
        RemoveParam("half"),
        RemoveParam("rate"),
        AddParam("depth", {"default": 2}),
    ],
    ids=str,
)
def test_names_and_written_values_leave_the_graph_as_it_was(path: object, command: Command) -> None:
    session = session_of(path)  # type: ignore[arg-type]  # pytest gives what is parametrized
    before = lower(session.document())
    session.run(command)
    assert first_difference(before, lower(session.document())) is None


FILE = """\
blueprint: 1
params: {n: 4, word: relu, options: {default: {rate: 0.5}}, deep: {default: "$(n * 2)", max: 64}, list: [1, 2]}
inputs: {x: {shape: [8]}}
nodes:
  a: {layer: Dense, units: "$(max(n, deep))", activation: $word, about: costs $n}
  b: {layer: Dropout, rate: "$(options['rate'])"}
  c: {layer: Dense, units: "$(n if word == 'relu' else list[1])"}
"""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("n", 'a: {layer: Dense, units: "$(max(4, deep))", activation: $word, about: costs $n}'),
        ("word", "c: {layer: Dense, units: \"$(n if 'relu' == 'relu' else list[1])\"}"),
        ("options", "b: {layer: Dropout, rate: 0.5}"),
        ("deep", 'a: {layer: Dense, units: "$(max(n, (n * 2)))", activation: $word, about: costs $n}'),
        ("list", "c: {layer: Dense, units: \"$(n if word == 'relu' else [1, 2][1])\"}"),
    ],
)
def test_a_removed_params_value_is_written_into_expressions(name: str, line: str) -> None:
    session = Session(FILE)
    before = lower(session.document())
    session.run(RemoveParam(name))
    assert line in session.text
    assert first_difference(before, lower(session.document())) is None


def test_what_is_written_for_people_names_no_param() -> None:
    session = Session(FILE)
    session.run(RenameParam("n", "m"))
    assert "about: costs $n" in session.text
    assert "$(max(m, deep))" in session.text


def test_a_mapping_cannot_stand_within_an_expression_that_names_others() -> None:
    session = Session(FILE.replace("['rate'])", "['rate'] * n)"))
    with pytest.raises(CommandError, match="options is a mapping, which cannot be written inside an expression"):
        session.run(RemoveParam("options"))


def test_the_only_param_goes_with_its_section() -> None:
    rest = "inputs: {x: {shape: [8]}}\nnodes: {a: {layer: Dense, units: $n}}\n"
    session = Session(f"blueprint: 1\nparams:\n  n: 4\n  # last words\n{rest}")
    session.run(RemoveParam("n"))
    assert session.text == f"blueprint: 1\n{rest}".replace("$n", "4")
    session.run(AddParam("k", {"default": 1}))
    assert parse_blueprint(session.text).blueprint.params["k"].default == 1


SHARED = """\
blueprint: 1
params: {n: &n 4, m: *n}
inputs: {x: {shape: [8]}}
nodes: {a: {layer: Dense, units: $n}, b: {layer: Dense, units: $m}}
"""


def test_what_an_alias_shares_is_not_changed() -> None:
    session = Session(SHARED, "shared.yaml")
    with pytest.raises(
        Exception, match=r"GB203 n is shared through &n, so an edit here would change another place too"
    ):
        session.run(SetParam("n", 5))
    assert session.text == SHARED
    session.run(SetParam("m", 5))
    assert session.text == SHARED.replace("m: *n", "m: 5")


def test_a_param_that_several_nodes_give_alike_can_be_written_out() -> None:
    text = """\
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  wide:
    params: {units: {type: int}, kind: relu}
    inputs: [x]
    nodes: {dense: {layer: Dense, units: $(units * 2), activation: $kind}}
nodes:
  one: {block: wide, units: 4}
  two: {block: wide, units: 4, kind: tanh}
"""
    session = Session(text)
    before = lower(session.document())
    session.run(RemoveParam("units", "wide"))
    assert "params: {kind: relu}" in session.text
    assert "dense: {layer: Dense, units: 8, activation: $kind}" in session.text
    assert "one: {block: wide}\n  two: {block: wide, kind: tanh}" in session.text
    assert first_difference(before, lower(session.document())) is None
    with pytest.raises(CommandError, match="kind has several values"):
        session.run(RemoveParam("kind", "wide"))
