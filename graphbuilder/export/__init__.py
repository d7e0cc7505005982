"""A graph in other words: Keras code, and drawings. No TensorFlow here."""

from __future__ import annotations

from graphbuilder.export.graphviz import dot
from graphbuilder.export.mermaid import mermaid
from graphbuilder.export.python import Exported, export_python, python_source
from graphbuilder.export.svg import svg

__all__ = ["Exported", "dot", "export_python", "mermaid", "python_source", "svg"]
