"""The comparisons: which facts of two answers must be equal."""

from __future__ import annotations

from collections.abc import Iterator

from graphbuilder.catalog import BATCH, LayerEntry
from tests.catalog.answers import Accepted, Broken, Refused, catalog_answer, compatible, keras_answer, twin_answer
from tests.catalog.cases import Case
from tests.catalog.computing import computed_dtypes, paired, run_failure
from tests.catalog.exemptions import exempted
from tests.catalog.findings import Finding

__all__ = ["against_keras", "against_twin", "all_against_keras", "all_against_twin"]


def against_keras(case: Case) -> Iterator[Finding]:
    """How the catalog and Keras 3 disagree, but for what is exempted."""
    return (finding for finding in all_against_keras(case) if not exempted(finding))


def all_against_keras(case: Case, *, computed: bool = True) -> Iterator[Finding]:
    """How the catalog and Keras 3 disagree.

    Arguments:
        case: the configuration.
        computed: whether Keras must also compute what it announces; that costs most of the time.
    """
    ours = catalog_answer(case)
    if isinstance(ours, Broken):
        yield Finding("the entry breaks", case, str(keras_answer(case)), str(ours))
        return
    theirs = keras_answer(case)
    if isinstance(theirs, Refused):
        if isinstance(ours, Accepted):
            yield Finding("Keras refuses", case, str(theirs), str(ours))
        return
    assert isinstance(theirs, Accepted)
    if isinstance(ours, Refused):
        # What Keras takes and then cannot compute is rightly refused.
        if run_failure(case, theirs, device_may_fail=False) is None:
            yield Finding("Keras takes it", case, str(theirs), str(ours))
        return
    yield from _facts(case, theirs, ours)
    if not computed:
        return
    # Whether an unknown axis has a size that works is not for the catalog to say.
    known = all(isinstance(dim, int) or dim == BATCH for leaf in case.leaves() for dim in leaf.shape)
    reason = run_failure(case, theirs, device_may_fail=True) if known else None
    if reason is not None:
        yield Finding("Keras cannot compute it", case, reason, str(ours))


def _facts(case: Case, theirs: Accepted, ours: Accepted) -> Iterator[Finding]:
    told = (str(theirs), str(ours))
    if (len(theirs.outputs), theirs.several) != (len(ours.outputs), ours.several):
        yield Finding("number of outputs", case, *told)
    elif [shape for shape, _ in theirs.outputs] != [shape for shape, _ in ours.outputs]:
        yield Finding("output shape", case, *told)
    elif theirs.outputs != ours.outputs and computed_dtypes(case) != ours.dtypes:
        # Of integers Keras announces the layer's own dtype for some layers that then compute integers.
        yield Finding("output dtype", case, *told)
    if case.arguments.get("trainable") is False:
        # Keras marks the weights of some frozen layers and not of others; the entry says how the layer makes them.
        theirs, ours = theirs.without_trainability(), ours.without_trainability()
    if theirs.weights != ours.weights:
        what = "weights"
        if theirs.parameters == ours.parameters:
            what = "weight order" if sorted(theirs.weights) == sorted(ours.weights) else "weight names or trainability"
        yield Finding(what, case, *told)


def against_twin(case: Case) -> Iterator[Finding]:
    """How the catalog and tf_keras disagree, but for what is exempted."""
    return (finding for finding in all_against_twin(case) if not exempted(finding))


def all_against_twin(case: Case) -> Iterator[Finding]:
    """How the catalog and tf_keras disagree on a configuration that the catalog takes."""
    ours = catalog_answer(case)
    if not isinstance(ours, Accepted):
        return
    theirs = twin_answer(case)
    if theirs is None:
        return
    if isinstance(theirs, Refused):
        yield Finding("tf_keras refuses", case, str(theirs), str(ours))
        return
    assert isinstance(theirs, Accepted)
    told = (str(theirs), str(ours))
    if len(theirs.outputs) != len(ours.outputs):
        yield Finding("tf_keras number of outputs", case, *told)
    elif not issubclass(case.kind, LayerEntry) and theirs.dtypes != ours.dtypes:
        yield Finding("tf_keras output dtype", case, *told)
    elif not all(compatible(mine, other) for (mine, _), (other, _) in zip(ours.outputs, theirs.outputs, strict=True)):
        yield Finding("tf_keras output shape", case, *told)
    mine, other = ([(name, shape) for name, shape, _ in answer.weights] for answer in (ours, theirs))
    if paired(case.kind, mine, other) is None:
        yield Finding("tf_keras weights", case, *told)
