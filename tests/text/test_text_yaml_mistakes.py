"""Every mistake in YAML has its code, its place and its words, with either parser."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuilder.errors import Position
from graphbuilder.text import parse
from tests.text.support import ApplyFix, Problems, YamlData

CASES = {
    # Tabs and indentation.
    "a:\n\tb: 1": """
        model.yaml:2:1: GB104 a tab stands in the indentation
          hint: YAML indents with spaces only; replace the tab""",
    "a:\n  b: 1\n\tc: 2": """
        model.yaml:3:1: GB104 a tab stands in the indentation
          hint: YAML indents with spaces only; replace the tab""",
    "- a\n-\tb": """
        model.yaml:2:2: GB104 a tab stands where YAML wants spaces
          hint: YAML indents with spaces only; replace the tab""",
    "a:\n    b: 1\n  c: 2\n": """
        model.yaml:3:3: GB104 this line is indented by 2 spaces, like no line that it could belong to
          model.yaml:1:1: the mapping begins here
          hint: give it the indentation of the lines beside which it belongs""",
    "a: 1\n  b: 2": """
        model.yaml:2:3: GB104 this line is indented deeper than the line above it, which has its value already
          model.yaml:1:1: the line above it
          hint: give both lines the same indentation, or take the value away from the line above""",
    "a: 1\n- b": """
        model.yaml:2:1: GB104 an entry of a list stands among the keys of a mapping
          model.yaml:1:1: the mapping begins here
          hint: indent it if it belongs to the line above""",
    "- b\na: 1": """
        model.yaml:2:1: GB104 `a` stands where `- ` is expected, for an entry of the list
          model.yaml:1:1: the list begins here
          hint: indent it if it belongs to the line above""",
    # Colons.
    "x: 3\nunits:64\ny: 2": """
        model.yaml:2:1: GB104 a space is missing after the colon of `units`
          hint: write `units: 64`""",
    "units:64\ny: 2": """
        model.yaml:1:1: GB104 a space is missing after the colon of `units`
          hint: write `units: 64`""",
    "a: {units:64, b: 1}": """
        model.yaml:1:5: GB104 a space is missing after the colon of `units`
          hint: write `units: 64`""",
    "about: note: this # now": """
        model.yaml:1:8: GB104 a value that holds `: ` must be quoted
          hint: quote it: "note: this\"""",
    "a: 1\nunits\nb: 2": """
        model.yaml:2:1: GB104 `units` stands where a key is expected, but no colon follows it
          hint: write `key: value`; a text that goes on from the line above must be indented deeper than that line""",
    "{a:}": """
        model.yaml:1:3: GB104 a value is missing after the colon
          hint: put the value behind it, or a space if none is meant""",
    "a: - b": """
        model.yaml:1:4: GB104 `- ` begins an entry of a list, and none can stand here
          hint: put the list on the lines below its key, one `- ` for each entry, or write it as [a, b]""",
    "a: ? b": """
        model.yaml:1:4: GB104 `? ` begins a key of several parts, and none can stand here
          hint: quote the value that it belongs to""",
    # Brackets and quotes.
    "nodes:\n  a: {layer: Dense, units: 1\n  b: {layer: Dense}\n": """
        model.yaml:2:6: GB104 the { that opens here is never closed
          model.yaml:3:4: this is read as still inside it
          hint: put a } at its end""",
    "x: [1, 2 # two\n": """
        model.yaml:1:4: GB104 the [ that opens here is never closed
          hint: put a ] at its end""",
    "x: {a: [1, 2}\n": """
        model.yaml:1:13: GB104 `}` stands where `]` must close the [
          model.yaml:1:8: the [ is here""",
    "a: {b: 1 c: 2}": """
        model.yaml:1:11: GB104 `:` stands where `,` or `}` is expected
          model.yaml:1:4: the { is here
          hint: put a comma between entries, and quotes around a value that holds `: `, brackets or braces""",
    "a: [b, , c]": """
        model.yaml:1:8: GB104 a value is missing before the comma""",
    "a: ]": """
        model.yaml:1:4: GB104 `]` stands where a value is expected""",
    "a: [b]]": """
        model.yaml:1:7: GB104 `]` stands behind a value that is complete already
          hint: quote the whole value if both belong together""",
    'a: "abc\nb: 1': """
        model.yaml:1:4: GB104 the " that opens here is never closed
          hint: put a " at its end""",
    "x:\n  a: 'abc\n  b: 'def'\n": """
        model.yaml:2:6: GB104 the ' that opens here is never closed
          hint: put a ' at its end""",
    "a: 'it's'": """
        model.yaml:1:8: GB104 `s` stands behind a value that is complete already
          hint: to have a quote inside quotes, double a single one, and put a backslash before a double one""",
    'a: "\\d"': """
        model.yaml:1:5: GB104 `\\d` is not an escape that double-quoted YAML knows
          hint: write `\\\\` for a backslash, or use single quotes, which have no escapes""",
    'a: "\\xZZ"': """
        model.yaml:1:5: GB104 `\\xZZ` is not an escape that double-quoted YAML knows
          hint: write `\\\\` for a backslash, or use single quotes, which have no escapes""",
    'a: "x\\ud83d\\ude00"': """
        model.yaml:1:6: GB104 half of a surrogate pair is not a character
          hint: write the character itself""",
    # Characters with which a value cannot begin.
    "a: @x # y": """
        model.yaml:1:4: GB104 a value that begins with @ must be quoted
          hint: quote it: "@x\"""",
    "a: {b: `x`, c: 1}": """
        model.yaml:1:8: GB104 a value that begins with ` must be quoted
          hint: quote it: "`x`\"""",
    "a: 50\nb: %x": """
        model.yaml:2:4: GB104 a value that begins with % must be quoted
          hint: quote it: "%x\"""",
    "a: *.png": """
        model.yaml:1:4: GB104 `*` at the beginning of a value must be followed by the name of an anchor
          hint: quote it: "*.png\"""",
    "when: >0.5": """
        model.yaml:1:7: GB104 `>` begins a block of text, which starts on the next line
          hint: quote it: ">0.5\"""",
    "when: >5": """
        model.yaml:1:7: GB104 `>` begins a block of text, and no text follows
          hint: quote it: ">5\"""",
    # Expressions that flow style cuts.
    "a: {units: $(min(a, b)), c: 1}": """
        model.yaml:1:12: GB104 the expression $(min(a, b)) is cut at `,`, which ends a value inside {…} and […]
          hint: quote it: "$(min(a, b))\"""",
    "a: {units: $(f(a, 2, 3)), c: 1}": """
        model.yaml:1:12: GB104 the expression $(f(a, 2, 3)) is cut at `,`, which ends a value inside {…} and […]
          hint: quote it: "$(f(a, 2, 3))\"""",
    "a: {units: $(x[0])}": """
        model.yaml:1:12: GB104 the expression $(x[0]) is cut at `[`, which ends a value inside {…} and […]
          hint: quote it: "$(x[0])\"""",
    "a: [1, $(f(x, y[0]))]": """
        model.yaml:1:8: GB104 the expression $(f(x, y[0])) is cut at `,`, which ends a value inside {…} and […]
          hint: quote it: "$(f(x, y[0]))\"""",
    'a: $(x == "b: c")': """
        model.yaml:1:4: GB104 the expression $(x == "b: c") is cut at `:`
          hint: quote it: '$(x == "b: c")'""",
    # Whole documents.
    "a: 1\n---\nb: 2": """
        model.yaml:2:1: GB110 a second YAML document begins here
          hint: a blueprint is one document: put the second one in a file of its own, or remove the `---`""",
    "a: 1\n...\nb: 2": """
        model.yaml:3:1: GB104 `b` stands behind the end of the document
          hint: quote the value, or remove the rest""",
    "%FOO\n---\na": """
        model.yaml:1:1: GB104 a line that begins with % is a directive to YAML, and this one is not understood
          hint: remove it""",
    "": """
        model.yaml:1:1: GB111 the file is empty
          hint: a blueprint begins with `blueprint: 1`""",
    "# only this\n\n": """
        model.yaml:1:1: GB111 the file holds no values
          hint: a blueprint begins with `blueprint: 1`""",
    # Keys.
    "a: 1\nb: 2\na: 3\nc: {x: 1, x: 2}\na: 4": """
        model.yaml:3:1: GB105 the key a stands twice in one mapping
          model.yaml:1:1: the first one is here
          hint: rename or remove one of them
        model.yaml:4:11: GB105 the key x stands twice in one mapping
          model.yaml:4:5: the first one is here
          hint: rename or remove one of them
        model.yaml:5:1: GB105 the key a stands twice in one mapping
          model.yaml:1:1: the first one is here
          hint: rename or remove one of them""",
    "on: 1\n1: 2\n1.5: 3\ntrue: 4\n~: 5\nnull: 6\n{}: 7\n[a]: 8": """
        model.yaml:2:1: GB109 the key 1 is a number; expected a string
          hint: quote it
        model.yaml:3:1: GB109 the key 1.5 is a number; expected a string
          hint: quote it
        model.yaml:4:1: GB109 the key true is a boolean; expected a string
          hint: quote it
        model.yaml:5:1: GB109 the key ~ is null; expected a string
          hint: quote it
        model.yaml:6:1: GB109 the key is null; expected a string
          hint: quote it
        model.yaml:7:1: GB109 the key is a mapping; expected a string
          hint: write a string as the key; quote it if it holds braces or brackets
        model.yaml:8:1: GB109 the key is a list; expected a string
          hint: write a string as the key; quote it if it holds braces or brackets""",
    "a: {: 1}": """
        model.yaml:1:5: GB109 a key is empty
          hint: write a key before the colon""",
    "a: &x b\n*x : 1": """
        model.yaml:2:1: GB109 an alias stands as a key; expected a string
          hint: write the key out""",
    "a: &x {b: 1}\nc:\n  <<: *x": """
        model.yaml:3:3: GB104 `<<` merges nothing: YAML 1.2 has no merge keys
          hint: write the keys out, or share them through `params:` or `blocks:`""",
    # Tags.
    "a: !foo 1\nb: !!python/object/apply:os.system [x]\nc: !!int x\nd: !!map [1]\ne: !!timestamp 2024-01-01": """
        model.yaml:1:4: GB106 the tag !foo asks for a type that plain data does not have
          hint: remove the tag; nothing in a blueprint needs one
        model.yaml:2:4: GB106 the tag !!python/object/apply:os.system asks for a type that plain data does not have
          hint: remove the tag; nothing in a blueprint needs one
        model.yaml:3:4: GB106 the value `x` does not agree with its tag !!int
          hint: remove the tag, or mend the value
        model.yaml:4:4: GB106 the tag !!map does not agree with the sequence that it stands before
          hint: remove the tag; nothing in a blueprint needs one
        model.yaml:5:4: GB106 the tag !!timestamp asks for a type that plain data does not have
          hint: remove the tag; nothing in a blueprint needs one""",
    "a: !e!x 1": """
        model.yaml:1:4: GB106 the tag !e!x asks for a type that plain data does not have
          hint: remove the tag, or quote the value if it begins with `!`""",
    # Aliases.
    "a: *b": """
        model.yaml:1:4: GB112 the alias *b names no anchor that stands before it
          hint: quote it if it is not meant as an alias""",
    "a: &x 1\nb: &y 2\nc: [*z, *w]": """
        model.yaml:3:5: GB112 the alias *z names no anchor that stands before it
          hint: anchors before it: &x, &y
        model.yaml:3:9: GB112 the alias *w names no anchor that stands before it
          hint: anchors before it: &x, &y""",
    "a: &x {b: [*x]}": """
        model.yaml:1:12: GB107 the alias *x stands inside the very value that it names, which would never end
          hint: write the value out""",
    # Numbers.
    "a: 1e999\nb: -1e999": """
        model.yaml:1:4: GB113 the number 1e999 is too large for a float
          hint: quote it if it is not meant as a number
        model.yaml:2:4: GB113 the number -1e999 is too large for a float
          hint: quote it if it is not meant as a number""",
    "a: " + "1" * 1001 + "\nb: 0x" + "f" * 1000: """
        model.yaml:1:4: GB113 the number has 1,001 digits; the limit is 1,000
          hint: quote it if it is not meant as a number; --limit digits=… raises it, for a file that you trust
        model.yaml:2:4: GB113 the number has 1,002 digits; the limit is 1,000
          hint: quote it if it is not meant as a number; --limit digits=… raises it, for a file that you trust""",
    # What was found before the parser gave up is told too.
    "a: 1\na: 2\nb: [\n": """
        model.yaml:2:1: GB105 the key a stands twice in one mapping
          model.yaml:1:1: the first one is here
          hint: rename or remove one of them
        model.yaml:3:4: GB104 the [ that opens here is never closed
          hint: put a ] at its end""",
}


