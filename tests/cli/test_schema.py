"""`graphbuilder schema`: where the JSON Schema goes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_it_is_printed_the_same_every_time(run: Run, root: Path) -> None:
    said = run("schema")
    assert said.code == 0
    assert json.loads(said.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert said.out == run("schema").out
    assert said.out == (root / "docs" / "blueprint.schema.json").read_text("utf-8")


def test_it_is_written_and_how_to_use_it_is_said(run: Run) -> None:
    said = run("schema", "-o", "blueprint.schema.json")
    assert said.code == 0
    assert "# yaml-language-server: $schema=blueprint.schema.json" in said.out
    assert json.loads(Path("blueprint.schema.json").read_text("utf-8"))
    assert run("schema", "-o", "blueprint.schema.json").code == 2
    assert run("schema", "-o", "blueprint.schema.json", "--force").code == 0
