"""The styles in which a canvas is painted."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style

from graphbuilder.tui.canvas.scene import FAMILIES

__all__ = ["PARTS", "Palette", "plain_palette"]

# What has a style of its own; each family of boxes has one too, under its name.
PARTS = (
    "edge",
    "edge-up",
    "edge-down",
    "label",
    "frame",
    "title",
    "text",
    "dim",
    "error",
    "warning",
    "compressed",
    "selected",
    "chosen",
    "up",
    "down",
    "drop",
    "jump",
    *FAMILIES,
)


class Palette:
    """Styles by the names of parts, laid one over the other.

    Arguments:
        base: the style of what is empty.
        parts: the styles of parts, each stating only what it changes; parts that are left out change nothing.
    """

    def __init__(self, base: Style, parts: Mapping[str, Style]) -> None:
        self.base = base
        self.parts = parts
        self._made: dict[tuple[str, ...], Style] = {(): base}

    def style(self, *names: str) -> Style:
        """The style of some parts, later ones over earlier ones; the same object whenever it is asked for."""
        found = self._made.get(names)
        if found is None:
            found = self.base
            for name in names:
                found += self.parts.get(name, Style.null())
            self._made[names] = found
        return found


def plain_palette() -> Palette:
    """A palette of the terminal's own colours, for where there is no theme."""
    parts = {
        "edge": Style(color="bright_black"),
        "edge-up": Style(color="cyan", bold=True),
        "edge-down": Style(color="magenta", bold=True),
        "label": Style(color="bright_black"),
        "frame": Style(color="blue"),
        "title": Style(bold=True),
        "dim": Style(dim=True),
        "error": Style(color="red", bold=True),
        "warning": Style(color="yellow", bold=True),
        "compressed": Style(color="green"),
        "selected": Style(reverse=True),
        "chosen": Style(underline=True),
        "up": Style(bgcolor="blue"),
        "down": Style(bgcolor="magenta"),
        "drop": Style(bgcolor="green"),
        "jump": Style(color="black", bgcolor="yellow", bold=True),
    }
    colours = ("green", "green", "white", "blue", "magenta", "red", "bright_black", "yellow", "cyan")
    families = {family: Style(color=colours[number % len(colours)]) for number, family in enumerate(FAMILIES)}
    return Palette(Style(), {**parts, **families})
