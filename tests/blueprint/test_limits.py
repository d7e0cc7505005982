"""Every limit is held, says how it is raised, and is raised so: from Python, by the option, and by the variable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graphbuilder.api import check, load
from graphbuilder.cli.app import main
from graphbuilder.errors import CommandError
from graphbuilder.limits import LIMITS, VARIABLE, limit, parse_limits, raised

HEAD = "blueprint: 1\ninputs: {x: {shape: [8]}}\n"
NODES = "nodes:\n  a: {layer: Dense, units: 8}\n  b: {layer: Dense, units: 8}\n  c: {layer: Dense, units: 8}\n"
BLOCKS = (
    "blocks:\n  one: {inputs: [x], nodes: {in: {block: two}}}\n"
    "  two: {inputs: [x], nodes: {d: {layer: Dense, units: 8}}}\n"
)
IMPORTS = "imports: {it: ./next.yaml, other: ./other.yaml}\n"

# Of each limit: a file, the value under which it is refused, and one under which it is taken.
CASES = {
    "bytes": (HEAD + NODES, 100, 1_000),
    "nesting": ("blueprint: 1\nparams: {p: [[[[1]]]]}\n" + HEAD.partition("\n")[2] + NODES, 3, 6),
    "values": (
        "blueprint: 1\nparams: {p: &p [1, 2, 3, 4], q: [*p, *p, *p]}\n" + HEAD.partition("\n")[2] + NODES,
        35,
        60,
    ),
    "digits": (HEAD + NODES.replace("units: 8", "units: 00000000000000000000008"), 20, 30),
    "imports": (IMPORTS + HEAD + NODES, 2, 3),
    "import_depth": (IMPORTS + HEAD + NODES, 2, 3),
    "nodes": (HEAD + NODES, 2, 3),
    "repeat": (HEAD + BLOCKS + "nodes: {a: {block: one, repeat: 5}}\n", 4, 5),
    "block_depth": (HEAD + BLOCKS + "nodes: {a: {block: one}}\n", 1, 2),
    "elements": (HEAD + NODES, 63, 64),
    "parameters": (HEAD + NODES, 215, 216),
    "expression": (HEAD + 'nodes: {a: {layer: Dense, units: "$(1 + 2 + 3 + 4)"}}\n', 10, 20),
    "magnitude": (HEAD + 'nodes: {a: {layer: Dense, units: "$(50 * 50 // 50)"}}\n', 2_000, 2_500),
    "items": (HEAD + "nodes: {a: {layer: Dense, units: \"$(len('x' * 12))\"}}\n", 11, 12),
}


@pytest.fixture
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "asking.yaml"
    path.write_text(CASES[request.param][0])
    (tmp_path / "next.yaml").write_text("blueprint: 1\nimports: {deeper: ./deeper.yaml}\nblocks: {}\n")
    for name in ("deeper.yaml", "other.yaml"):
        (tmp_path / name).write_text("blueprint: 1\nblocks: {}\n")
    return path


each = pytest.mark.parametrize(("name", "file"), [(name, name) for name in CASES], indirect=["file"])


def test_every_limit_is_tried() -> None:
    assert set(CASES) == set(LIMITS)


@each
def test_it_is_held_and_raised(name: str, file: Path) -> None:
    _, low, high = CASES[name]
    found = check(file, limits={name: low}).errors
    assert [item.code for item in found] in ([LIMITS[name].code], [LIMITS[name].code] * 2, [LIMITS[name].code] * 3)
    assert f"--limit {name}=" in (found[0].hint or "")
    assert check(file, limits={name: high}).errors == ()
    assert limit(name) == LIMITS[name].default


@each
def test_the_option_and_the_variable_do_the_same(
    name: str, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, low, high = CASES[name]
    assert main(["validate", str(file), "--limit", f"{name}={low}"]) == 1
    assert LIMITS[name].code in capsys.readouterr().err
    assert VARIABLE not in os.environ
    monkeypatch.setenv(VARIABLE, f"{name}={low}")
    assert main(["validate", str(file)]) == 1
    assert main(["validate", str(file), "--limit", f"{name}={high}"]) == 0
    assert os.environ[VARIABLE] == f"{name}={low}"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("nodse=5", "GB603 --limit nodse=5: there is no limit nodse\n  hint: did you mean nodes?"),
        ("nodes", "GB603 --limit nodes gives nodes no number; expected a number, such as nodes=200000"),
        ("nodes=many", "GB603 --limit nodes=many gives nodes no number; expected a number, such as nodes=200000"),
        ("nodes=0", "GB603 --limit nodes=0: nodes is 0; expected at least 1"),
        ("nesting=1M", "GB603 --limit nesting=1M: nesting is 1,000,000; expected at least 1, and at most 1,000"),
    ],
)
def test_a_wrong_limit_is_told(setting: str, said: str, capsys: pytest.CaptureFixture[str], root: Path) -> None:
    assert main(["validate", str(root / "blueprints" / "cnn.yaml"), "--limit", setting]) == 2
    assert capsys.readouterr().err == f"graphbuilder: {said}\n"


def test_a_limit_that_is_not_known_is_refused_from_python() -> None:
    with pytest.raises(CommandError, match="there is no limit knots"):
        load("blueprints/cnn.yaml", limits={"knots": 3})


def test_limits_within_limits() -> None:
    with raised({"nodes": 5, "repeat": 6}), raised({"nodes": 7}):
        assert (limit("nodes"), limit("repeat")) == (7, 6)
    assert parse_limits(["bytes=2G", "nodes=1_0"]) == {"bytes": 2 * 10**9, "nodes": 10}
