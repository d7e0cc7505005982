"""What the pages show is true: blueprints check, messages are exact, commands and links exist, examples run."""

from __future__ import annotations

import doctest
import itertools
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from graphbuilder.api import Checked, check, load
from graphbuilder.blueprint import expressions, schema
from graphbuilder.cli.app import app, main
from graphbuilder.limits import LIMITS
from tests.docs.pages import PAGES, ROOT, Block, Page

FORMAT = next(page for page in PAGES if page.path.name == "format.md")

# Where docs/format.md lists the keys of each part.
SECTIONS: dict[Any, str] = {
    schema.Blueprint: "The file",
    schema.Param: "Params",
    schema.InputSpec: "Inputs",
    schema.LayerNode: "Nodes",
    schema.OpNode: "Nodes",
    schema.FuseNode: "Nodes",
    schema.BlockNode: "Nodes",
    schema.ReuseNode: "Nodes",
    schema.TrainedPart: "Trainable",
    schema.Block: "Blocks",
    schema.PortSpec: "Blocks",
    schema.Training: "Training",
    schema.PassSpec: "Compression",
    schema.BudgetSpec: "Budget",
}

# What a fragment may leave out, for it is about something else.
REST: dict[str, Any] = {
    "blueprint": 1,
    "inputs": {"x": {"shape": [8, 4]}},
    "nodes": {"dense": {"layer": "Dense", "units": 1}},
}


def _blocks(*languages: str) -> list[Any]:
    return [
        pytest.param(block, id=block.place) for page in PAGES for block in page.blocks if block.language in languages
    ]


def _page_of(block: Block) -> Page:
    return next(page for page in PAGES if page.name == block.place.partition(":")[0])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that holds the shipped blueprints, as `graphbuilder new` writes them."""
    for path in (ROOT / "blueprints").glob("*.yaml"):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write_files(page: Page) -> None:
    """Writes the blocks of a page that a marker gives a file name."""
    for block in page.blocks:
        if block.language in ("yaml", "json") and block.name is not None:
            path = Path(block.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def _checked(block: Block) -> Checked:
    _write_files(_page_of(block))
    path = Path(block.name or f"example.{block.language}")
    text = block.text
    if block.marker == "fragment":
        missing = {key: value for key, value in REST.items() if not re.search(rf"^{key}:", text, re.MULTILINE)}
        text += yaml.safe_dump(missing) if missing else ""
    path.write_text(text, encoding="utf-8")
    return check(str(path))


@pytest.mark.parametrize("block", _blocks("yaml", "json"))
@pytest.mark.usefixtures("folder")
def test_blueprint_is_as_it_claims(block: Block) -> None:
    if block.name is not None and not re.search(r"nodes\"?:", re.sub(r"(?m)^ .*", "", block.text)):
        # A file of blocks alone is no model; that it reads is all there is to it.
        _write_files(_page_of(block))
        load(block.name)
        return
    checked = _checked(block)
    messages = "\n".join(str(found) for found in checked.diagnostics)
    if block.marker == "wrong":
        assert not checked.ok, "it is right"
    else:
        assert checked.ok, messages
        assert not checked.warnings, messages


def _told() -> list[Any]:
    """The wrong blueprints, each with the message that the page shows right below it."""
    return [
        pytest.param(block, after.text, id=block.place)
        for page in PAGES
        for block, after in itertools.pairwise(page.blocks)
        if block.marker == "wrong" and after.language == "text"
    ]


@pytest.mark.parametrize(("block", "told"), _told())
@pytest.mark.usefixtures("folder")
def test_message_is_the_real_one(block: Block, told: str) -> None:
    found = "\n".join(str(diagnostic) for diagnostic in _checked(block).diagnostics)
    assert found + "\n" == told


def test_some_messages_are_shown() -> None:
    assert _told()


def _commands() -> Iterator[Any]:
    for page in PAGES:
        for block in page.blocks:
            if block.language == "sh":
                for line in block.text.splitlines():
                    words = shlex.split(line, comments=True)
                    if words and Path(words[0]).name in ("graphbuilder", "make"):
                        yield pytest.param(words, id=f"{block.place} {' '.join(words)}")


@pytest.mark.parametrize("words", list(_commands()))
def test_command_exists(words: list[str]) -> None:
    program, *arguments = words
    if program == "make":
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
        assert {word for word in arguments if "=" not in word} <= targets
        return
    group: Any = typer.main.get_command(app)
    arguments = arguments[: next((at for at, word in enumerate(arguments) if word in (">", "|", "2>")), None)]
    if arguments[0].startswith("-"):
        known = {option for parameter in group.params for option in parameter.opts}
        assert arguments[0] in {*known, "--help", "-h"}
        return
    name, *rest = arguments
    assert name in group.commands, f"there is no command {name}"
    group.commands[name].make_context(name, rest)


def _mentioned() -> list[str]:
    """The commands that the pages and the messages on them speak of."""
    texts = [page.path.read_text(encoding="utf-8") for page in PAGES]
    return sorted({found for text in texts for found in re.findall(r"`graphbuilder ([^`]+)`", text)})


@pytest.mark.parametrize("command", _mentioned())
def test_mentioned_command_exists(command: str) -> None:
    group: Any = typer.main.get_command(app)
    name, *rest = shlex.split(command)
    known = group if name.startswith("-") else group.commands[name]
    options = {option for parameter in known.params for option in parameter.opts}
    assert {word for word in [name, *rest] if word.startswith("-")} <= options | {"--help"}


def _sessions() -> list[Any]:
    """The commands that need no TensorFlow, each with the output that the page shows right below it."""
    return [
        pytest.param(shlex.split(block.text)[1:], after.text, id=f"{block.place} {block.text.strip()}")
        for page in PAGES
        for block, after in itertools.pairwise(page.blocks)
        if block.language == "sh"
        and after.language == "text"
        and re.match(r"graphbuilder (validate|show)\b", block.text)
    ]


@pytest.mark.parametrize(("arguments", "told"), _sessions())
@pytest.mark.usefixtures("folder")
def test_output_is_the_real_one(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    for page in PAGES:
        _write_files(page)
    main(arguments)
    shown = capsys.readouterr()
    assert shown.err + shown.out == told


def test_shown_blueprints_are_the_shipped_ones() -> None:
    readme = next(page for page in PAGES if page.name == "README.md")
    shown = next(block for block in readme.blocks if block.name == "cnn.yaml")
    shipped = (ROOT / "blueprints" / "cnn.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(shown.text) == yaml.safe_load(shipped)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_resolve(page: Page) -> None:
    for target in page.links():
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.path.parent / file).resolve() if file else page.path
        assert path.exists(), f"{page}: {target}"
        if anchor:
            other = next(each for each in PAGES if each.path == path)
            assert anchor in other.anchors(), f"{page}: {target}"


def _examples(slow: bool) -> list[Any]:
    return [
        pytest.param(page, id=page.name)
        for page in PAGES
        if any(block.language == "python" and ">>>" in block.text and _is_slow(block) is slow for block in page.blocks)
    ]


def _is_slow(block: Block) -> bool:
    return block.marker == "slow"


def _run_examples(page: Page, slow: bool) -> None:
    """Runs a page's examples in one namespace, as a reader who types them would."""
    _write_files(page)
    names: dict[str, Any] = {}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for block in page.blocks:
        if block.language != "python" or ">>>" not in block.text or (_is_slow(block) and not slow):
            continue
        text = textwrap.dedent(block.text)
        test = doctest.DocTestParser().get_doctest(text, names, block.place, page.name, 0)
        told: list[str] = []
        runner.run(test, out=told.append, clear_globs=False)
        assert not told, "".join(told)
        names.update(test.globs)


