"""What a graph costs and how it looks: parameters, multiply-accumulates, sizes, and a drawing of lanes."""

from __future__ import annotations

from graphbuilder.analysis.analyze import Analysis, NodeCost, analyze, costliest
from graphbuilder.analysis.folding import Row, fold, fold_to_fit, rows_of
from graphbuilder.analysis.lanes import ASCII, BOX, Glyphs, draw
from graphbuilder.analysis.summary import CallSummary, InputSummary, OutputSummary, Summary, Totals, summarize

__all__ = [
    "ASCII",
    "BOX",
    "Analysis",
    "CallSummary",
    "Glyphs",
    "InputSummary",
    "NodeCost",
    "OutputSummary",
    "Row",
    "Summary",
    "Totals",
    "analyze",
    "costliest",
    "draw",
    "fold",
    "fold_to_fit",
    "rows_of",
    "summarize",
]
