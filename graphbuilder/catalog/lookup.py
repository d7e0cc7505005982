"""Layers that look words and numbers up in a vocabulary, which a blueprint holds as a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from graphbuilder.catalog.arguments import NonNegativeInt, PositiveInt, argument, as_written, conflict, refuse
from graphbuilder.catalog.broadcasting import may_equal
from graphbuilder.catalog.categorical import Dense, Salt, encoded
from graphbuilder.catalog.checks import Takes, require_dtype
from graphbuilder.catalog.entry import Example, LayerEntry, Legacy, Masking, Outputs
from graphbuilder.catalog.meaning import Reading
from graphbuilder.catalog.ports import Inputs, Misfit, wrong_rank
from graphbuilder.catalog.tensor import BATCH, TensorType

__all__ = ["IntegerLookup", "StringLookup", "TextVectorization"]

_AtLeastTwo = Annotated[int, Field(ge=2)]
_Mode = Literal["int", "one_hot", "multi_hot", "count", "tf_idf"]


def _words(value: Any) -> Any:
    if isinstance(value, str):
        raise refuse("a list of words", "a blueprint reads no other files; write the words themselves")
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(item, str) for item in value):
        raise refuse("a list of words")
    return tuple(value)


def _integers(value: Any) -> Any:
    if isinstance(value, str):
        raise refuse("a list of integers", "a blueprint reads no other files; write the integers themselves")
    fits = isinstance(value, (list, tuple)) and value
    if not fits or not all(isinstance(item, int) and not isinstance(item, bool) for item in value):
        raise refuse("a list of integers")
    return tuple(value)


Words = Annotated[
    tuple[str, ...],
    BeforeValidator(_words),
    WithJsonSchema({
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "examples": [["a", "b c", "dé"], ["", "[UNK]", "a", "b"], ["[UNK]", "a"], ["a", "b", "a"]],
    }),
]  # fmt: skip
_Integers = Annotated[
    tuple[int, ...],
    BeforeValidator(_integers),
    WithJsonSchema({
        "type": "array",
        "items": {"type": "integer"},
        "minItems": 1,
        "examples": [[3, 1, 7], [-1, 5], [0, 1], [4, 4]],
    }),
]  # fmt: skip
_Weights = Annotated[tuple[float, ...], Field(strict=False)]

_MAX_TOKENS = "the most that the vocabulary may hold, with what stands in front of it"
_VOCABULARY = "the vocabulary, in order"
_IDF = "how much each of the vocabulary counts, with output_mode: tf_idf"
_PAD = "whether columns are as many as max_tokens, also where the vocabulary is smaller"


class Lookup(LayerEntry):
    """What looking up in a vocabulary shares.

    In front of the vocabulary stand the mask token, in mode int, and num_oov_indices places for what it lacks.
    """

    family = "categorical"
    masking = Masking.LOSES
    reading = Reading.NAMES
    # The fields of both, whose order and types are their own.
    max_tokens: int | None
    num_oov_indices: int
    mask_token: str | int | None
    oov_token: str | int | None
    vocabulary: tuple[str, ...] | tuple[int, ...] | None
    idf_weights: tuple[float, ...] | None
    invert: bool
    output_mode: str
    pad_to_max_tokens: bool
    what: ClassVar[str]

    def known(self) -> Sequence[str | int] | None:
        """The vocabulary, without the tokens in front of it; None where it is to be learnt."""
        written = self.vocabulary
        if written is None:
            return None
        special = self._special()
        return written[len(special) :] if list(written[: len(special)]) == special else written

    def _special(self) -> list[str | int | None]:
        masked = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" else []
        return [*masked, *[self.oov_token] * self.num_oov_indices]

    @model_validator(mode="after")
    def _fits_together(self) -> Lookup:
        mode = self.output_mode
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise conflict("pad_to_max_tokens", "pad_to_max_tokens is true without max_tokens", "max_tokens beside it")
        if self.invert and mode != "int":
            raise conflict("output_mode", f"output_mode is {mode} beside invert: true", "int")
        if self.idf_weights is not None and mode != "tf_idf":
            raise conflict("idf_weights", f"idf_weights stands beside output_mode: {mode}", "output_mode: tf_idf")
        if self.invert and self.oov_token is None:
            raise conflict(
                "oov_token", "oov_token is null beside invert: true", f"one of the {self.what}, for the rest"
            )
        tokens = self.known()
        if tokens is None:
            raise conflict(
                "vocabulary",
                "vocabulary is missing, without which the model fails when it runs",
                f"a list of {self.what}",
            )
        self._is_sound(tokens)
        return self

    def _is_sound(self, tokens: Sequence[str | int]) -> None:
        """Refuses a vocabulary that is not one."""
        repeated = next((token for index, token in enumerate(tokens) if token in tokens[:index]), None)
        if len(set(tokens)) < len(tokens):
            raise conflict("vocabulary", f"vocabulary holds {as_written(repeated)} twice", "each once")
        if self.mask_token is not None and self.mask_token in tokens:
            raise conflict(
                "vocabulary",
                f"vocabulary holds the mask_token {as_written(self.mask_token)}",
                "vocabulary without it, or all of the tokens in front of it at its beginning",
            )
        if self.invert and self.oov_token is not None and self.oov_token in tokens:
            raise conflict(
                "vocabulary",
                f"vocabulary holds the oov_token {as_written(self.oov_token)}",
                "vocabulary without it, or all of the tokens in front of it at its beginning",
            )
        size = len(tokens) + len(self._special())
        if self.max_tokens is not None and size > self.max_tokens:
            raise conflict(
                "max_tokens",
                f"max_tokens is {self.max_tokens}, and the vocabulary has {size} with what stands in front of it",
                f"at least {size}",
            )
        if self.output_mode == "tf_idf":
            written = len(self.vocabulary or ())
            count = 0 if self.idf_weights is None else len(self.idf_weights)
            if count != written:
                found = "is missing" if self.idf_weights is None else f"has {count} numbers"
                raise conflict(
                    "idf_weights", f"idf_weights {found} for a vocabulary of {written}", f"{written} numbers"
                )

    def depth(self) -> int:
        """How many columns there are in the modes that have some."""
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return self.max_tokens
        return len(self.known() or ()) + len(self._special())

    def looked_up(self, given: TensorType) -> TensorType:
        """The type of what is looked up: numbers, or columns.

        Keras announces float32 for columns, and computes integers but for tf_idf.
        """
        mode = self.output_mode
        if mode == "int":
            return TensorType(given.shape, "string" if self.invert and self.what == "words" else "int64")
        return TensorType(encoded(given.shape, mode, self.depth()), "float32" if mode == "tf_idf" else "int64")


class IntegerLookup(Lookup):
    """Gives each integer its place in a vocabulary of integers; or, inverted, each place its integer."""

    what = "integers"
    legacy = Legacy(lacking=("oov_method", "salt"))
    examples = (
        Example({"vocabulary": [10, 20, 30]}, (TensorType((BATCH, 4), "int64"),)),
        Example({"vocabulary": [10, 20, 30], "output_mode": "multi_hot"}, (TensorType((BATCH, 4), "int64"),)),
    )

    max_tokens: _AtLeastTwo | None = argument(_MAX_TOKENS, None)
    num_oov_indices: NonNegativeInt = argument("how many places there are for integers that it lacks", 1)
    mask_token: int | None = argument("the integer that stands for padding, and becomes 0", None)
    oov_token: int | None = argument("the integer that an inverted layer gives for what it lacks", -1)
    vocabulary: _Integers | None = argument(_VOCABULARY, None)
    vocabulary_dtype: Literal["int64"] = argument("the dtype of the integers; Keras knows one", "int64")
    idf_weights: _Weights | None = argument(_IDF, None)
    invert: bool = argument("whether places are turned into integers", False)
    output_mode: _Mode = argument("how places are given", "int")
    sparse: Dense = argument("whether the output is a sparse tensor; those of a graph are dense", False)
    pad_to_max_tokens: bool = argument(_PAD, False)
    oov_method: Literal["floormod", "farmhash"] = argument(
        "how what it lacks is spread over several places", "floormod"
    )
    salt: Salt | None = argument("a number, or two, that other hashes are made with", None)

    @model_validator(mode="after")
    def _salt_is_used(self) -> IntegerLookup:
        if self.salt is not None and self.oov_method != "farmhash":
            raise conflict("salt", "salt stands beside oov_method: floormod, which hashes nothing", "farmhash")
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        require_dtype(given, Takes.NUMBERS, "IntegerLookup")
        return self.looked_up(given)


class StringLookup(Lookup):
    """Gives each word its place in a vocabulary; or, inverted, each place its word."""

    what = "words"
    legacy = Legacy(lacking=("salt",))
    examples = (
        Example({"vocabulary": ["red", "green", "blue"]}, (TensorType((BATCH, 4), "string"),)),
        Example(
            {"vocabulary": ["red", "green", "blue"], "output_mode": "one_hot"}, (TensorType((BATCH, 1), "string"),)
        ),
        Example({"vocabulary": ["red", "green"], "invert": True}, (TensorType((BATCH, 4), "int64"),)),
    )

    max_tokens: _AtLeastTwo | None = argument(_MAX_TOKENS, None)
    num_oov_indices: NonNegativeInt = argument("how many places there are for words that it lacks", 1)
    mask_token: str | None = argument("the word that stands for padding, and becomes 0", None)
    oov_token: str | None = argument("the word that an inverted layer gives for what it lacks", "[UNK]")
    vocabulary: Words | None = argument(_VOCABULARY, None)
    idf_weights: _Weights | None = argument(_IDF, None)
    invert: bool = argument("whether places are turned into words", False)
    output_mode: _Mode = argument("how places are given", "int")
    pad_to_max_tokens: bool = argument(_PAD, False)
    sparse: Dense = argument("whether the output is a sparse tensor; those of a graph are dense", False)
    encoding: str = argument("how the words are encoded", "utf-8")
    salt: Salt | None = argument("a number, or two, that other hashes are made with", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if self.invert:
            require_dtype(given, Takes.NUMBERS, "StringLookup with invert: true")
        else:
            require_strings(given, "StringLookup")
        return self.looked_up(given)


def require_strings(given: TensorType, who: str) -> None:
    """Refuses a tensor that does not hold strings.

    Arguments:
        given: the tensor.
        who: what reads strings, as it begins a sentence.

    Raises:
        Misfit: it holds something else.
    """
    if given.dtype != "string":
        raise Misfit(
            f"{who} reads strings, and the input is {given.dtype}",
            found=given.dtype,
            expected="string",
            hint="write dtype: string at the input",
            code="GB305",
        )


def _ngrams(value: Any) -> Any:
    items = value if isinstance(value, (list, tuple)) else (value,)
    if not items or any(not isinstance(item, int) or isinstance(item, bool) or item < 1 for item in items):
        raise refuse("a positive integer, or a list of them")
    return tuple(value) if isinstance(value, list) else value


_Ngrams = Annotated[
    int | tuple[int, ...],
    BeforeValidator(_ngrams),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1}]}),  # noqa: E501
]  # fmt: skip


class TextVectorization(LayerEntry):
    """Splits texts into words and gives each word its place in a vocabulary; or counts the words of each text.

    Place 0 is padding and place 1 what the vocabulary lacks; columns begin with what it lacks.
    """

    family = "categorical"
    masking = Masking.LOSES
    reading = Reading.NAMES
    examples = (
        Example({"vocabulary": ["the", "cat", "sat"], "output_sequence_length": 8}, (TensorType((BATCH,), "string"),)),
        Example({"vocabulary": ["the", "cat", "sat"], "output_mode": "multi_hot"}, (TensorType((BATCH,), "string"),)),
        Example({"vocabulary": ["a", "b"], "split": "character"}, (TensorType((BATCH, 1), "string"),)),
    )

    max_tokens: _AtLeastTwo | None = argument(_MAX_TOKENS, None)
    standardize: Literal["lower_and_strip_punctuation", "lower", "strip_punctuation"] | None = argument(
        "what is done to a text before it is split", "lower_and_strip_punctuation"
    )
    split: Literal["whitespace", "character"] | None = argument(
        "where texts are split; null takes each string for a word", "whitespace"
    )
    ngrams: _Ngrams | None = argument("how many words that follow one another are looked up together", None)
    output_mode: _Mode = argument("how places are given", "int")
    output_sequence_length: PositiveInt | None = argument(
        "how many places each text has; longer ones are cut, shorter ones padded", None
    )
    pad_to_max_tokens: bool = argument(_PAD, False)
    vocabulary: Words | None = argument(_VOCABULARY, None)
    idf_weights: _Weights | None = argument(_IDF, None)
    sparse: Dense = argument("whether the output is a sparse tensor; those of a graph are dense", False)
    ragged: Dense = argument("whether texts keep their lengths; the tensors of a graph are dense", False)
    encoding: str = argument("how the words are encoded", "utf-8")

    @model_validator(mode="after")
    def _fits_together(self) -> TextVectorization:
        if self.output_mode != "int" and self.output_sequence_length is not None:
            raise conflict(
                "output_sequence_length",
                f"output_sequence_length stands beside output_mode: {self.output_mode}, which counts whole texts",
                "output_mode: int",
            )
        self._lookup()
        return self

    def _lookup(self) -> StringLookup:
        """What looks the words up.

        Raises:
            ValidationError: the vocabulary is none.
        """
        return StringLookup(
            max_tokens=self.max_tokens,
            vocabulary=self.vocabulary,
            idf_weights=self.idf_weights,
            pad_to_max_tokens=self.pad_to_max_tokens,
            mask_token="",
            output_mode=self.output_mode,
        )

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        require_strings(given, "TextVectorization")
        if self.output_mode == "int":
            self._require_texts(given, (1, 2) if self.split else (2,))
            return TensorType((given.shape[0], self.output_sequence_length), "int64")
        self._require_texts(given, (1,) if self.split else (2,))
        return self._lookup().looked_up(given.with_shape((given.shape[0], 1)))

    def _require_texts(self, given: TensorType, ranks: tuple[int, ...]) -> None:
        """Refuses texts in a shape for which Keras announces another one than it computes.

        Raises:
            Misfit: they are in such a shape.
        """
        fits = given.rank in ranks and (given.rank == 1 or not self.split or may_equal(given.shape[1], 1))
        if not fits:
            names = {1: "(batch,)", 2: "(batch, 1)" if self.split else "(batch, words)"}
            raise wrong_rank(given, " or ".join(names[rank] for rank in ranks), "write shape: [] at the input")
