"""What is done to find inputs that the check does not stand: targets, inputs to begin with, and changes of them.

A target takes bytes, and must end in a result or in one of graphbuilder's own errors.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from graphbuilder.api import check
from graphbuilder.blueprint import ExpressionError, evaluate, load_source
from graphbuilder.catalog.arguments import as_written
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.limits import raised
from graphbuilder.text import parse
from graphbuilder.text.fixing import fix_splice

__all__ = ["TARGETS", "changed", "corpus"]

ROOT = Path(__file__).resolve().parents[2]
# So that a fuzzed file that asks for much costs little: the limits themselves have tests of their own.
SMALL = {"nodes": 300, "repeat": 50, "values": 20_000, "block_depth": 8}

_WORDS = """
blueprint: 1|inputs:|nodes:|outputs:|params:|blocks:|imports:|training:|compression:|budget:|from: |
layer: Dense|layer: |op: |fuse: concat|block: std.mlp|reuse: |repeat: |when: |call: |wraps: |about: |shape: [|
dtype: int32|units: |$x|$(|$(x * 2)|$$|$(9**9**9)|null|true|.inf|1e999|-1|0|99999999999999999999|0x10|&a |*a|
!!python/object:os.system |!!binary |<<: |--- |... |? |- |{|}|[|]|,|: |#|'|"|\\|\t|\r\n|  |\n|\n  |\n    |
\x00|\xff|\ufeff|\ud800|é|日本|🙂|{constant: [1, 2]}|a.b.c|x.0|..|where: {nodes: |pass: prune|
{layer: LSTM, units: 4}|batch|{shape: [3]}|../../etc/passwd|std.|zoo.|keras:Layer|-0.0|nan
"""
TOKENS = [word.encode("utf-8", "surrogatepass") for word in _WORDS.replace("|\n", "|").strip("\n").split("|")]


@cache
def corpus() -> tuple[bytes, ...]:
    """Inputs to begin with: every shipped blueprint, and every one whose message is a golden one."""
    shipped = ROOT.glob("blueprints/**/*.yaml")
    wrong = (path for path in (ROOT / "tests" / "messages" / "cases").iterdir() if path.suffix in (".yaml", ".json"))
    return tuple(path.read_bytes() for path in sorted([*shipped, *wrong]))


def _judge(found: Sequence[Diagnostic], text: str) -> None:
    """Every diagnostic can be printed, and stands inside the text, and so does what it offers."""
    for item in found:
        assert item.code != "GB900"
        assert str(item)
        assert item.to_json()["code"] == item.code
        if item.file == "fuzzed.yaml":
            splice = fix_splice(item, text)
            assert splice is None or 0 <= splice.start <= splice.end <= len(text)


def read_and_check(data: bytes) -> None:
    """The whole way of a file: the text, the document, the walk."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    name = "fuzzed.json" if data[:1] == b"{" and len(data) % 2 else "fuzzed.yaml"
    with raised(SMALL):
        try:
            document = load_source(parse(data, name=name), None)
        except BlueprintError as error:
            _judge(error.diagnostics, text)
            return
        _judge(check(document).diagnostics, text)


def read_text(data: bytes) -> None:
    """The text alone, in both syntaxes."""
    for name in ("fuzzed.yaml", "fuzzed.json"):
        try:
            source = parse(data, name=name)
        except BlueprintError as error:
            _judge(error.diagnostics, data.decode("utf-8", "replace").removeprefix("\ufeff"))
        else:
            assert source.position(()).line >= 1
            assert as_written(source.data) is not None


def evaluate_expression(data: bytes) -> None:
    """One string with expressions."""
    text = data[:2_000].decode("utf-8", "replace")
    params = {"x": 3, "width": 64, "name": "relu", "sizes": [1, 2, 3], "flag": True, "rate": 0.5, "nothing": None}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for written in (text, f"$({text})"):
            with suppress(ExpressionError):
                evaluate(written, params)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "check": read_and_check,
    "text": read_text,
    "expression": evaluate_expression,
}


def changed(data: bytes, choose: random.Random) -> bytes:
    """An input with some changes: bytes and words put in, taken out, doubled and exchanged, lines moved."""
    changes = choose.choice([1, 1, 1, 2, 3, 6])
    for _ in range(changes):
        at = choose.randrange(len(data) + 1)
        end = min(len(data), at + choose.choice([1, 1, 2, 4, 8, 30]))
        kind = choose.randrange(7)
        if kind == 0:
            data = data[:at] + data[end:]
        elif kind == 1:
            data = data[:at] + choose.choice(TOKENS) + data[at:]
        elif kind == 2:
            data = data[:at] + choose.choice(TOKENS) + data[end:]
        elif kind == 3:
            data = data[:at] + data[at:end] * choose.choice([2, 3, 50]) + data[end:]
        elif kind == 4:
            data = data[:at] + bytes([choose.randrange(256)]) + data[end:]
        elif kind == 5:
            other = choose.choice(corpus())
            start = choose.randrange(len(other) + 1)
            data = data[:at] + other[start : start + choose.choice([5, 40, 400])] + data[end:]
        else:
            lines = data.split(b"\n")
            line = lines.pop(choose.randrange(len(lines)))
            lines.insert(choose.randrange(len(lines) + 1), line)
            data = b"\n".join(lines)
    return data
