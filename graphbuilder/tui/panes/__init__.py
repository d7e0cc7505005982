"""The panes of the main screen: lists that scroll, the inspector, the text, what is wrong, what has changed."""

from __future__ import annotations
