"""A graph in other words: Keras code, and Mermaid's diagrams. No TensorFlow here."""

from __future__ import annotations

from graphbuilder.export.mermaid import mermaid
from graphbuilder.export.python import python_source

__all__ = ["mermaid", "python_source"]
