"""Where the catalog may differ from Keras in layers that give classes, each with the reason."""

from __future__ import annotations

from graphbuilder.catalog import BATCH, TensorType
from tests.catalog.exemption import Exemption, on

__all__ = ["CLASSES"]

_STRINGS = TensorType((BATCH, 1), "string")
_UNKNOWN = TensorType((BATCH, None), "string")

CLASSES: tuple[Exemption, ...] = (
    Exemption(
        "Hashing HashedCrossing",
        "Keras takes it",
        lambda finding: "num_bins: Input should be" in finding.ours,
        "Keras happens to give class 0 where there are no classes",
        on("HashedCrossing", {"num_bins": 0}, (_STRINGS, _STRINGS)),
    ),
    Exemption(
        "CategoryEncoding Discretization Hashing",
        "tf_keras refuses",
        lambda finding: "maximum supported output rank is 2" in finding.theirs,
        "tf_keras gives no columns of more than two axes; building such a twin says so",
        on("CategoryEncoding", {"num_tokens": 3, "output_mode": "one_hot"}, TensorType((BATCH, 2), "int32")),
    ),
    Exemption(
        "HashedCrossing",
        "tf_keras refuses",
        lambda finding: "inputs should have shape `[]`" in finding.theirs,
        "tf_keras takes no axis whose size is unknown; building such a twin says so",
        on("HashedCrossing", {"num_bins": 5}, (_UNKNOWN, _UNKNOWN)),
    ),
    Exemption(
        "IntegerLookup StringLookup",
        "Keras takes it",
        lambda finding: "dtype: Input should be" in finding.ours,
        "Keras overlooks the dtype of a look-up, where the author made a slip",
        on("StringLookup", {"vocabulary": ["a"], "dtype": "bogus"}, _STRINGS),
    ),
    Exemption(
        "TextVectorization",
        "Keras takes it",
        lambda finding: "ngrams: a positive integer" in finding.ours,
        "Keras looks up words in groups of none, and finds nothing",
        on("TextVectorization", {"vocabulary": ["a"], "ngrams": 0, "output_sequence_length": 4}, _STRINGS),
    ),
)
