"""Makes what layers draw in training depend on the seed and the epoch alone, in both Kerases."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from graphbuilder.backend.saving import is_legacy

__all__ = ["reproducible_random"]


@contextlib.contextmanager
def reproducible_random(model: Any, seed: int) -> Iterator[Callable[[int], None]]:
    """Gives a function that sets every random generator of a model for an epoch.

    Keras 3's layers keep their generators' states, tf_keras's do not by default: theirs are replaced by ones that do
    while the training lasts.

    Arguments:
        model: a model of either Keras.
        seed: the training's seed.

    Yields:
        What to call with the epoch's number, from 0, before it begins.
    """
    if is_legacy(model):
        with _stateful(model) as generators:
            yield lambda epoch: _restart_legacy(generators, seed, epoch)
    else:
        generators = _generators(model)
        yield lambda epoch: _restart(generators, seed, epoch)


def _drawn(seed: int, epoch: int, number: int) -> int:
    """The seed of one generator in one epoch."""
    import numpy as np

    return int(np.random.SeedSequence([seed, epoch, number]).generate_state(1)[0])


def _generators(model: Any) -> list[Any]:
    """The seed generators of a Keras 3 model's layers, in order."""
    found: dict[int, Any] = {}
    for layer in model._flatten_layers():
        for generator in getattr(layer, "_seed_generators", ()):
            found.setdefault(id(generator), generator)
    return list(found.values())


def _restart(generators: list[Any], seed: int, epoch: int) -> None:
    for number, generator in enumerate(generators):
        generator.state.assign([_drawn(seed, epoch, number), 0])


@contextlib.contextmanager
def _stateful(model: Any) -> Iterator[list[Any]]:
    """Gives the generators of a tf_keras model, made so that their state can be set."""
    from tf_keras.src.backend import RandomGenerator

    held = []
    for layer in model._flatten_layers():
        generator = getattr(layer, "_random_generator", None)
        if isinstance(generator, RandomGenerator) and generator._rng_type == RandomGenerator.RNG_LEGACY_STATEFUL:
            held.append(generator)
    for generator in held:
        generator._rng_type = RandomGenerator.RNG_STATEFUL
        generator._built = False
        generator._maybe_init()
    if held:
        # A training step that was traced before would go on with the old generators.
        model.train_function = None
    try:
        yield [generator for generator in held if generator._generator is not None]
    finally:
        for generator in held:
            generator._rng_type = RandomGenerator.RNG_LEGACY_STATEFUL
            generator._generator = None
        if held:
            model.train_function = None


def _restart_legacy(generators: list[Any], seed: int, epoch: int) -> None:
    for number, generator in enumerate(generators):
        generator._generator.reset_from_seed(_drawn(seed, epoch, number))
