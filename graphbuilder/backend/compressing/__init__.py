"""Carries out one compression pass on one model: pruning, clustering, training for 8 bits, thinner layers."""

from graphbuilder.backend.compressing.factoring import factor
from graphbuilder.backend.compressing.preparing import Finished, Prepared, prepare
from graphbuilder.backend.compressing.stripping import keras_model

__all__ = ["Finished", "Prepared", "factor", "keras_model", "prepare"]
