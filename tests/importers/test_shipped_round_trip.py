"""Every shipped blueprint comes back from the model that is compiled of it, and `diff` finds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.analysis.diff import Difference, diff_graphs
from graphbuilder.api import compile, lower, parse
from graphbuilder.cli.app import main
from graphbuilder.graph import Graph
from graphbuilder.importers import Imported, import_file, import_model
from tests.support.offline import offline_params

SHIPPED = sorted((Path(__file__).parents[2] / "blueprints").glob("*.yaml"))
# What Keras 2 says otherwise: it saves an einsum without its operands, so the twin has other ops; and the dtype of what
# `ones_like` gives, which a blueprint leaves to the tensor.
OTHERWISE = {"dtype"}
OTHER_OPS = ("three_way_sentiment", "visual_question_answering")


def difference_of(graph: Graph, found: Imported, *, flat: bool) -> Difference:
    """What `diff` finds: by nodes, and where blocks have given nodes other names, by graph."""
    assert found.lost == ()
    return diff_graphs(graph, lower(parse(found.text)), names=flat, from_model=True)


def told(difference: Difference) -> list[str]:
    """What `diff` found, as text."""
    (scope,) = difference.scopes
    nodes = [f"{change.before.name} → {change.after.name}: {change}" for change in scope.changed]
    nodes += [f"- {node.name}" for node in scope.removed] + [f"+ {node.name}" for node in scope.added]
    return [*nodes, *map(str, scope.outputs), *map(str, difference.sections)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_blueprint_comes_back(path: Path, tmp_path: Path) -> None:
    graph = lower(path, offline_params(path))
    model = compile(graph)
    for flat in (True, False):
        difference = difference_of(graph, import_model(model, flat=flat), flat=flat)
        assert difference.count == 0, told(difference)
    file = tmp_path / "model.keras"
    model.save(file)
    assert main(["diff", str(path), str(file)]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in SHIPPED if path.stem not in OTHER_OPS], ids=lambda path: path.stem)
def test_a_shipped_blueprint_comes_back_from_keras_2(path: Path, tmp_path: Path) -> None:
    graph = lower(path, offline_params(path))
    twin = compile(graph, keras=2)
    twin.save(tmp_path / "model.h5")
    (tmp_path / "model.json").write_text(twin.to_json(), encoding="utf-8")
    for file in ("model.h5", "model.json"):
        for flat in (True, False):
            difference = difference_of(graph, import_file(tmp_path / file, flat=flat), flat=flat)
            (scope,) = difference.scopes
            assert difference.sections == ()
            assert (scope.added, scope.removed, scope.outputs) == ((), (), ())
            for change in scope.changed:
                assert (change.inputs, change.new_kind, change.types) == ((), False, None), change
                assert not (flat and change.renamed), change
                assert {argument.path for argument in change.arguments} <= OTHERWISE, change
