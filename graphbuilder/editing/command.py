"""What every edit is: a command that says which changes of a document's text it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from graphbuilder.blueprint import Document
from graphbuilder.editing.changes import Change

__all__ = ["Command", "Edit"]


@dataclass(frozen=True, slots=True)
class Edit:
    """What a command comes to in one document.

    Arguments:
        title: what it does, in a few words, as a list of what can be undone shows it: `rename conv to stem`.
        changes: the changes of the text, all by the paths of the text before.
        focus: the node that it is about afterwards, or None.
        told: what else it changes, and what it leaves that the author may want to look at; sentences without a full
            stop.
    """

    title: str
    changes: tuple[Change, ...]
    focus: str | None = None
    told: tuple[str, ...] = ()


class Command(Protocol):
    """An edit that is asked for: a frozen dataclass whose fields are what it needs to know."""

    def edit(self, document: Document) -> Edit:
        """What the command comes to.

        Arguments:
            document: the blueprint as it stands.

        Raises:
            CommandError: it cannot be done, and why.
        """
