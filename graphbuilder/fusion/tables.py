"""The table of fusions by name."""

from __future__ import annotations

from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.registry import Registry

__all__ = ["strategies"]

strategies: Registry[type[FusionStrategy]] = Registry("fusion", "graphbuilder.fusions")

_HERE = "graphbuilder.fusion"

strategies.add("concat", f"{_HERE}.concat:Concat")
strategies.add("add", f"{_HERE}.add:Add")
strategies.add("mean", f"{_HERE}.mean:Mean")
strategies.add("max", f"{_HERE}.max:Max")
strategies.add("multiply", f"{_HERE}.multiply:Multiply")
