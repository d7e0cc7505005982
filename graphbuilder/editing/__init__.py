"""Edits of a blueprint as splices of its text: every other byte stays as its author wrote it."""

from __future__ import annotations

from graphbuilder.editing.applying import Applied, apply
from graphbuilder.editing.changes import Change, Insert, Remove, Replace
from graphbuilder.editing.fitting import FittingFusion, Judged, UnfitFusion, fusions_that_fit, judge
from graphbuilder.editing.merge import Edited, merge

__all__ = [
    "Applied",
    "Change",
    "Edited",
    "FittingFusion",
    "Insert",
    "Judged",
    "Remove",
    "Replace",
    "UnfitFusion",
    "apply",
    "fusions_that_fit",
    "judge",
    "merge",
]
