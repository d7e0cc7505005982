"""Commands on training and budget: texts before and after, and refusals."""

from __future__ import annotations

import pytest

from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.training import SetBudget, SetTraining, UnsetBudget, UnsetTraining
from graphbuilder.editing.session import Session
from tests.editing.golden import check_golden

CASES: dict[str, Command] = {
    "set_epochs": SetTraining(("epochs",), 10),
    "set_batch_size": SetTraining(("batch_size",), "$(units * 4)"),
    "set_learning_rate": SetTraining(("optimizer", "adam", "learning_rate"), 0.01),
    "set_optimizer": SetTraining(("optimizer",), "sgd"),
    "set_loss_option": SetTraining(("loss", "size", "mse", "dtype"), "float32"),
    "set_metric": SetTraining(("metrics", "answer", 1), "sparse_top_k_categorical_accuracy"),
    "set_first_metric": SetTraining(("metrics", "size"), ["mae"]),
    "set_epochs_wrongly": SetTraining(("epochs",), 1.5),
    "set_unknown_optimizer": SetTraining(("optimizer",), "adma"),
    "set_unknown_option": SetTraining(("epoch",), 3),
    "set_below_a_number": SetTraining(("epochs", "all"), 3),
    "unset_epochs": UnsetTraining(("epochs",)),
    "unset_learning_rate": UnsetTraining(("optimizer", "adam", "learning_rate")),
    "unset_loss": UnsetTraining(("loss", "size")),
    "unset_last_metric": UnsetTraining(("metrics", "answer", 0)),
    "unset_what_is_not_set": UnsetTraining(("seed",)),
    "set_budget": SetBudget("accuracy_drop", 0.02),
    "set_budget_anew": SetBudget("gzip_bytes", 15000),
    "set_budget_wrongly": SetBudget("gzip_bytes", 0.5),
    "set_unknown_budget": SetBudget("gzip_byte", 5),
    "unset_budget": UnsetBudget("gzip_bytes"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_after_a_command_is_exact(name: str) -> None:
    check_golden(name, CASES[name])


def test_sections_come_where_people_look_for_them() -> None:
    session = Session("blueprint: 1\ninputs: {x: {shape: [8]}}\nnodes: {a: {layer: Dense, units: 2}}\n")
    session.run(SetBudget("raw_bytes", 1000))
    session.run(SetTraining(("optimizer", "adam", "learning_rate"), 0.01))
    session.run(SetTraining(("loss",), "mse"))
    assert session.text.endswith(
        "nodes: {a: {layer: Dense, units: 2}}\n"
        "training: {optimizer: {adam: {learning_rate: 0.01}}, loss: mse}\n"
        "budget: {raw_bytes: 1000}\n"
    )
    session.run(UnsetTraining(("loss",)))
    session.run(UnsetTraining(("optimizer",)))
    assert "training" not in session.text
