"""`graphbuilder merge`: branches merged in the file's own text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphbuilder.cli import merge
from graphbuilder.fusion import strategies
from tests.cli.conftest import Run

TEXT = """\
# A model of two inputs.
blueprint: 1
params: {units: 4}
inputs:
  image: {shape: [8, 8, 3], modality: image}
  text: {shape: [5], dtype: int32, modality: text}
nodes:
  map: {layer: Conv2D, from: image, filters: $units, kernel_size: 3}
  words: {layer: Embedding, from: text, input_dim: 10, output_dim: 4}
  code: {layer: GlobalAveragePooling1D}  # of the words
  # one number
  answer: {layer: Dense, units: 1}
outputs: answer
"""
AFTER = TEXT.replace(
    "  # one", "  merged: {fuse: concat, from: [map, code]}\n  # one"
)  # `answer` takes the node above, and that is the new one.
CHANGES = ["merged is added below code: concat of map, code", "answer now takes merged instead of code"]


@pytest.fixture(autouse=True)
def vqa(run: Run) -> None:
    """A file in the folder in which commands run."""
    Path("vqa.yaml").write_bytes(TEXT.encode())


def test_the_text_goes_to_stdout_and_what_was_done_to_stderr(run: Run) -> None:
    for more in ([], ["-o", "-"]):
        said = run("merge", "vqa.yaml", "map", "code", "--with", "concat", *more)
        assert (said.code, said.out) == (0, AFTER)
        assert said.err.splitlines() == [f"note: {change}" for change in CHANGES]
    assert Path("vqa.yaml").read_text() == TEXT
    assert len(list(Path().iterdir())) == 1


def test_a_file_is_written_and_replaced_only_when_asked(run: Run) -> None:
    words = ["merge", "vqa.yaml", "map", "code", "--with", "concat"]
    said = run(*words, "-o", "new/merged.yaml")
    assert (said.code, said.out) == (0, "new/merged.yaml written\n")
    assert Path("new/merged.yaml").read_text() == AFTER
    for existing in ("new/merged.yaml", "vqa.yaml"):
        said = run(*words, "-o", existing)
        assert said.code == 2
        assert said.err == f"graphbuilder: GB601 {existing} exists already\n  hint: --force replaces it\n"
    assert Path("vqa.yaml").read_text() == TEXT
    assert run(*words, "-o", "vqa.yaml", "--force").code == 0
    assert Path("vqa.yaml").read_text() == AFTER
    assert run("validate", "vqa.yaml", "--strict").code == 0


def test_in_place_keeps_every_byte_that_it_can(run: Run) -> None:
    Path("vqa.yaml").write_bytes(b"\xef\xbb\xbf" + TEXT.rstrip("\n").replace("\n", "\r\n").encode())
    said = run("merge", "vqa.yaml", "map", "code", "--with", "concat", "--in-place")
    assert (said.code, said.out) == (0, "vqa.yaml written\n")
    assert Path("vqa.yaml").read_bytes() == b"\xef\xbb\xbf" + AFTER.rstrip("\n").replace("\n", "\r\n").encode()


def test_options_names_and_consumers(run: Run) -> None:
    words = ["merge", "vqa.yaml", "map", "code", "--with", "concat", "--name", "both"]
    said = run(*words, "--option", "axis=-1", "--option", "align={map: pool}", "--into", "answer")
    assert said.code == 0
    assert "  both: {fuse: concat, from: [map, code], axis: -1, align: {map: pool}}\n" in said.out
    said = run(*words, "--only-add")
    assert "  answer: {layer: Dense, from: code, units: 1}\n" in said.out
    assert "note: nothing takes both yet" in said.err
    # A param that is set is set for the check alone.
    assert "params: {units: 4}" in run(*words, "--set", "units=5").out
    said = run(*words, "--set", "units=0")
    assert (said.code, said.out) == (1, "")
    assert "filters is 0" in said.err


def test_json(run: Run) -> None:
    words = ["merge", "vqa.yaml", "map", "code", "--with", "concat", "--format", "json"]
    assert json.loads(run(*words).out) == {"ok": True, "name": "merged", "changes": CHANGES, "text": AFTER}
    done = json.loads(run(*words, "--in-place").out)
    assert done == {"ok": True, "name": "merged", "changes": CHANGES, "written": "vqa.yaml"}
    refused = json.loads(run(*words, "--name", "map").out)
    assert (refused["ok"], refused["diagnostics"][0]["code"]) == (False, "GB206")


def test_a_json_file_stays_json(run: Run) -> None:
    assert run("convert", "vqa.yaml", "-o", "vqa.json").code == 0
    before = Path("vqa.json").read_text()
    assert run("merge", "vqa.json", "map", "code", "--with", "concat", "-o", "merged.json").code == 0
    after = Path("merged.json").read_text()
    assert json.loads(after)["nodes"]["merged"] == {"fuse": "concat", "from": ["map", "code"]}
    new = '    "merged": {"fuse": "concat", "from": ["map", "code"]},\n'
    assert after == before.replace('    "answer"', f'{new}    "answer"')


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["map", "codes", "--with", "add"], 2, "vqa.yaml: GB301 there is no node or input codes\n"),
        (["map", "--with", "add"], 2, "vqa.yaml: GB303 there is map alone to merge"),
        (["map", "code", "--with", "ad"], 2, "graphbuilder: GB205 ad is not a fusion\n  hint: did you mean add?"),
        (["map", "code", "--with", "add", "--name", "1st"], 2, "graphbuilder: GB206 1st is not a legal name"),
        (["map", "code", "--with", "add", "--option", "axis"], 2,
         "graphbuilder: GB603 --option axis is not of the form KEY=VALUE"),
        (["map", "code", "--with", "concat", "--option", "axis=1", "--option", "axis=2"], 2,
         "graphbuilder: GB603 --option axis is given twice"),
        (["map", "code", "--with", "add", "--option", "align={"], 2, "--option align:1:"),
        (["map", "code", "--with", "add", "--option", "axis=1"], 2,
         "graphbuilder: GB201 merged: add has no option axis"),
        (["map", "code", "--with", "add", "--into", "words"], 2,
         "vqa.yaml:9:3: GB303 words takes none of map and code\n  hint: what takes one of them: answer"),
        (["map", "code", "--with", "add", "--into", "answer", "--only-add"], 2,
         "graphbuilder: GB603 --only-add and --into contradict each other"),
        (["map", "code", "--with", "add", "--in-place", "-o", "x.yaml"], 2,
         "graphbuilder: GB603 both --in-place and -o x.yaml say where to write"),
        (["map", "code", "--with", "add", "-o", "x.json"], 2,
         "graphbuilder: GB603 vqa.yaml is YAML, and x.json would be read as JSON"),
        (["map", "code"], 2, "graphbuilder: GB603 the command does not say how to merge"),
        (["map", "code", "--list", "--with", "add"], 2,
         "graphbuilder: GB603 --list changes nothing, so --with says nothing beside it"),
        (["map", "code", "--list", "--in-place"], 2,
         "graphbuilder: GB603 --list changes nothing, so --in-place says nothing beside it"),
        (["map", "code", "--with", "concat", "--option", "align=none"], 1, "vqa.yaml: GB304 merged: "),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_written(run: Run, words: list[str], code: int, message: str) -> None:
    said = run("merge", "vqa.yaml", *words)
    assert said.code == code
    assert said.err.startswith(message), said.err
    assert said.out == ""
    assert [path.name for path in Path().iterdir()] == ["vqa.yaml"]
    assert Path("vqa.yaml").read_text() == TEXT


def test_a_wrong_file_is_told_as_validate_does(run: Run) -> None:
    Path("vqa.yaml").write_text(TEXT.replace("units: 1", "units: 0"))
    wrong = run("validate", "vqa.yaml").err
    for how in (["--with", "concat"], ["--list"]):
        said = run("merge", "vqa.yaml", "map", "code", *how)
        assert (said.code, said.err) == (1, wrong)


def test_the_list(run: Run) -> None:
    said = run("merge", "vqa.yaml", "map", "code", "--list")
    assert (said.code, said.err) == (0, "")
    titles, *lines = said.out.splitlines()
    assert titles.split() == ["fusion", "result", "parameters", "MACs", "adapters"]
    assert lines[0].split() == ["concat", "(batch,", "8)", "0", "0", "map:", "pool"]
    assert max(map(len, said.out.splitlines())) <= 80
    for name in strategies.names():
        assert any(line.split()[0] == name for line in lines if line and not line.startswith(" ")), name
    assert "(batch, 10)" in run("merge", "vqa.yaml", "map", "code", "--list", "--set", "units=6").out


def test_the_list_says_what_does_not_fit_and_why(run: Run) -> None:
    Path("vqa.yaml").write_text(TEXT.replace("dtype: int32", "dtype: string").split("  words")[0])
    said = run("merge", "vqa.yaml", "map", "text", "--list")
    assert said.code == 0
    assert said.out.startswith("no fusion fits map, text\n\nwhat does not fit\n")
    assert len(said.out.splitlines()) == 3 + len(strategies.names())


def test_the_list_as_json(run: Run) -> None:
    said = run("merge", "vqa.yaml", "map", "code", "--list", "--format", "json")
    listed = json.loads(said.out)
    assert listed["ok"] is True
    first = listed["fitting"][0]
    assert (first["fusion"], first["shape"], first["dtype"], first["parameters"], first["macs"]) == (
        "concat", ["batch", 8], "float32", 0, 0,
    )  # fmt: skip
    (adapter,) = first["branches"][0]["adapters"]
    assert (adapter["call"], adapter["written"], adapter["shape"]) == ("merged.map.pool", "pool", ["batch", 4])
    assert adapter["reason"]
    assert {each["fusion"] for each in listed["fitting"] + listed["unfit"]} == set(strategies.names())


DEEP = """\
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  stage:
    inputs: [x]
    nodes:
      main: {layer: Dense, units: 8}
      shortcut: {layer: Dense, from: x, units: 8}
      # behind both
      out: {layer: ReLU}