def _dedented(text: str) -> str:
    return "\n".join(line.removeprefix(" " * 8) for line in text.strip("\n").splitlines())


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_the_message_and_its_fix(yaml_problems: Problems, apply_fix: ApplyFix, text: str, expected: Any) -> None:
    found = yaml_problems(text)
    assert "\n".join(map(str, found)) == _dedented(expected)
    if len(found) == 1 and found[0].fix is not None:
        parse(apply_fix(text, found[0]))


def test_a_problem_spans_the_text_that_its_fix_replaces(yaml_problems: Problems) -> None:
    (problem,) = yaml_problems("a:\n  - {é: 1, units: $(max(a, b)) }\n")
    assert problem.position == Position(2, 19, 2, 31)
    assert problem.fix == '"$(max(a, b))"'


def test_a_parenthesis_that_is_missing_is_not_for_the_text_to_say(yaml_data: YamlData) -> None:
    assert yaml_data("{a: $(1 + 2, b: 1}") == {"a": "$(1 + 2", "b": 1}


def test_a_quoted_merge_key_is_a_string(yaml_data: YamlData) -> None:
    assert yaml_data('"<<": 1') == {"<<": 1}


@pytest.mark.parametrize("text", ["[?\x00", "a: \x07\nb: \x1b", "a: \ud800", "\ufffe"])
def test_control_characters_are_refused(problems: Problems, text: str) -> None:
    assert {problem.code for problem in problems(text)} == {"GB102"}
