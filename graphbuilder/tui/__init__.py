"""The terminal editor: it draws and dispatches, and owns no graph logic."""

from __future__ import annotations
