"""The text after a merge, exactly, in the styles in which people write."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.editing import merge

HEAD = """\
blueprint: 1
inputs:
  image: {shape: [8]}
  text: {shape: [8]}
"""

FLOW = (
    """\
nodes:
  image_code: {layer: Dense, from: image, units: 4}  # stays here
  # Below belongs to the text.
  text_code: {layer: Dense, from: text, units: 4}  # and here
  # Below belongs to the answer.
  answer: {layer: Dense, units: 1}
outputs: answer
""",
    """\
nodes:
  image_code: {layer: Dense, from: image, units: 4}  # stays here
  # Below belongs to the text.
  text_code: {layer: Dense, from: text, units: 4}  # and here
  merged: {fuse: concat, from: [image_code, text_code]}
  # Below belongs to the answer.
  answer: {layer: Dense, units: 1}
outputs: answer
""",
)

BLOCK = (
    """\
nodes:

    image_code:
        layer: Dense
        units: 4    # small
        from: image

    text_code:
        layer: Dense
        from: text
        units: 4
        # a last word on the text

    # the heads
    answer:
        layer: Dense   # linear
        units: 1

    other:
        layer: Dense
        units: 1
        from:
          - image_code
""",
    """\
nodes:

    image_code:
        layer: Dense
        units: 4    # small
        from: image

    text_code:
        layer: Dense
        from: text
        units: 4
        # a last word on the text

    merged:
        fuse: concat
        from: [image_code, text_code]

    # the heads
    answer:
        layer: Dense   # linear
        units: 1

    other:
        layer: Dense
        units: 1
        from:
          - merged
""",
)

MIXED = (
    """\
nodes:
  image_code: {layer: Dense, from: image, units: 4}
  text_code:
    layer: Dense
    from: "text"
    units: 4
  answer: {layer: Dense, from: 'text_code', units: 1}
""",
    """\
nodes:
  image_code: {layer: Dense, from: image, units: 4}
  text_code:
    layer: Dense
    from: "text"
    units: 4
  merged: {fuse: concat, from: [image_code, text_code]}
  answer: {layer: Dense, from: 'merged', units: 1}
""",
)

ALIGNED = (
    """\
nodes:
  image_code: {layer: Dense, from: image, units: 4}
  words:      {layer: Dense, from: text, units: 4}
  answer:     {layer: Dense, units: 1}
""",
    """\
nodes:
  image_code: {layer: Dense, from: image, units: 4}
  words:      {layer: Dense, from: text, units: 4}
  merged:     {fuse: concat, from: [image_code, words]}
  answer:     {layer: Dense, units: 1}
""",
)

IMPLIED = (
    """\
nodes:
  first: {layer: Dense, from: image, units: 4}
  taker: {layer: Dense, units: 4}
  second: {layer: Dense, from: text, units: 4}
  third:
    layer: Dense
    units: 4
  last: {layer: Dense, units: 1}
""",
    """\
nodes:
  first: {layer: Dense, from: image, units: 4}
  taker: {layer: Dense, from: merged, units: 4}
  second: {layer: Dense, from: text, units: 4}
  merged: {fuse: concat, from: [first, second]}
  third:
    layer: Dense
    units: 4
  last: {layer: Dense, units: 1}
""",
)

OUTPUT_LIST = (
    """\
nodes:
  a: {layer: Dense, from: image, units: 4}
  b: {layer: Dense, from: text, units: 4}
outputs:  # three
  - a     # the first
  - image
  - b     # the last
""",
    """\
nodes:
  a: {layer: Dense, from: image, units: 4}
  b: {layer: Dense, from: text, units: 4}
  merged: {fuse: concat, from: [a, b]}
outputs:  # three
  - merged     # the first
  - image
  # the last
""",
)

OUTPUT_MAPPING = (
    """\
nodes:
  a: {layer: Dense, from: image, units: 4}
  b: {layer: Dense, from: text, units: 4}
outputs: {code: a, raw: image}
""",
    """\
nodes:
  a: {layer: Dense, from: image, units: 4}
  b: {layer: Dense, from: text, units: 4}
  merged: {fuse: concat, from: [a, b]}
outputs: {code: merged, raw: image}
""",
)

FLOW_OVER_LINES = (
    """\
nodes: {
  a: {layer: Dense, from: image, units: 4},  # one
  b: {
    layer: Dense,
    from: text,
    units: 4
  }  # two
}
""",
    """\
