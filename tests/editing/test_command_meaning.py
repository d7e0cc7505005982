"""What commands on nodes mean for the model, on every shipped blueprint: what is not meant to change stays the same."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from graphbuilder.blueprint.shipped import blueprint_names, blueprint_path
from graphbuilder.editing.commands.adding import AddNode, After, AtEnd, Before, Branch, OnEdge, Place
from graphbuilder.editing.commands.copying import Paste, copied
from graphbuilder.editing.commands.deleting import DeleteNodes
from graphbuilder.editing.commands.renaming import RenameNode
from graphbuilder.editing.levels import Level
from graphbuilder.editing.references import OUTPUTS
from graphbuilder.editing.sameness import difference
from graphbuilder.editing.session import Session
from graphbuilder.graph import Graph
from graphbuilder.lowering import lower

SEEDS = 3


def opened(name: str) -> Session:
    path = blueprint_path(name)
    assert path is not None
    return Session(path.read_text(encoding="utf-8"), path.name, path)


def model(session: Session) -> Graph:
    """What is computed, and what passes do to it; not what the training says of outputs by name."""
    return replace(lower(session.document()), training=None)


def levels(session: Session) -> list[Level]:
    document = session.document()
    return [Level(document), *(Level(document, block) for block in document.blueprint.blocks)]


@pytest.mark.parametrize("name", blueprint_names())
def test_renaming_changes_names_alone(name: str) -> None:
    session = opened(name)
    before = model(session)
    for level in levels(session):
        for node in list(level.definition.nodes):
            session.run(RenameNode(node, f"{node}_renamed", level.block))
    after = model(session)
    assert difference(before, after, lambda path: path.replace("_renamed", "")) is None
    assert all("_renamed" in layer for layer in after.layers if "." not in layer)


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", blueprint_names())
def test_a_branch_that_nothing_takes_changes_nothing(name: str, seed: int) -> None:
    random = Random(seed)
    session = opened(name)
    before = model(session)
    level = random.choice(levels(session))
    value = random.choice(level.names)
    edit = session.run(AddNode("op", "negative", Branch(value), block=level.block))
    assert edit.told[-1] == "nothing takes negative yet"
    assert difference(before, model(session), lambda path: path) is None
    # What is pasted takes what it took.
    nodes = list(level.definition.nodes)
    taken = copied(session.document(), random.sample(nodes, min(3, len(nodes))), level.block)
    session.run(Paste(taken, block=level.block))
    session.run(DeleteNodes(["negative"], block=level.block))
    assert difference(before, model(session), lambda path: path) is None


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", blueprint_names())
def test_what_is_put_between_and_deleted_again_changes_nothing(name: str, seed: int) -> None:
    random = Random(seed)
    session = opened(name)
    before = model(session)
    level = random.choice(levels(session))
    edges = [use for use in level.uses() if "." not in use.reference]
    edge = random.choice(edges)
    target = "outputs" if edge.consumer == OUTPUTS else edge.consumer
    singles = [node for node in level.definition.nodes if len({u.reference for u in edges if u.consumer == node}) == 1]
    singles = [node for node in singles if not any(u.consumer == node and "." in u.reference for u in level.uses())]
    places: list[Place] = [
        OnEdge(edge.reference, target),
        After(edge.reference),
        Before(random.choice(singles)),
        AtEnd(),
    ]
    where = random.choice(places)
    session.run(AddNode("layer", "Identity", where, "between", block=level.block))
    document = session.document()
    nodes = Level(document, level.block).definition.nodes
    assert "between" in nodes
    session.run(DeleteNodes(["between"], block=level.block))
    assert difference(before, model(session), lambda path: path) is None


@pytest.mark.parametrize("name", blueprint_names())
def test_what_is_between_is_really_there(name: str) -> None:
    session = opened(name)
    before = model(session)
    for edge in Level(session.document()).uses():
        target = "outputs" if edge.consumer == OUTPUTS else edge.consumer
        session.run(AddNode("layer", "Identity", OnEdge(edge.reference, target), "between"))
        after = model(session)
        assert "between" in after.layers, edge
        assert len(after.layers) == len(before.layers) + 1
        session.undo()
