"""Each fix that a message offers, carried out: the fault is gone, and nothing is wrong that was not before."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from graphbuilder.api.mending import mend
from graphbuilder.errors import Diagnostic, Severity
from graphbuilder.text.fixing import fix_splice
from graphbuilder.text.splices import spliced
from tests.messages.test_messages import CASES, WRONG, diagnostics_of
from tests.support.mutant_judging import diagnostics_of as diagnostics_of_text
from tests.support.mutant_judging import judged
from tests.support.mutants import Mutant, mutants

# Cases in which a second thing is wrong that the first one hides, with its code.
HIDDEN = {
    "fusion_unknown.yaml": "GB303",  # the fusion that is meant takes no branch twice
    "import_missing_file.yaml": "GB205",  # the file that is meant has no such block
    "op_unknown.yaml": "GB304",  # the op that is meant multiplies matrices of other sizes
    "op_written_as_a_layer.yaml": "GB303",  # the op takes two tensors
    "std_block_unknown.yaml": "GB202",  # the block that is meant needs params
    "tab_indentation.yaml": "GB202",  # the file has no nodes
    "unclosed_bracket.yaml": "GB202",  # the file has no nodes
}


def errors(found: tuple[Diagnostic, ...]) -> list[Diagnostic]:
    return [item for item in found if item.severity is Severity.ERROR]


OFFERING = [path for path in WRONG if any(item.fix is not None for item in diagnostics_of(path))]


@pytest.mark.parametrize("path", OFFERING, ids=lambda path: path.name)
def test_an_offered_fix_mends(path: Path, tmp_path: Path) -> None:
    here = tmp_path / path.name
    here.write_bytes(path.read_bytes())
    for other in CASES.iterdir():
        if other.suffix in (".yaml", ".json") and other != path:
            (tmp_path / other.name).write_bytes(other.read_bytes())
    offers = [item for item in diagnostics_of(path) if item.fix is not None]
    mended = mend(here)
    assert len(mended.made) == len(offers)
    left = {item.code for item in errors(mended.left)} - {item.code for item in errors(diagnostics_of(path))}
    assert left == ({HIDDEN[path.name]} if path.name in HIDDEN else set())


def test_a_near_name_is_always_a_fix() -> None:
    """What a hint offers as the name that was meant can be carried out."""
    for path in WRONG:
        for found in diagnostics_of(path):
            if (found.hint or "").startswith("did you mean") and found.file == path.name:
                inside = any(other.message.startswith("inside block") for other in found.related)
                assert found.fix is not None or inside or path.name in WHOLE, found


# The message stands at more than the name, which the name that is meant could not replace.
WHOLE = {"fusion_align_no_branch.yaml"}


@pytest.fixture(scope="module")
def repaired() -> tuple[Counter[str], Counter[str], Counter[str], list[Mutant]]:
    """By kind: how many mutants are faulty, of how many a fix is offered, and of how many it leaves no error."""
    faulty, offered, valid = Counter[str](), Counter[str](), Counter[str]()
    bad = []
    for mutant in mutants(1, 12):
        item = judged(mutant)
        if item.valid:
            continue
        faulty[mutant.kind] += 1
        splice = fix_splice(item.said[0], mutant.text) if item.said[0].file == mutant.name else None
        if splice is None:
            continue
        offered[mutant.kind] += 1
        if errors(diagnostics_of_text(spliced(mutant.text, [splice]), mutant.name)):
            bad.append(mutant)
        else:
            valid[mutant.kind] += 1
    return faulty, offered, valid, bad


def test_misspellings_are_mended(repaired: tuple[Counter[str], Counter[str], Counter[str], list[Mutant]]) -> None:
    faulty, offered, valid, _ = repaired
    kinds = [kind for kind in faulty if kind.endswith("misspelt")]
    assert sum(offered[kind] for kind in kinds) >= 0.95 * sum(faulty[kind] for kind in kinds)
    assert all(valid[kind] == offered[kind] for kind in kinds)


def test_nearly_every_fix_leaves_a_valid_blueprint(
    repaired: tuple[Counter[str], Counter[str], Counter[str], list[Mutant]],
) -> None:
    _, offered, valid, bad = repaired
    assert offered.total() >= 150
    assert valid.total() >= 0.97 * offered.total(), [(mutant.name, mutant.kind, mutant.change) for mutant in bad]


def test_all_other_bytes_stay(tmp_path: Path) -> None:
    text = "\ufeff# mine\nblueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  a: {layer: Dens, units: 3}   # why\n"
    text = text.replace("\n", "\r\n")
    path = tmp_path / "mine.yaml"
    path.write_bytes(text.encode())
    assert mend(path).text == text.replace("Dens,", "Dense,")


def test_a_fix_that_breaks_something_is_not_made(tmp_path: Path) -> None:
    """The only near name is of what would feed itself."""
    text = "blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  block_a: {layer: Dense, units: 3, from: block_b}\n"
    path = tmp_path / "circle.yaml"
    path.write_text(text)
    mended = mend(path)
    assert (mended.text, mended.made) == (text, ())
    assert [item.code for item in mended.left] == ["GB301"]