nodes: {
  a: {layer: Dense, from: image, units: 4},  # one
  b: {
    layer: Dense,
    from: text,
    units: 4
  },  # two
  merged: {
    fuse: concat,
    from: [a, b]
  }
}
""",
)

ONE_LINE = (
    "nodes: { a: { layer: Dense, from: image, units: 4 }, b: { layer: Dense, from: text, units: 4 } }\n",
    (
        "nodes: { a: { layer: Dense, from: image, units: 4 }, b: { layer: Dense, from: text, units: 4 }, "
        "merged: { fuse: concat, from: [a, b] } }\n"
    ),
)

ELSEWHERE_ALIASES = (
    """\
nodes:
  a: {layer: Dense, from: image, units: &size 4}
  b: {layer: Dense, from: &source text, units: *size}
  c: {layer: Dense, from: *source, units: *size}
  d: {layer: Dense, from: a, units: *size}
""",
    """\
nodes:
  a: {layer: Dense, from: image, units: &size 4}
  b: {layer: Dense, from: &source text, units: *size}
  merged: {fuse: concat, from: [a, b]}
  c: {layer: Dense, from: *source, units: *size}
  d: {layer: Dense, from: merged, units: *size}
""",
)

TEXT_BLOCK = (
    """\
nodes:
  a: {layer: Dense, from: image, units: 4}
  b:
    layer: Dense
    units: 4
    from: text
    about: |+
      Keeps the lines below.

  c: {layer: Dense, from: a, units: 1}
""",
    """\
nodes:
  a: {layer: Dense, from: image, units: 4}
  b:
    layer: Dense
    units: 4
    from: text
    about: |+
      Keeps the lines below.

  merged: {fuse: concat, from: [a, b]}
  c: {layer: Dense, from: merged, units: 1}