@pytest.mark.parametrize("page", _examples(slow=False))
@pytest.mark.usefixtures("folder")
def test_examples_without_tensorflow_run(page: Page) -> None:
    _run_examples(page, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", _examples(slow=True))
@pytest.mark.usefixtures("folder")
def test_examples_with_tensorflow_run(page: Page) -> None:
    _run_examples(page, slow=True)


@pytest.mark.parametrize("model", SECTIONS, ids=lambda model: model.__name__)
def test_format_lists_every_key(model: Any) -> None:
    keys = {info.alias or name for name, info in model.model_fields.items()}
    assert keys <= FORMAT.rows(SECTIONS[model])


def test_every_part_of_the_schema_has_its_section() -> None:
    parts = {name for name in schema.__all__ if isinstance(getattr(schema, name), type)}
    assert parts == {model.__name__ for model in SECTIONS}


def test_format_lists_no_key_that_is_not_there() -> None:
    for title in set(SECTIONS.values()):
        models = [model for model, section in SECTIONS.items() if section == title]
        keys = {info.alias or name for model in models for name, info in model.model_fields.items()}
        assert FORMAT.rows(title) <= {*keys, "description"}, title


def _shown(value: int) -> str:
    return {16 * 2**20: "16 MiB", 2**31: "2^31", 2**63: "2^63"}.get(value, f"{value:,}")


def test_format_states_the_limits() -> None:
    text = "\n".join(line for line in FORMAT.section("Limits") if line.startswith("|"))
    for name, limit in LIMITS.items():
        assert f"| `{name}` | {limit.about} | {_shown(limit.default)} | {limit.code} |" in text
    assert f"| {expressions.MAX_DEPTH} | GB407 |" in text
    most = "\n".join(FORMAT.section("Limits"))
    for name, limit in LIMITS.items():
        assert limit.most is None or re.search(rf"`{name}`[^`]*\s{limit.most:,}\b", most), name


def test_format_names_every_fusion() -> None:
    from graphbuilder.fusion import strategies

    text = "\n".join(FORMAT.section("Fuse nodes"))
    assert {name for name in strategies.names() if f"`{name}`" not in text} == set()


def test_format_names_every_standard_block() -> None:
    text = "\n".join(FORMAT.section("The standard blocks"))
    shipped = [path.stem for path in sorted((ROOT / "blueprints" / "std").glob("*.yaml"))]
    assert {name for name in shipped if f"`std.{name}`" not in text} == set()


def test_no_block_is_of_an_unknown_language() -> None:
    for page in PAGES:
        for block in page.blocks:
            assert block.language in ("yaml", "json", "python", "sh", "text", "toml", ""), block.place
