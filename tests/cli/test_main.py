"""Exit codes, messages about the command line, help, completion, and ends before the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphbuilder.cli import convert, export, layers, new, resolve, schema, show
from tests.cli.conftest import Run

COMMANDS = ["new", "validate", "show", "analyze", "diff", "compile", "layers", "schema", "convert", "resolve", "export"]


def process(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "graphbuilder", *words],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_done_is_0(run: Run, blueprints: Path) -> None:
    assert run("validate", blueprints / "cnn.yaml").code == 0


@pytest.mark.parametrize("command", ["validate", "show", "convert", "resolve"])
def test_a_wrong_blueprint_is_1(run: Run, command: str) -> None:
    Path("wrong.yaml").write_text("blueprint: 1\nnodes: [\n")
    said = run(command, "wrong.yaml")
    assert said.code == 1
    assert said.err.startswith("wrong.yaml:")
    assert "Traceback" not in said.err


@pytest.mark.parametrize("command", ["validate", "show", "compile", "convert", "resolve"])
def test_a_file_that_is_not_there_is_1(run: Run, command: str) -> None:
    said = run(command, "nowhere.yaml", *(["-o", "x.keras"] if command == "compile" else []))
    assert (said.code, said.err.splitlines()[0]) == (1, "nowhere.yaml: GB101 there is no such file")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["shwo"], "no such command 'shwo'", "did you mean show?"),
        (["show"], "missing argument 'FILE'", "`graphbuilder show --help` says how it is used"),
        (["show", "--dept", "1", "x.yaml"], "there is no option --dept", "did you mean --depth?"),
        (["show", "--format", "xml", "x.yaml"], "'xml' is not one of 'text', 'json'", "`graphbuilder show --help`"),
        (["show", "--depth", "-1", "x.yaml"], "invalid value for '--depth'", "`graphbuilder show --help`"),
        (["show", "--set", "width", "x.yaml"], "--set width is not of the form NAME=VALUE", ""),
        (["new", "transfomer"], "transfomer is not a shipped blueprint", "did you mean transformer?"),
        (["layers", "Conv2"], "Conv2 is not a layer, op, fusion or block", "did you mean one of Conv2D, "),
        (["layers", "--family", "recurent"], "there is no family recurent", "did you mean recurrent?"),
        (["layers", "Lambda"], "Lambda cannot be used: it holds code", ""),
    ],
)
def test_a_wrong_command_line_is_2(run: Run, words: list[str], message: str, hint: str) -> None:
    said = run(*words)
    assert said.code == 2
    assert said.err.startswith("graphbuilder: GB603 ")
    assert message in said.err
    assert hint in said.err
    assert said.out == ""


def test_a_setting_that_cannot_be_read_is_2(run: Run) -> None:
    said = run("show", "--set", "width=[1", "x.yaml")
    assert said.code == 2
    assert said.err.startswith("--set width:1:")


def test_a_wrong_command_line_is_told_to_machines(run: Run) -> None:
    said = run("show", "--format", "json", "--colour", "x.yaml")
    assert said.code == 2
    assert json.loads(said.out)["diagnostics"][0]["message"] == "there is no option --colour"


def test_no_command_gives_the_help_and_2(run: Run) -> None:
    said = run()
    assert said.code == 2
    assert "Commands:" in said.err


def test_what_the_environment_lacks_is_3(run: Run) -> None:
    Path("file").write_text("")
    said = run("new", "cnn", "file/cnn.yaml")
    assert (said.code, said.err.splitlines()[0]) == (
        3,
        "graphbuilder: GB602 file/cnn.yaml cannot be written: Not a directory",
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_3(blueprints: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "graphbuilder", "show", str(blueprints / "cnn.yaml")],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stderr) == (3, b"graphbuilder: GB602 the output: No space left on device\n")


def test_a_bug_is_4(run: Run, blueprints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("graphbuilder.api.check", fail)
    said = run("show", blueprints / "cnn.yaml")
    assert said.code == 4
    assert "GB900 graphbuilder met a bug of its own: ZeroDivisionError: division by zero" in said.err
    assert "GRAPHBUILDER_TRACEBACK=1" in said.err


def test_ctrl_c_is_130(run: Run, blueprints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("graphbuilder.api.check", interrupt)
    said = run("show", blueprints / "cnn.yaml")
    assert (said.code, said.err) == (130, "interrupted; nothing was left half-written\n")


def test_ctrl_c_leaves_no_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    assert run("new", "cnn").code == 130
    assert list(Path().iterdir()) == []


def test_a_closed_pipe_is_no_failure(blueprints: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        for words in (["show", str(blueprints / "cnn.yaml")], ["--help"]):
            done = subprocess.run(
                [sys.executable, "-m", "graphbuilder", *words],
                stdout=closed,
                stderr=subprocess.PIPE,
                timeout=120,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, b"")


def test_a_poor_encoding_changes_the_drawing_and_no_data(blueprints: Path) -> None:
    shown = process("show", str(blueprints / "cnn.yaml"), PYTHONIOENCODING="ascii")
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[0] == b"cnn: Classifies 64?64 colour images into ten classes."
    assert b"\no  image " in shown.stdout
    assert b"\n@  scores " in shown.stdout
    converted = process("convert", str(blueprints / "cnn.yaml"), PYTHONIOENCODING="ascii")
    assert json.loads(converted.stdout)["description"] == "Classifies 64×64 colour images into ten classes."


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_a_paragraph_and_an_example_on_each_line(run: Run, command: str) -> None:
    said = run(command, "--help")
    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= 80
    _, _, examples = said.out.partition("  Examples:\n")
    assert examples
    assert all(line.startswith(f"    graphbuilder {command}") for line in examples.splitlines())
    assert "TODO" not in said.out


def test_every_example_of_the_help_is_a_command_line(run: Run) -> None:
    for module in (new, show, layers, schema, convert, resolve, export):
        for example in module.EPILOG.partition(": ")[2].split("; "):
            words = example.split(" > ")[0].split()[1:]
            if "--weights" in words:
                # It takes a trained model: tests/backend/test_exporting.py makes one.
                continue
            reading = words[0] in ("show", "convert", "resolve", "export")
            if reading and any(word.endswith((".yaml", ".json")) for word in words):
                run("new", "resnet50", "resnet50.yaml", "--force")
                run("new", "cnn", "cnn.yaml", "--force")
                run("convert", "cnn.yaml", "-o", "cnn.json", "--force")
                words += [] if words[0] == "show" or "-o" not in words else ["--force"]
            said = run(*words)
            assert said.code == 0, (example, said.err)


def test_version(run: Run) -> None:
    assert run("--version").out.startswith("graphbuilder ")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("graphbuilder sch", ["schema"]),
        ("graphbuilder layers Conv2", ["Conv2D", "Conv2DTranspose"]),
        ("graphbuilder layers std.ml", ["std.mlp"]),
        ("graphbuilder new transf", ["transfer_learning", "transformer"]),
        ("graphbuilder show --no-d", ["--no-drawing"]),
        ("graphbuilder show m", ["model.json", "model.yaml"]),
        # A folder begins so too: the shell goes on by itself.
        ("graphbuilder show fo", []),
    ],
)
def test_the_shell_completes(run: Run, monkeypatch: pytest.MonkeyPatch, words: str, offered: list[str]) -> None:
    Path("folder").mkdir()
    for name in ("model.yaml", "model.json", "model.keras", "fort.yaml"):
        Path(name).touch()
    monkeypatch.setenv("_GRAPHBUILDER_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    said = run()
    assert said.code == 0
    assert said.out.split() == offered


def test_completion_can_be_installed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    # Which shell it is follows from the processes around this one, which may be a bare `sh` that has no completion.
    monkeypatch.setattr("shellingham.detect_shell", lambda *_: ("bash", "/bin/bash"))
    said = run("--install-completion")
    assert said.code == 0, said.err
    assert "_GRAPHBUILDER_COMPLETE" in (tmp_path / ".bash_completions" / "graphbuilder.sh").read_text()


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphbuilder.cli.output import colour

    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert colour(Terminal())
    assert not colour(object())
    monkeypatch.setenv("TERM", "dumb")
    assert not colour(Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colour(Terminal())
