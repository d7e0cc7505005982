"""What `search:` says beside a pass: which of its options `compress --search` may vary, and over which values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from graphbuilder.catalog.arguments import as_written, conflict
from graphbuilder.errors import suggestion

__all__ = ["SEARCHED", "Ranges", "Searched", "check_ranges"]

# What is tried for each option: two numbers of a continuous one are a range, any other list holds the choices.
Ranges: TypeAlias = Mapping[str, tuple[int | float, ...]]


@dataclass(frozen=True, slots=True)
class Searched:
    """An option that a search can vary.

    Arguments:
        continuous: whether two numbers are the ends of a range rather than two choices.
        expected: the numbers that it takes, in words.
        accepts: whether it takes a number.
    """

    continuous: bool
    expected: str
    accepts: Callable[[int | float], bool]


def _share(value: int | float) -> bool:
    return 0 < value < 1


# By the name of the option, whichever pass it belongs to.
SEARCHED: Mapping[str, Searched] = {
    "sparsity": Searched(True, "numbers between 0 and 1", _share),
    "clusters": Searched(False, "integers from 2 to 4096", lambda value: type(value) is int and 2 <= value <= 4096),
    "rank": Searched(False, "integers of at least 1", lambda value: type(value) is int and value >= 1),
    "energy": Searched(True, "numbers between 0 and 1", _share),
    "learning_rate": Searched(True, "numbers above 0", lambda value: 0 < value < float("inf")),
}


def check_ranges(value: Any, options: Sequence[str]) -> Any:
    """Refuses what is no mapping from options to lists of numbers that they take.

    Arguments:
        value: what stands under `search`.
        options: those of the pass that can be varied.
    """
    example = "a mapping such as {sparsity: [0.5, 0.95]}" if "sparsity" in options else "a mapping of options to lists"
    if not isinstance(value, dict):
        raise conflict((), f"search is {as_written(value)}", example, code="GB204")
    found: dict[str, tuple[int | float, ...]] = {}
    for option, numbers in value.items():
        if option not in options:
            hint = suggestion(option, options, listing=f"--search can vary {', '.join(options)}")
            raise conflict((option,), f"--search cannot vary {option}", hint=hint, code="GB201", on_key=True)
        known = SEARCHED[option]
        if not isinstance(numbers, (list, tuple)) or not numbers:
            raise conflict((option,), f"{option} is {as_written(numbers)}", f"a list of {known.expected}")
        for index, number in enumerate(numbers):
            if type(number) not in (int, float) or not known.accepts(number):
                raise conflict((option, index), f"{option} holds {as_written(number)}", known.expected)
        if any(low >= high for low, high in pairwise(numbers)):
            raise conflict((option,), f"{option} is {as_written(list(numbers))}", "numbers in ascending order")
        found[option] = tuple(numbers)
    return found
