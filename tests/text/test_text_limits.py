"""A stranger's file cannot exhaust the machine."""

from __future__ import annotations

import pytest

from graphbuilder.text import TextLimits, parse
from graphbuilder.text.tree import walk
from graphbuilder.text.yaml_events import PythonParser
from graphbuilder.text.yaml_reader import read_yaml
from tests.text.support import Problems, YamlData

# Whatever takes time in proportion to the square of these texts' sizes runs into this; all of them take a moment.
pytestmark = pytest.mark.timeout(20)

LAUGHS = "a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_a_billion_laughs(yaml_problems: Problems) -> None:
    (problem,) = yaml_problems(LAUGHS)
    assert str(problem) == (
        "model.yaml:7:16: GB107 the text stands for more than 2,000,000 values once its aliases are expanded\n"
        "  hint: aliases of aliases multiply; write fewer; --limit values=… raises it, for a file that you trust"
    )


def test_few_laughs_are_expanded(yaml_data: YamlData) -> None:
    text = "".join(LAUGHS.splitlines(keepends=True)[:3])
    data = yaml_data(text)
    assert data["c"] == [[["ha"] * 9] * 9] * 9


def test_expanded_values_are_counted_exactly(yaml_problems: Problems) -> None:
    text = "a: &a {x: 1, y: [2]}\nb: [*a, *a]"  # 1 root + 4 of a + 1 list + 2 * 4
    parse(text, limits=TextLimits(values=14))
    (problem,) = yaml_problems(text, TextLimits(values=13))
    assert problem.code == "GB107"
    (problem,) = yaml_problems("[1, 2, 3]", TextLimits(values=3))
    assert str(problem) == (
        "model.yaml:1:8: GB103 the text holds more than 3 values\n"
        "  hint: --limit values=… raises it, for a file that you trust"
    )


def test_aliases_count_towards_the_depth(yaml_problems: Problems) -> None:
    text = "- &a [1]\n" + "".join(f"- &x{number} [*{f'x{number - 1}' if number else 'a'}]\n" for number in range(200))
    (problem,) = yaml_problems(text)
    assert str(problem) == (
        "model.yaml:100:9: GB108 values are nested deeper than 100 levels\n"
        "  hint: --limit nesting=… raises it, for a file that you trust"
    )


@pytest.mark.parametrize("opening", ["[", "{", "{a: ", "[{a: ", "- ", "? ", "- a: ", "[&a "])
def test_deep_nesting_in_yaml(yaml_problems: Problems, opening: str) -> None:
    codes = {problem.code for problem in yaml_problems(opening * 100_000)}
    assert codes & {"GB108", "GB104", "GB109"}


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_deep_nesting_in_json(problems: Problems, opening: str) -> None:
    (problem,) = problems(opening * 100_000, "a.json")
    assert problem.code == "GB108"


def test_depth_may_be_raised_without_recursion() -> None:
    depth = 20_000
    source = parse("[" * depth + "]" * depth, syntax="json", limits=TextLimits(depth=depth))
    data, levels = source.data, 0
    while data:
        data, levels = data[0], levels + 1
    assert levels == depth - 1
    assert source.position((0,) * 1000).column == 1001


def test_the_number_of_problems_is_bounded(yaml_problems: Problems) -> None:
    text = "a: 1\n" * 5000
    assert len(yaml_problems(text)) == 1000
    assert len(yaml_problems(text, TextLimits(problems=7))) == 7
    assert len(yaml_problems(text, TextLimits(problems=10**6))) == 4999


def test_directives_are_few(yaml_problems: Problems) -> None:
    (problem,) = yaml_problems("".join(f"%TAG !a{number}! tag:x\n" for number in range(200_000)) + "---\na: 1")
    assert str(problem) == "model.yaml:1:1: GB104 more than 100 lines begin with `%`"


@pytest.mark.parametrize(
    "text",
    [
        "a: b\n c: " + " " * 10**6, "[a\n" + "#" * 10**6, "[a\n" + "# #\n" * 10**5 + "b: c", "[" + "*a," * 10**5,
        "{a: " + "$(," * 10**5, "{a: " + "$(" * 10**5, "a" * 10**6 + ": 1", "a: " + "." * 10**6 + "x: y",
        "a: b: " + "c " * 10**5, "a:\n" + " " * 10**6 + "\tb", "{" + "u:1," * 10**5, "a: x" + " " * 10**6 + "y: z",
    ],
)  # fmt: skip
def test_no_mistake_takes_long_to_explain(problems: Problems, text: str) -> None:
    problems(text)


def test_the_python_parser_reads_the_same_positions() -> None:
    text = "a: {b: [1, 'x', \"y\"], c: d e}\nf:\n  - g: |\n      x\n    h: 1\n"
    fast = parse(text).root
    slow = read_yaml(text, "x", TextLimits(), parser_type=PythonParser)
    assert [(node.start, node.end) for node in walk(fast)] == [(node.start, node.end) for node in walk(slow)]
