"""The public names are a list that is kept on purpose."""

from __future__ import annotations

import graphbuilder

PUBLIC = [
    "BlueprintError",
    "Checked",
    "CommandError",
    "Diagnostic",
    "Graph",
    "GraphLimits",
    "GraphbuilderError",
    "MissingError",
    "check",
    "compile",
    "compress",
    "copy_weights",
    "explain",
    "from_keras",
    "fusions_that_fit",
    "json_schema",
    "load",
    "load_model",
    "lower",
    "merge",
    "parse",
    "save",
    "train",
]


def test_the_public_names() -> None:
    assert graphbuilder.__all__ == PUBLIC
    for name in PUBLIC:
        found = getattr(graphbuilder, name)
        assert found.__doc__, name
        assert found is getattr(graphbuilder, name)
    assert set(PUBLIC) <= set(dir(graphbuilder))


def test_the_version_is_the_packages() -> None:
    assert graphbuilder.__version__.count(".") == 2
