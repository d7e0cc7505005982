"""`validate` for CI, and `validate --fix`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graphbuilder.cli.ci_formats import github_lines, sarif
from graphbuilder.errors import CODES, Diagnostic, Position, Related, Severity
from graphbuilder.text import parse
from tests.cli.conftest import Run

WRONG = """\
blueprint: 1   # mine
inputs: {"x": {shape: [28, 28, 1]}}
nodes:
  a: {layer: nn.Conv2d, in_channels: 1, out_channels: 8, kernel: 3}   # from elsewhere
  b: {layer: ReLU6}
  c: {layer: Flaten}
  d: {layer: Linear, out_features: 10, form: c}
outputs: dd
"""
MENDED = """\
blueprint: 1   # mine
inputs: {"x": {shape: [28, 28, 1]}}
nodes:
  a: {layer: Conv2D, filters: 8, kernel_size: 3}   # from elsewhere
  b: {layer: ReLU, max_value: 6.0}
  c: {layer: Flatten}
  d: {layer: Dense, units: 10, from: c}
outputs: d
"""


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG)
    return path


def test_github_annotations(run: Run, wrong: Path) -> None:
    said = run("validate", "wrong.yaml", "--format", "github")
    assert said.code == 1
    assert said.err == ""
    assert said.out.splitlines()[2] == (
        "::error file=wrong.yaml,line=6,endLine=6,col=14,endColumn=20,title=GB205 c::"
        "Flaten is not a layer%0Ahint: did you mean Flatten?"
    )


def test_github_escapes() -> None:
    item = Diagnostic("GB203", "100% of a\r\nb", Severity.WARNING, "a:b,c%.yaml", Position(1, 2, 3, 4), node="x")
    assert github_lines([item]) == [
        "::warning file=a%3Ab%2Cc%25.yaml,line=1,endLine=3,title=GB203 x::100%25 of a%0D%0Ab"
    ]


def test_a_command_line_that_is_wrong_is_an_annotation_too(run: Run) -> None:
    said = run("validate", "--format", "github", "--nope")
    assert said.code == 2
    assert said.out.startswith("::error title=GB603::there is no option --nope%0A")


def test_sarif_log(run: Run, wrong: Path) -> None:
    said = run("validate", "wrong.yaml", "--format=sarif")
    assert said.code == 1
    log = json.loads(said.out)
    _is_sarif(log)
    results = log["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["GB205", "GB205", "GB205", "GB205", "GB301"]
    third = results[2]
    place = third["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "wrong.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 6, "startColumn": 14, "endLine": 6, "endColumn": 20}
    replacement = third["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert replacement == {"deletedRegion": place["region"], "insertedContent": {"text": "Flatten"}}


def test_sarif_of_every_golden_message(root: Path) -> None:
    from tests.messages.test_messages import WRONG as CASES
    from tests.messages.test_messages import diagnostics_of

    found = [item for path in CASES for item in diagnostics_of(path)]
    _is_sarif(json.loads(json.dumps(sarif(found, "1.2.3"))))


def test_sarif_of_places_elsewhere() -> None:
    related = (Related("inside", "<std.mlp>", Position(1, 1, 1, 2)), Related("there", "a b.yaml", Position(2, 1, 2, 2)))
    item = Diagnostic("GB205", "x", file="/tmp/a b.yaml", position=Position(1, 1, 1, 1), related=related)
    result = sarif([item], "1")["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///tmp/a%20b.yaml"}
    elsewhere = [place["physicalLocation"]["artifactLocation"]["uri"] for place in result["relatedLocations"]]
    assert elsewhere == ["a%20b.yaml"]


def test_sarif_quotes_fixes_of_json_files(run: Run, tmp_path: Path) -> None:
    text = '{"blueprint": 1, "inputs": {"x": {"shape": [8]}}, "nodes": {"a": {"layer": "Dens", "units": 3}}}\n'
    (tmp_path / "wrong.json").write_text(text)
    log = json.loads(run("validate", "wrong.json", "--format", "sarif").out)
    replacement = log["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert replacement["insertedContent"] == {"text": '"Dense"'}


def _is_sarif(log: dict[str, Any]) -> None:
    """What SARIF 2.1.0 demands of the parts that are used."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (one,) = log["runs"]
    rules = one["tool"]["driver"]["rules"]
    assert one["tool"]["driver"]["name"] == "graphbuilder"
    assert one["columnKind"] in ("unicodeCodePoints", "utf16CodeUnits")
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["id"] in CODES and rule["shortDescription"]["text"] for rule in rules)
    for result in one["results"]:
        assert set(result) <= {
            "ruleId", "ruleIndex", "level", "message", "locations", "relatedLocations", "fixes",
        }  # fmt: skip
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"]
        places = [*result.get("locations", ()), *result.get("relatedLocations", ())]
        changes = [change for fix in result.get("fixes", ()) for change in fix["artifactChanges"]]
        regions = [place["physicalLocation"].get("region") for place in places]
        regions += [replacement["deletedRegion"] for change in changes for replacement in change["replacements"]]
        for region in regions:
            if region is not None:
                start, end = (region["startLine"], region["startColumn"]), (region["endLine"], region["endColumn"])
                assert (1, 1) <= start <= end
                assert region["startColumn"] >= 1
        artifacts = [place["physicalLocation"]["artifactLocation"] for place in places]
        for artifact in [*artifacts, *(change["artifactLocation"] for change in changes)]:
            assert " " not in artifact["uri"]
            assert "\\" not in artifact["uri"]
            assert artifact["uri"].startswith("file:///") or artifact["uriBaseId"] == "%SRCROOT%"
        for fix in result.get("fixes", ()):
            assert fix["description"]["text"]


def test_fixes_are_made_and_shown(run: Run, wrong: Path) -> None:
    said = run("validate", "wrong.yaml", "--fix")
    assert wrong.read_text() == MENDED
    assert said.code == 0
    assert said.err == "wrong.yaml: 10 fixes made\n"
    lines = said.out.splitlines()
    assert lines[:2] == ["--- wrong.yaml (before)", "+++ wrong.yaml"]
    assert "-  c: {layer: Flaten}" in lines
    assert "+  c: {layer: Flatten}" in lines
    assert lines[-1] == "wrong.yaml: ok, 4 nodes, 54,170 parameters"


def test_fixes_keep_stdout_for_machines(run: Run, wrong: Path) -> None:
    said = run("validate", "wrong.yaml", "--fix", "--format", "json")
    assert json.loads(said.out) == {"ok": True, "diagnostics": []}
    assert "+  c: {layer: Flatten}" in said.err


def test_what_offers_no_fix_stays(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  a: {layer: Dense, units: 0}\n")
    before = path.stat().st_mtime_ns
    said = run("validate", "other.yaml", "--fix")
    assert (said.code, said.out) == (1, "")
    assert path.stat().st_mtime_ns == before


def test_a_file_that_is_no_text_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "picture.yaml").write_bytes(b"\x89PNG\r\n\xff\xfe")
    said = run("validate", "picture.yaml", "missing.yaml", "--fix")
    assert said.code == 1
    assert [line.split()[1] for line in said.err.splitlines() if not line.startswith(" ")] == ["GB102", "GB101"]


def test_what_was_mended_is_read_again(wrong: Path) -> None:
    assert parse(MENDED).data["outputs"] == "d"