""",
)

CASES = {
    "flow": (FLOW, ["image_code", "text_code"]),
    "block": (BLOCK, ["image_code", "text_code"]),
    "mixed": (MIXED, ["image_code", "text_code"]),
    "aligned": (ALIGNED, ["image_code", "words"]),
    "implied": (IMPLIED, ["first", "second"]),
    "outputs in a list": (OUTPUT_LIST, ["a", "b"]),
    "outputs in a mapping": (OUTPUT_MAPPING, ["a", "b"]),
    "flow over several lines": (FLOW_OVER_LINES, ["a", "b"]),
    "one line": (ONE_LINE, ["a", "b"]),
    "aliases elsewhere": (ELSEWHERE_ALIASES, ["a", "b"]),
    "a text block that keeps lines": (TEXT_BLOCK, ["a", "b"]),
}


def merged(before: str, branches: list[str], name: str = "x.yaml", **more: Any) -> str:
    return merge(parse_blueprint(before, name=name), branches, "concat", **more).text


@pytest.mark.parametrize(("case", "branches"), CASES.values(), ids=CASES.keys())
def test_the_text_is_exact(case: tuple[str, str], branches: list[str]) -> None:
    before, after = case
    assert merged(HEAD + before, branches) == HEAD + after


@pytest.mark.parametrize(("case", "branches"), CASES.values(), ids=CASES.keys())
def test_line_breaks_and_the_mark_stay(case: tuple[str, str], branches: list[str]) -> None:
    before, after = (("\ufeff" + HEAD + text).replace("\n", "\r\n") for text in case)
    assert merged(before, branches) == after


@pytest.mark.parametrize("case", ["flow", "mixed", "outputs in a mapping", "one line"])
def test_no_line_break_is_added_to_the_end(case: str) -> None:
    (before, after), branches = CASES[case]
    assert merged((HEAD + before).rstrip("\n"), branches) == (HEAD + after).rstrip("\n")


JSON_TALL = """\
{
\t"blueprint": 1,
\t"inputs": {"image": {"shape": [8]}, "text": {"shape": [8]}},
\t"nodes": {
\t\t"a": {
\t\t\t"layer": "Dense",
\t\t\t"from": "image",
\t\t\t"units": 4
\t\t},
\t\t"b": {
\t\t\t"layer": "Dense",
\t\t\t"from": [
\t\t\t\t"text"
\t\t\t],
\t\t\t"units": 4
\t\t}
\t},
\t"outputs": "b"
}
"""

JSON_TALL_MERGED = """\
{
\t"blueprint": 1,
\t"inputs": {"image": {"shape": [8]}, "text": {"shape": [8]}},
\t"nodes": {
\t\t"a": {
\t\t\t"layer": "Dense",
\t\t\t"from": "image",
\t\t\t"units": 4
\t\t},
\t\t"b": {
\t\t\t"layer": "Dense",
\t\t\t"from": [
\t\t\t\t"text"
\t\t\t],
\t\t\t"units": 4
\t\t},
\t\t"merged": {
\t\t\t"fuse": "concat",
\t\t\t"from": [
\t\t\t\t"a",
\t\t\t\t"b"
\t\t\t]
\t\t}
\t},
\t"outputs": "merged"
}
"""

JSON_LINES = """\
{"blueprint": 1, "inputs": {"image": {"shape": [8]}, "text": {"shape": [8]}},
 "nodes": {
   "a": {"layer": "Dense", "from": "image", "units": 4},
   "b": {"layer": "Dense", "from": "text", "units": 4},
   "c": {"layer": "Dense", "units": 4}
 }}"""

JSON_LINES_MERGED = """\
{"blueprint": 1, "inputs": {"image": {"shape": [8]}, "text": {"shape": [8]}},
 "nodes": {
   "a": {"layer": "Dense", "from": "image", "units": 4},
   "b": {"layer": "Dense", "from": "text", "units": 4},
   "merged": {"fuse": "concat", "from": ["a", "b"]},
   "c": {"layer": "Dense", "units": 4}
 }}"""

JSON_SMALL = (
    '{"blueprint":1,"inputs":{"image":{"shape":[8]},"text":{"shape":[8]}},'
    '"nodes":{"a":{"layer":"Dense","from":"image","units":4},"b":{"layer":"Dense","from":"text","units":4},'
    '"c":{"layer":"Dense","from":"a","units":4}}}'
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (JSON_TALL, JSON_TALL_MERGED),
        (JSON_LINES, JSON_LINES_MERGED),
        (
            JSON_SMALL,
            JSON_SMALL.replace('"from":"a"', '"from":"merged"').replace(
                ',"c"', ',"merged":{"fuse":"concat","from":["a","b"]},"c"'
            ),
        ),
    ],
    ids=["tall", "lines", "small"],
)
def test_json_stays_json_in_its_own_style(before: str, after: str) -> None:
    assert merged(before, ["a", "b"], "x.json") == after
    assert merged(before.replace("\n", "\r\n"), ["a", "b"], "x.json") == after.replace("\n", "\r\n")


def test_options_are_written_in_the_style_of_the_node() -> None:
    before, after = FLOW
    given = merged(HEAD + before, ["image_code", "text_code"], options={"axis": -1})
    assert given == HEAD + after.replace("text_code]}", "text_code], axis: -1}")
    block = merged(HEAD + BLOCK[0], ["image_code", "text_code"], options={"axis": -1})
    assert block == HEAD + BLOCK[1].replace("text_code]\n", "text_code]\n        axis: -1\n")


def test_what_is_implied_is_written_out_where_only_the_node_is_added() -> None:
    before = HEAD + "nodes:\n  a: {layer: Dense, from: image, units: 4}\n  b: {layer: Dense, from: text, units: 4}\n"
    new = "  merged: {fuse: concat, from: [a, b]}\n"
    assert merged(before, ["a", "b"], into=[]) == f"{before}{new}outputs: b\n"
    more = before + "  c: {layer: Dense, units: 1}\n"
    assert merged(more, ["a", "b"], into=[]) == before + new + "  c: {layer: Dense, from: b, units: 1}\n"
    block = before + "  c:\n    units: 1\n    layer: Dense # linear\n    # end\n"
    written = before + new + "  c:\n    units: 1\n    layer: Dense # linear\n    from: b\n    # end\n"
    assert merged(block, ["a", "b"], into=[]) == written


def test_a_null_that_is_written_is_replaced() -> None:
    body = "nodes:\n  a: {layer: Dense, from: image, units: 4}\n  b: {layer: Dense, from: null, units: 4}\n"
    after = "nodes:\n  a: {layer: Dense, from: image, units: 4}\n  merged: {fuse: concat, from: [image, a]}\n"
    assert merged(HEAD + body, ["image", "a"], into=[]) == HEAD + after + "  b: {layer: Dense, from: a, units: 4}\n"
    empty = body.replace("null", "")
    assert "b: {layer: Dense, from: a, units: 4}" in merged(HEAD + empty, ["image", "a"], into=[])


def test_inputs_alone_are_merged_above_the_nodes() -> None:
    body = "nodes:  # all\n  # the first\n  a: {layer: Dense, from: image, units: 4}\n"
    after = "nodes:  # all\n  merged: {fuse: concat, from: [text, image]}\n"
    after += "  # the first\n  a: {layer: Dense, from: merged, units: 4}\n"
    assert merged(HEAD + body, ["text", "image"]) == HEAD + after
