"""What drives each action of the editor, by its id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.tui.driving import CNN, TWO, Editor

__all__ = ["DRIVES", "NESTED", "TWO", "WIDE", "Drive", "drives", "focused"]

NESTED = """\
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  inner: {inputs: [x], nodes: {one: {layer: Dense, units: 8}}}
  outer: {inputs: [x], nodes: {two: {block: inner}}}
nodes:
  first: {block: outer}
  last: {layer: Dense, units: 2}
"""
WIDE = (
    "blueprint: 1\ninputs: {x: {shape: [8]}}\nnodes:\n"
    + "".join(f"  dense_{number}: {{layer: Dense, from: x, units: 8}}\n" for number in range(12))
    + f"  all: {{layer: Concatenate, from: [{', '.join(f'dense_{number}' for number in range(12))}]}}\n"
    + "".join(f"  tail_{number}: {{layer: Dense, units: 8}}\n" for number in range(12))
)


@dataclass(frozen=True)
class Drive:
    """How an action is driven.

    Arguments:
        steps: drives it by a key, and says what must have come of it.
        text: what is open.
        size: of the screen.
    """

    steps: Callable[[Editor, str], Awaitable[None]]
    text: str
    size: tuple[int, int]


DRIVES: dict[str, Drive] = {}


def drives(
    *ids: str, text: str = CNN, size: tuple[int, int] = (160, 48)
) -> Callable[[Callable[[Editor, str], Awaitable[None]]], Callable[[Editor, str], Awaitable[None]]]:
    """Registers what drives an action."""

    def take(steps: Callable[[Editor, str], Awaitable[None]]) -> Callable[[Editor, str], Awaitable[None]]:
        for each in ids:
            assert each not in DRIVES
            DRIVES[each] = Drive(steps, text, size)
        return steps

    return take


def focused(it: Editor) -> set[str | None]:
    """The ids of what has the focus, and of what that lies in."""
    assert it.app.focused is not None
    return {each.id for each in it.app.focused.ancestors_with_self}