nodes:
  stages: {block: stage, repeat: 2}
"""


def test_inside_a_block(run: Run) -> None:
    Path("deep.yaml").write_text(DEEP)
    said = run("merge", "deep.yaml", "main", "shortcut", "--block", "stage", "--with", "add", "--name", "sum")
    assert (said.code, said.out) == (
        0, DEEP.replace("      # behind", "      sum: {fuse: add, from: [main, shortcut]}\n      # behind"),
    )  # fmt: skip
    assert said.err.splitlines() == [
        "note: sum is added below shortcut: add of main, shortcut", "note: out now takes sum instead of shortcut",
    ]  # fmt: skip
    listed = run("merge", "deep.yaml", "main", "shortcut", "--block", "stage", "--list")
    assert listed.code == 0
    assert listed.out.splitlines()[2].split()[:3] == ["add", "(batch,", "8)"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ["main", "shortcut", "--block", "stag"],
            2,
            "deep.yaml: GB205 stag is no block of this file\n  hint: did you mean stage?\n",
        ),
        (["main", "stages", "--block", "stage"], 2, "GB301 there is no node or input stages in block stage"),
        (
            ["main", "shortcut"],
            2,
            "hint: main stands inside the block stage; `merge --block stage` merges the nodes in it",
        ),
    ],
)
def test_what_is_no_part_of_a_block_is_refused(run: Run, words: list[str], code: int, message: str) -> None:
    Path("deep.yaml").write_text(DEEP)
    said = run("merge", "deep.yaml", *words, "--with", "add", "--in-place")
    assert said.code == code
    assert message in said.err
    assert Path("deep.yaml").read_text() == DEEP


def test_every_example_of_the_help_is_a_command_line(run: Run) -> None:
    text = TEXT.replace("image: {", "photo: {").replace("from: image", "from: photo").replace("  map:", "  image:")
    text = text.replace("text: {", "question: {").replace("from: text", "from: question").replace("  code:", "  text:")
    Path("vqa.yaml").write_text(text)
    Path("deep.yaml").write_text(DEEP)
    examples = merge.EPILOG.partition(": ")[2].split("; ")
    assert len(examples) == 5
    for example in examples:
        said = run(*example.split()[1:])
        assert said.code == 0, (example, said.err)


def test_the_help_fits_and_has_examples(run: Run) -> None:
    said = run("merge", "--help")
    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= 80
    assert said.out.partition("  Examples:\n")[2].startswith("    graphbuilder merge ")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("graphbuilder merge vqa.yaml ma", ["map"]),
        ("graphbuilder merge vqa.yaml map co", ["code"]),
        ("graphbuilder merge vqa.yaml map code --with con", ["concat"]),
        ("graphbuilder merge vqa.yaml map code --into ans", ["answer"]),
        ("graphbuilder merge nowhere.yaml ma", []),
        ("graphbuilder merge deep.yaml --block st", ["stage"]),
        ("graphbuilder merge deep.yaml --block stage ma", ["main"]),
        ("graphbuilder merge deep.yaml --block lost ma", []),
        ("graphbuilder merge nowhere.yaml --block st", []),
    ],
)
def test_completion(run: Run, monkeypatch: pytest.MonkeyPatch, words: str, offered: list[str]) -> None:
    Path("deep.yaml").write_text(DEEP)
    monkeypatch.setenv("_GRAPHBUILDER_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert run().out.split() == offered
