"""JSON is read strictly, and its mistakes are named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from graphbuilder.text import TextLimits, parse
from tests.text.support import ApplyFix, Problems

CASES = {
    "": "1:1: GB111 the file is empty\n  hint: a blueprint begins with `{\"blueprint\": 1`",
    '{"a": 1, // x\n "b": 2}': (
        "1:10: GB104 JSON has no comments\n  hint: remove it, or keep the file as YAML, where comments begin with #"
    ),
    '# x\n{"a": 1}': (
        "1:1: GB104 JSON has no comments\n  hint: remove it, or keep the file as YAML, where comments begin with #"
    ),
    '{"a": 1 /* x */}': (
        "1:9: GB104 JSON has no comments\n  hint: remove it, or keep the file as YAML, where comments begin with #"
    ),
    '{"a": [1, 2,\n]}': "1:12: GB104 a comma stands before the closing `]`\n  hint: remove the comma",
    '{"a": 1, }': "1:8: GB104 a comma stands before the closing `}`\n  hint: remove the comma",
    "{'a': 1}": (
        '1:2: GB104 JSON quotes strings with double quotes, not with single ones\n  hint: write "a"'
    ),
    '{"a": \'it\\\'s\'}': (
        '1:7: GB104 JSON quotes strings with double quotes, not with single ones\n  hint: write "it\'s"'
    ),
    '{"a": NaN}': (
        "1:7: GB104 JSON has no number NaN\n"
        "  hint: write null or a string, or keep the file as YAML, where it is .nan or .inf"
    ),
    '{"a": [-Infinity]}': (
        "1:8: GB104 JSON has no number -Infinity\n"
        "  hint: write null or a string, or keep the file as YAML, where it is .nan or .inf"
    ),
    '{"a": True}': "1:7: GB104 True is not a JSON value\n  hint: write true",
    '{"a": relu}': '1:7: GB104 relu is not a JSON value\n  hint: write "relu"',
    "{a: 1}": '1:2: GB104 the key a is not quoted\n  hint: write "a"',
    '{1: 1, "b": 2, null: 3}': (
        '1:2: GB109 the key 1 is not a string\n  hint: quote it\n'
        "model.json:1:16: GB109 the key null is not a string\n  hint: quote it"
    ),
    '{"a" 1}': "1:6: GB104 1 stands where it cannot; expected `:`",
    '{"a": 1 "b": 2}': '1:8: GB104 a comma is missing before "b"',
    '[1 2]': "1:3: GB104 a comma is missing before 2",
    '{"a": , "b": 1}': "1:7: GB104 a comma stands where none belongs; expected a value",
    '{"a": }': "1:7: GB104 `}` stands where a value is expected\n  model.json:1:1: the { is here",
    '{"a": [1}': "1:9: GB104 `}` stands where `]` must close the [\n  model.json:1:7: the [ is here",
    "]": "1:1: GB104 `]` closes nothing",
    '{"a": 1': "1:1: GB104 the { that opens here is never closed\n  hint: put a } at its end",
    '{"a": [1, 2': "1:7: GB104 the [ that opens here is never closed\n  hint: put a ] at its end",
    '{"a": "x': '1:7: GB104 the " that opens here is never closed\n  hint: put a " at its end',
    '{"a": "x\ny"}': (
        "1:9: GB104 a JSON string cannot go on over a line's end\n  hint: close it with a `\"`, or write `\\n`"
    ),
    '{"a": "x\ty"}': "1:9: GB104 a tab stands unescaped in a JSON string\n  hint: write `\\u0009`",
    '{"a": "\\d"}': "1:8: GB104 `\\d` is not an escape that JSON knows\n  hint: write `\\\\` for a backslash",
    '{"a": "\\u12G4"}': "1:8: GB104 `\\u12G4` is not an escape that JSON knows\n  hint: write `\\\\` for a backslash",
    '{"a": "x\\ud800"}': "1:9: GB104 half of a surrogate pair is not a character\n  hint: write the character itself",
    '{"a": 01}': "1:7: GB104 01 begins with a zero, which JSON does not allow",
    '{"a": .5}': "1:7: GB104 .5 needs a digit before its point in JSON",
    '{"a": 1.}': "1:7: GB104 1. needs a digit behind its point in JSON",
    '{"a": +1}': "1:7: GB104 +1 begins with a plus, which JSON does not know",
    '{"a": 0x1F}': "1:7: GB104 0x1F is not a number that JSON knows",
    '{"a": 1}\n{"b": 2}': (
        "2:1: GB104 more text stands behind the end of the JSON value\n  hint: a file holds one JSON value"
    ),
    "blueprint: 1": (
        "1:1: GB104 blueprint begins no JSON value\n"
        "  hint: a blueprint in JSON begins with `{`; a YAML file must not have a name that ends in .json"
    ),
    '{"a": 1, "a": 2, "b": {"c": 1, "c": 2}}': (
        "1:10: GB105 the key a stands twice in one mapping\n"
        "  model.json:1:2: the first one is here\n  hint: rename or remove one of them\n"
        "model.json:1:32: GB105 the key c stands twice in one mapping\n"
        "  model.json:1:24: the first one is here\n  hint: rename or remove one of them"
    ),
    '{"a": 1e999}': (
        "1:7: GB113 the number 1e999 is too large for a float\n  hint: quote it if it is not meant as a number"
    ),
    "[" * 101: (
        "1:101: GB108 values are nested deeper than 100 levels\n"
        "  hint: --limit nesting=… raises it, for a file that you trust"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_the_message_and_its_fix(problems: Problems, apply_fix: ApplyFix, text: str, expected: Any) -> None:
    found = problems(text, "model.json")
    assert "\n".join(map(str, found)) == f"model.json:{expected}"
    if len(found) == 1 and found[0].fix is not None:
        json.loads(apply_fix(text, found[0]))


@pytest.mark.parametrize(
    "text",
    ['{"a": [1, -0, 0.5, 1e3, 1E-3, true, false, null, "", "\\u00e9\\n\\/\\"", {}, []]}', ' "x" ', "0", "\t[\r\n]\n",
     '{"": 1, "\\ud83d\\ude00": "\u2028\x7f"}', "[[[]]]", "-0.0"],
)  # fmt: skip
def test_it_reads_what_the_standard_library_reads(text: str) -> None:
    data = parse(text, syntax="json").data
    assert data == json.loads(text)
    assert repr(data) == repr(json.loads(text))


def test_json_is_chosen_by_the_name_or_by_hand() -> None:
    assert parse("{}", name="a.JSON").syntax == "json"
    assert parse("{}", name="a.yaml").syntax == "yaml"
    assert parse("{}", name="a.yaml", syntax="json").syntax == "json"
    assert parse("{}", name="a.json", syntax="yaml").syntax == "yaml"


def test_limits(problems: Problems) -> None:
    limits = TextLimits(digits=3, values=4, depth=2)
    assert parse("[123, [1]]", syntax="json", limits=limits).data == [123, [1]]
    assert [problem.code for problem in problems("[1234, 12345]", "a.json", limits=limits)] == ["GB113", "GB113"]
    (problem,) = problems("[1, 2, 3, 4]", "a.json", limits=limits)
    assert str(problem) == (
        "a.json:1:11: GB103 the text holds more than 4 values\n"
        "  hint: --limit values=… raises it, for a file that you trust"
    )
