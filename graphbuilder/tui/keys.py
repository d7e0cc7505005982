"""What can be done on the main screen, each with an id by which its keys can be set in the settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding, BindingType

__all__ = ["ACTIONS", "GROUPS", "Action", "bindings", "known_ids", "shown_key"]

# The groups of actions, in the order in which help lists them.
GROUPS = {"edit": "Edit", "go": "Go", "view": "View", "file": "File", "run": "Run"}


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done.

    Arguments:
        id: by which its keys can be set.
        keys: the keys as Textual calls them, with commas between.
        action: what is called: `rename` for `action_rename`.
        title: what it does, as an order.
        group: one of `GROUPS`.
        hint: a word or two for the line at the bottom; empty where it has no place there.
    """

    id: str
    keys: str
    action: str
    title: str
    group: str
    hint: str = ""


ACTIONS: tuple[Action, ...] = (
    Action("add", "a", "add", "Add a node, an input, a param or an output", "edit", "add"),
    Action("connect", "c", "connect", "Connect the node to another one", "edit", "connect"),
    Action("disconnect", "C", "disconnect", "Take one of the node's inputs away", "edit"),
    Action("swap", "s", "swap", "Swap two of the node's inputs", "edit"),
    Action("delete", "d", "delete", "Delete the node, and join what it parted", "edit", "delete"),
    Action("cut", "D", "cut", "Delete the node, and cut off what took it", "edit"),
    Action("rename", "r", "rename", "Rename the node, and let every reference follow", "edit", "rename"),
    Action("kind", "K", "kind", "Change what kind of node it is", "edit"),
    Action("set", "i", "set", "Edit its arguments", "edit"),
    Action("merge", "m", "merge", "Merge branches by a fusion that fits", "edit", "merge"),
    Action("passes", "p", "passes", "Attach a pass of compression", "edit", "passes"),
    Action("earlier", "less_than_sign", "move(-1)", "Move the pass to an earlier place", "edit"),
    Action("later", "greater_than_sign", "move(1)", "Move the pass to a later place", "edit"),
    Action("extract", "b", "extract", "Make a block of the chosen nodes", "edit"),
    Action("inline", "B", "inline", "Put a block's nodes in the place of its node", "edit"),
    Action("copy", "y", "copy", "Copy as YAML, Python or Mermaid", "edit"),
    Action("paste", "P", "paste", "Paste nodes behind this one", "edit"),
    Action("undo", "u", "undo", "Undo", "edit", "undo"),
    Action("redo", "ctrl+r", "redo", "Redo", "edit"),
    Action("history", "U", "history", "Go back to an earlier step", "edit"),
    Action("find", "slash", "find", "Find a node", "go", "find"),
    Action("next_problem", "n", "problem(1)", "To the next problem", "go"),
    Action("previous_problem", "N", "problem(-1)", "To the problem before", "go"),
    Action("outline", "1", "pane('outline')", "To the outline", "view"),
    Action("graph", "2", "pane('canvas')", "To the graph", "view"),
    Action("inspector", "3", "pane('inspector')", "To the inspector", "view"),
    Action("problems", "4", "pane('problems')", "To the problems", "view"),
    Action("text", "5", "pane('text')", "To the YAML text", "view"),
    Action("diff", "6", "pane('diff')", "To what has changed since the file was saved", "view"),
    Action("log", "7", "pane('log')", "To the log", "view"),
    Action("lower", "0", "lower", "Show or hide the lower pane", "view"),
    Action("theme", "T", "app.theme", "Choose a theme", "view"),
    Action("save", "ctrl+s", "save", "Save", "file", "save"),
    Action("save_as", "S", "save_as", "Save under another name, and go on with that file", "file"),
    Action("save_copy", "W", "save_copy", "Save a copy under another name", "file"),
    Action("external", "e", "external", "Edit the text in $VISUAL or $EDITOR", "file"),
    Action("quit", "q", "leave", "Quit", "file", "quit"),
    Action("run", "R", "start", "Compile, train or compress", "run"),
    Action("stop", "X", "stop", "Stop what is running", "run"),
    Action("help", "question_mark,f1", "help", "What can be done here", "view", "help"),
)

# What Textual calls keys that people know by a sign.
_SIGNS = {
    "slash": "/",
    "question_mark": "?",
    "apostrophe": "'",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "escape": "esc",
    "comma": ",",
    "full_stop": ".",
    "colon": ":",
    "semicolon": ";",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "pageup": "page up",
    "pagedown": "page down",
}


def bindings() -> list[BindingType]:
    """The bindings of the main screen."""
    return [
        # The last ways out work wherever the keys go, also while something is typed.
        Binding(each.keys, each.action, each.title, show=False, id=each.id, priority=each.id == "save")
        for each in ACTIONS
    ]


def shown_key(keys: str) -> str:
    """Keys as people know them.

    Example:
        >>> shown_key("question_mark,f1"), shown_key("ctrl+s")
        ('? f1', 'ctrl+s')
    """
    return " ".join(_SIGNS.get(key, key) for key in keys.split(","))


def known_ids(bindings: Iterable[BindingType]) -> list[str]:
    """The ids of bindings, by which their keys can be set."""
    return [each.id for each in bindings if isinstance(each, Binding) and each.id is not None]
