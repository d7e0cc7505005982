"""Takes the pictures of the editor that stand in the documentation: `python -m scripts.screenshots`.

Each is the editor itself, run without a terminal, after some keys. A picture is an SVG that loads nothing: where
Textual would have a browser fetch a font from another host, whatever fixed-width font is there is used.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graphbuilder.tui.app import EditorApp

ROOT = Path(__file__).parents[1]
IMAGES = Path("docs") / "images"

_FONT_FACE = re.compile(r"\s*@font-face \{[^}]*\}")
_FONT = re.compile(r"(?<=font-family: )Fira Code(?=, monospace)")
# How long the editor may take to come to rest after a key, in seconds: some of its work is done in threads.
_REST = 0.4
_LAST_REST = 2.0


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Arguments:
        name: the file's, without `.svg`.
        blueprint: the shipped blueprint that is open.
        keys: what is pressed before, as Textual names keys.
        size: of the terminal, in columns and rows.
    """

    name: str
    blueprint: str
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = (132, 40)


PICTURES = (
    Picture("editor", "image_text", ("j", "j")),
    Picture("editor-blocks", "resnet50", ("j", "j", "j")),
    Picture("editor-add", "cnn", ("j", "a", *"norm")),
    Picture("editor-merge", "image_text", ("j", "m", "down", "down", "enter")),
    Picture("editor-passes", "cnn", ("p",)),
    Picture("editor-help", "cnn", ("question_mark",)),
    Picture("editor-small", "image_text", ("j",), (80, 24)),
)


async def picture(wanted: Picture, scratch: Path) -> str:
    """The SVG of a picture.

    Arguments:
        wanted: what it shows.
        scratch: a folder for what the editor keeps.
    """
    path = Path("blueprints") / f"{wanted.blueprint}.yaml"
    app = EditorApp(path, settings=scratch / "settings.yaml", journals=scratch / "journals")
    async with app.run_test(size=wanted.size) as pilot:
        await pilot.pause(2 * _REST)
        for key in wanted.keys:
            await pilot.press(key)
            await pilot.pause(_REST)
        await pilot.pause(_LAST_REST)
        svg = app.export_screenshot(title=str(path))
    return _FONT.sub("ui-monospace, Menlo, Consolas, DejaVu Sans Mono", _FONT_FACE.sub("", svg))


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the pictures.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="the pictures to take; all when left out")
    chosen = parser.parse_args(argv).names
    (ROOT / IMAGES).mkdir(parents=True, exist_ok=True)
    for wanted in PICTURES:
        if not chosen or wanted.name in chosen:
            with tempfile.TemporaryDirectory() as scratch:
                svg = asyncio.run(picture(wanted, Path(scratch)))
            (ROOT / IMAGES / f"{wanted.name}.svg").write_text(svg, encoding="utf-8")
            print(IMAGES / f"{wanted.name}.svg")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
