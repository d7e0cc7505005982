"""The ways to merge branches, and how branches are aligned first; each adds ordinary calls to a graph."""

from __future__ import annotations

from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch, BranchMisfit
from graphbuilder.fusion.calls import Apply, Calls, NotMade
from graphbuilder.fusion.elementwise import present_only
from graphbuilder.fusion.fuse import Plan, fuse, offer_of, plan
from graphbuilder.fusion.presence import check_presence
from graphbuilder.fusion.strategy import PRESENCE, FusionStrategy
from graphbuilder.fusion.tables import strategies

__all__ = [
    "PRESENCE",
    "Alignment",
    "Apply",
    "Branch",
    "BranchMisfit",
    "Calls",
    "FusionStrategy",
    "NotMade",
    "Plan",
    "check_presence",
    "fuse",
    "offer_of",
    "plan",
    "present_only",
    "strategies",
]
