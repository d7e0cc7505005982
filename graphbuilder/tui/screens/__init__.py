"""The screens: the main one, and those that ask for something above it."""

from __future__ import annotations
