"""Imports: what they bring, where they may lead, and where they may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.api import check
from graphbuilder.blueprint import ImportLimits, load
from graphbuilder.errors import BlueprintError

BLOCKS = """\
blueprint: 1
blocks:
  wide:
    params: {units: 8}
    inputs: [x]
    nodes:
      dense: {layer: Dense, units: $units}
"""
MAIN = """\
blueprint: 1
imports: {{mine: {target}}}
inputs:
  x: {{shape: [4]}}
nodes:
  used: {{block: {block}}}
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".yaml").write_text(text)
    return folder / "main.yaml"


def test_a_block_of_another_file(tmp_path: Path) -> None:
    main = write(tmp_path, main=MAIN.format(target="./lib/blocks.yaml", block="mine.wide"), lib__blocks=BLOCKS)
    graph = check(main).graph
    assert graph is not None
    assert graph.layers["used.dense"].parameters == 40


def test_a_whole_file_as_a_block(tmp_path: Path) -> None:
    tower = "blueprint: 1\nparams: {units: 3}\ninputs:\n  x: {shape: [4]}\nnodes:\n  d: {layer: Dense, units: $units}\n"
    main = write(tmp_path, main=MAIN.format(target="tower.yaml", block="mine, units: 5"), tower=tower)
    graph = check(main).graph
    assert graph is not None
    assert graph.layers["used.d"].parameters == 25


def test_an_import_may_import(tmp_path: Path) -> None:
    middle = (
        "blueprint: 1\nimports: {deep: ../deep.yaml}\n"
        "blocks:\n  wide:\n    inputs: [x]\n    nodes:\n      b: {block: deep.wide}\n"
    )
    main = write(
        tmp_path, main=MAIN.format(target="lib/middle.yaml", block="mine.wide"), lib__middle=middle, deep=BLOCKS
    )
    graph = check(main).graph
    assert graph is not None
    assert list(graph.layers) == ["used.b.dense"]


def test_a_circle_is_told(tmp_path: Path) -> None:
    other = "blueprint: 1\nimports: {back: ./main.yaml}\n"
    main = write(tmp_path, main=MAIN.format(target="other.yaml", block="mine.x"), other=other)
    with pytest.raises(BlueprintError, match=r"GB211.*main\.yaml → other\.yaml → main\.yaml"):
        load(main)


@pytest.mark.parametrize("target", ["../secret.yaml", "/etc/passwd", "sub/../../secret.yaml"])
def test_nothing_outside_the_folder_is_read(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret.yaml").write_text(BLOCKS)
    folder = tmp_path / "shared"
    folder.mkdir()
    main = write(folder, main=MAIN.format(target=target, block="mine.wide"))
    with pytest.raises(BlueprintError, match=r"GB210.*lies outside"):
        load(main)


def test_a_link_does_not_lead_outside(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(BLOCKS)
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    main = write(folder, main=MAIN.format(target="link.yaml", block="mine.wide"))
    with pytest.raises(BlueprintError, match=r"GB210.*lies outside"):
        load(main)


def test_faults_in_an_import_are_told_there(tmp_path: Path) -> None:
    main = write(tmp_path, main=MAIN.format(target="blocks.yaml", block="mine.wide"), blocks=BLOCKS + "blokcs: {}\n")
    with pytest.raises(BlueprintError) as caught:
        load(main)
    (found,) = caught.value.diagnostics
    assert (found.file, found.position.line if found.position else 0) == (str(tmp_path / "blocks.yaml"), 8)


def test_a_fault_that_the_use_makes_is_told_at_the_use(tmp_path: Path) -> None:
    main = write(tmp_path, main=MAIN.format(target="blocks.yaml", block="mine.wide, units: 0"), blocks=BLOCKS)
    (found,) = check(main).diagnostics
    assert str(found) == (
        f"{main}:6:3: GB203 used.dense: units is 0, which $units gives; expected at least 1\n"
        f"  {tmp_path / 'blocks.yaml'}:7:36: inside block mine.wide"
    )


def test_a_chain_of_imports_is_limited(tmp_path: Path) -> None:
    files = {f"f{index}": f"blueprint: 1\nimports: {{next: ./f{index + 1}.yaml}}\n" for index in range(20)}
    main = write(tmp_path, main=MAIN.format(target="f0.yaml", block="mine.x"), **files, f20=BLOCKS)
    with pytest.raises(BlueprintError, match="GB405"):
        load(main)
    load(main, limits=ImportLimits(depth=30))
