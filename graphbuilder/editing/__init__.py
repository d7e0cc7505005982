"""Edits of a blueprint as splices of its text: every other byte stays as its author wrote it."""

from __future__ import annotations

from graphbuilder.editing.applying import Applied, apply
from graphbuilder.editing.changes import Change, Delete, Insert, InsertItem, Move, Remove, Rename, Replace
from graphbuilder.editing.fitting import FittingFusion, Judged, UnfitFusion, fusions_that_fit, judge
from graphbuilder.editing.merge import Edited, merge

__all__ = [
    "Applied",
    "Change",
    "Delete",
    "Edited",
    "FittingFusion",
    "Insert",
    "InsertItem",
    "Judged",
    "Move",
    "Remove",
    "Rename",
    "Replace",
    "UnfitFusion",
    "apply",
    "fusions_that_fit",
    "judge",
    "merge",
]
