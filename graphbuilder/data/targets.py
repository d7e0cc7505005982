"""Class numbers as the targets that a loss takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphbuilder.catalog import shape_text
from graphbuilder.data.faults import Faults, listed
from graphbuilder.data.wants import Values, Wants

if TYPE_CHECKING:
    import numpy

__all__ = ["class_targets", "refuse_several"]


def refuse_several(wants: Wants, faults: Faults, holding: str) -> None:
    """Refuses graphs with several inputs or outputs, for data that has just one of each.

    Arguments:
        wants: what the graph needs.
        faults: names the data.
        holding: what the data holds, such as "images with one label each".

    Raises:
        BlueprintError: there are several.
    """
    if len(wants.inputs) != 1 or len(wants.outputs) > 1:
        inputs = listed(wanted.name for wanted in wants.inputs)
        outputs = listed(wanted.name for wanted in wants.outputs)
        faults.add(
            "GB703",
            f"it holds {holding}, and {wants.model} takes {inputs} and gives {outputs}",
            expected="a blueprint with one input and one output",
            hint="put the arrays into a .npz file, each under the name of its input or output",
        )
    faults.stop()


def class_targets(
    numbers: numpy.ndarray, classes: Sequence[str], wants: Wants, faults: Faults
) -> dict[str, numpy.ndarray]:
    """The target of each output for class numbers: numbers, one-hot vectors, or 0 and 1, as the loss wants them.

    Arguments:
        numbers: the class of each sample.
        classes: the names of the classes.
        wants: what the graph needs; at most one output.
        faults: takes what does not fit.
    """
    import numpy as np

    if not wants.outputs:
        return {}
    (wanted,) = wants.outputs
    rule, shape = wanted.rule, wanted.shape
    if shape is None:
        return {wanted.name: numbers.astype("int32")}
    if rule.values is Values.CLASSES and shape == ():
        if rule.size is not None and rule.size < len(classes):
            faults.add(
                "GB708",
                f"there are {len(classes)} classes: {listed(classes)}",
                node=wanted.name,
                expected=f"at most {rule.size}, for {rule.because}",
                hint=f"{wanted.name} needs {len(classes)} units",
            )
        return {wanted.name: numbers.astype("int32")}
    if shape == (len(classes),) and rule.values in (Values.ONE_HOT, Values.UNIT, Values.ANY):
        return {wanted.name: np.eye(len(classes), dtype="float32")[numbers]}
    if shape in ((), (1,)) and (len(classes) == 2 or rule.values is Values.ANY):
        return {wanted.name: numbers.astype("float32").reshape(len(numbers), *(int(str(dim)) for dim in shape))}
    faults.add(
        "GB708",
        f"there are {len(classes)} classes: {listed(classes)}",
        node=wanted.name,
        expected=f"what {wanted.name} gives, {shape_text(('samples', *shape))}, to be a score for each class",
        hint=f"let {wanted.name} have {len(classes)} units and the loss be sparse_categorical_crossentropy",
    )
    return {}
