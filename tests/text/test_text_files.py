"""From bytes and paths to text."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graphbuilder.errors import BlueprintError, Position
from graphbuilder.text import TextLimits, parse, read
from tests.text.support import Problems

DEFAULT = TextLimits()
SAVE = "hint: save the file as UTF-8"


def refusal(path: str | Path, limits: TextLimits = DEFAULT) -> str:
    with pytest.raises(BlueprintError) as caught:
        read(path, limits=limits)
    return str(caught.value)


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.yaml").write_text("a: é\n", "utf-8")
    Path("folder").mkdir()
    Path("folder", "inner.json").write_text('{"a": 1}')


def test_a_file_is_read_under_the_name_that_was_given(tmp_path: Path) -> None:
    assert read("model.yaml").name == "model.yaml"
    assert read(tmp_path / "model.yaml").data == {"a": "é"}
    assert read(Path("folder/inner.json")).syntax == "json"
    assert read("folder/inner.json", name="shown").name == "shown"
    with pytest.raises(BlueprintError, match=r"^shown: GB101 there is no such file"):
        read("modle.yaml", name="shown")


def test_what_cannot_be_read() -> None:
    assert refusal("modle.yaml") == "modle.yaml: GB101 there is no such file\n  hint: did you mean model.yaml?"
    assert refusal("folder/iner.json") == (
        "folder/iner.json: GB101 there is no such file\n  hint: did you mean folder/inner.json?"
    )
    assert refusal("xyz") == "xyz: GB101 there is no such file"
    assert refusal("no/xyz") == "no/xyz: GB101 the folder no does not exist"
    assert refusal("folder") == (
        "folder: GB101 this is a folder, not a file\n  hint: name a file in it, such as folder/inner.json"
    )
    assert refusal("model.yaml/x") == "model.yaml/x: GB101 the folder model.yaml does not exist"
    assert refusal("a\0b") == "a\0b: GB101 this is not a file's name"
    Path("loop").symlink_to("loop")
    assert refusal("loop").startswith("loop: GB101 the file cannot be read: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permissions() -> None:
    Path("model.yaml").chmod(0)
    assert refusal("model.yaml") == "model.yaml: GB101 the file may not be read: permission denied"


def test_a_large_file_is_refused_before_it_is_read() -> None:
    with Path("large.yaml").open("wb") as file:
        file.truncate(2**40)
    trusted = "--limit bytes=… raises it, for a file that you trust"
    hint = f"\n  hint: a blueprint holds the description of a network, not its weights; {trusted}"
    assert (
        refusal("large.yaml")
        == f"large.yaml: GB103 the file has 1,099,511,627,776 bytes; the limit is 16,777,216{hint}"
    )
    assert refusal("/dev/zero") == f"/dev/zero: GB103 the file is larger than 16,777,216 bytes{hint}"
    assert refusal("model.yaml", limits=TextLimits(bytes=5)).startswith("model.yaml: GB103 ")
    assert read("model.yaml", limits=TextLimits(bytes=6)).data == {"a": "é"}


def test_the_size_of_a_str_is_that_of_its_bytes() -> None:
    assert parse("é: 1", limits=TextLimits(bytes=5)).data == {"é": 1}
    with pytest.raises(BlueprintError, match="GB103"):
        parse("é: 1", limits=TextLimits(bytes=4))
    with pytest.raises(BlueprintError, match="GB103"):
        parse(b"ab: 1", limits=TextLimits(bytes=4))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: \xe9", f"m: GB102 the byte 0xE9 is not UTF-8\n  {SAVE}; the byte is é in Windows-1252"),
        (b"a: \x81", "m: GB102 the byte 0x81 is not UTF-8\n  hint: save the file as UTF-8"),
        ("a: 1".encode("utf-16"), "m: GB102 the file is UTF-16, not UTF-8\n  hint: save it as UTF-8"),
        ("blueprint: 1".encode("utf-16-le"), "m: GB102 the file is UTF-16, not UTF-8\n  hint: save it as UTF-8"),
        ("blueprint: 1".encode("utf-16-be"), "m: GB102 the file is UTF-16, not UTF-8\n  hint: save it as UTF-8"),
        ("a: 1".encode("utf-32"), "m: GB102 the file is UTF-32, not UTF-8\n  hint: save it as UTF-8"),
        (b"\x89HDF\r\n\x1a\n\0\0", "m: GB102 the file is binary, not text"),
        (b"PK\x03\x04\0\0", "m: GB102 the file is binary, not text"),
    ],
)  # fmt: skip
def test_what_is_not_utf_8(problems: Problems, content: bytes, expected: Any) -> None:
    (problem,) = problems(content, "m")
    assert str(problem).replace(f"{problem.place}:", "m:") == expected


def test_the_place_of_a_bad_byte(problems: Problems) -> None:
    (problem,) = problems("ä: 1\r\nb: ü".encode() + b"\xff")
    assert problem.position == Position(2, 5, 2, 5)
    (problem,) = problems(b"\xef\xbb\xbfa: \xff")
    assert problem.position == Position(1, 4, 1, 4)


def test_control_characters_are_refused_with_their_places(problems: Problems) -> None:
    found = problems("a: x\x07\nb: '\x1b'\n")
    assert [problem.place for problem in found] == ["model.yaml:1:5", "model.yaml:2:5"]
    assert str(found[0]) == (
        "model.yaml:1:5: GB102 the character U+0007 cannot stand in a text file\n"
        '  hint: remove it, or write it as "\\u0007" in a double-quoted string'
    )
    assert len(problems("\x07" * 1000)) == 10
    assert problems('{"a": "\x07"}', "m.json")[0].code == "GB102"


@pytest.mark.parametrize("name", ["m.yaml", "m.json"])
def test_a_byte_order_mark_is_not_part_of_the_text(name: str) -> None:
    for content in (b'\xef\xbb\xbf{"a": 1}', '\ufeff{"a": 1}'):
        source = parse(content, name=name)
        assert source.data == {"a": 1}
        assert source.text == '{"a": 1}'
        assert source.byte_order_mark
        assert source.position(("a",)) == Position(1, 7, 1, 8)


def test_the_text_keeps_its_line_breaks() -> None:
    Path("breaks.yaml").write_bytes(b"a: 1\r\nb: 2\rc: 3\n")
    assert read("breaks.yaml").text == "a: 1\r\nb: 2\rc: 3\n"


def test_the_garbage_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    with pytest.raises(BlueprintError):
        parse("[")
    assert gc.isenabled()
    gc.disable()
    try:
        parse("a: 1")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_importing_is_cheap() -> None:
    code = "import sys, graphbuilder.text; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    root = Path(__file__).parents[2]
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root).stdout
    for heavy in ("numpy", "pydantic", "networkx", "keras", "tensorflow", "textual"):
        assert f"'{heavy}'" not in loaded
