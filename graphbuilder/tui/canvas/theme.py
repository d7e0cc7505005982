"""The styles of a canvas by the theme of the app: one component class for each part."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget

from graphbuilder.tui.canvas.palette import PARTS, Palette

__all__ = ["CLASSES", "CSS", "palette_of"]

# Parts that are told by what is behind them; the others by how they are written.
_BEHIND = {"up", "down", "drop"}
_BOTH = {"selected", "jump"}

# Hue and saturation of each family; dark themes take them light, and light themes dark.
_HUES = {
    "input": (140, 55),
    "output": (140, 55),
    "core": (210, 30),
    "convolution": (215, 85),
    "recurrent": (175, 60),
    "attention": (310, 60),
    "normalization": (220, 12),
    "activation": (48, 75),
    "pooling": (190, 70),
    "reshaping": (35, 35),
    "merging": (28, 85),
    "regularization": (270, 15),
    "preprocessing": (95, 45),
    "op": (265, 65),
    "fusion": (14, 90),
    "block": (240, 75),
    "custom": (335, 75),
    "unknown": (0, 80),
}


def _families(lightness: int) -> str:
    return "\n".join(
        f"    & > .canvas--{family} {{ color: hsl({hue}, {saturation}%, {lightness}%); }}"
        for family, (hue, saturation) in _HUES.items()
    )


CLASSES = {f"canvas--{part}" for part in PARTS}

CSS = f"""
SceneView {{
    background: $background;
    color: $foreground;
{_families(70)}
    & > .canvas--edge {{ color: $foreground 45%; }}
    & > .canvas--edge-up {{ color: $primary-lighten-2; text-style: bold; }}
    & > .canvas--edge-down {{ color: $accent-lighten-1; text-style: bold; }}
    & > .canvas--label {{ color: $foreground 55%; }}
    & > .canvas--frame {{ color: $primary-lighten-1; }}
    & > .canvas--title {{ text-style: bold; }}
    & > .canvas--text {{ color: $foreground; }}
    & > .canvas--dim {{ color: $foreground 65%; }}
    & > .canvas--error {{ color: $error-lighten-2; text-style: bold; }}
    & > .canvas--warning {{ color: $warning; text-style: bold; }}
    & > .canvas--compressed {{ color: $success; }}
    & > .canvas--selected {{ background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }}
    & > .canvas--chosen {{ text-style: underline; }}
    & > .canvas--up {{ background: $primary 25%; }}
    & > .canvas--down {{ background: $accent 30%; }}
    & > .canvas--drop {{ background: $success 50%; }}
    & > .canvas--jump {{ background: $warning; color: $background; text-style: bold; }}
    &:light {{
{_families(32)}
        & > .canvas--edge-up {{ color: $primary-darken-1; }}
        & > .canvas--edge-down {{ color: $accent-darken-2; }}
        & > .canvas--error {{ color: $error-darken-1; }}
        & > .canvas--warning {{ color: $warning-darken-3; }}
        & > .canvas--compressed {{ color: $success-darken-2; }}
    }}
}}
"""


def palette_of(widget: Widget) -> Palette:
    """The palette that the styles of a widget come to.

    Arguments:
        widget: a widget with the component classes of `CLASSES`.
    """
    parts = {}
    for part in PARTS:
        style = widget.get_component_rich_style(f"canvas--{part}")
        partial = widget.get_component_rich_style(f"canvas--{part}", partial=True)
        attributes = Style(bold=partial.bold, underline=partial.underline, italic=partial.italic, dim=partial.dim)
        colour = style.color if partial.color is not None and part not in _BEHIND else None
        behind = style.bgcolor if part in _BEHIND or part in _BOTH else None
        parts[part] = attributes + Style(color=colour, bgcolor=behind)
    return Palette(widget.rich_style, parts)
