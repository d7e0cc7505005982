"""Names for what the fixtures of the text's tests give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from graphbuilder.errors import Diagnostic

ApplyFix: TypeAlias = Callable[[str, Diagnostic], str]
Problems: TypeAlias = Callable[..., tuple[Diagnostic, ...]]
YamlData: TypeAlias = Callable[[str], Any]
