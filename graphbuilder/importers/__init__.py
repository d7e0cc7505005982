"""Models from elsewhere as blueprints. Files are read without TensorFlow, and nothing in them is run."""

from __future__ import annotations

from graphbuilder.importers.importing import Imported, import_file, import_model, imported

__all__ = ["Imported", "import_file", "import_model", "imported"]
