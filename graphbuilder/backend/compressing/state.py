"""All that a training must have again to go on, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuilder.errors import BlueprintError, Diagnostic

__all__ = ["restore_state", "state_of"]


def _places(ruled: Any) -> dict[str, Any]:
    """Every variable of a ruled model, its rules and its optimizer, by a name that does not depend on the process."""
    found = {f"model/{number}": variable for number, variable in enumerate(ruled.variables)}
    found["step"] = ruled.ruled.step
    for (layer, weight), rule in ruled.ruled.rules.items():
        found |= {f"rule/{layer}/{weight}/{name}": variable for name, variable in rule.state().items()}
    optimizer = ruled.optimizer
    if optimizer is not None:
        variables = optimizer.variables() if callable(optimizer.variables) else optimizer.variables
        found |= {f"optimizer/{number}": variable for number, variable in enumerate(variables)}
    return found


def state_of(ruled: Any) -> dict[str, Any]:
    """The values of all variables, by name.

    Arguments:
        ruled: a compiled model that trains by rules.
    """
    return {name: variable.numpy() for name, variable in _places(ruled).items()}


def restore_state(ruled: Any, arrays: Mapping[str, Any]) -> None:
    """Sets all variables to a state that an equal model gave.

    Arguments:
        ruled: the model, compiled the same way.
        arrays: the state.

    Raises:
        BlueprintError: it is the state of something else.
    """
    places = _places(ruled)
    differing = sorted(
        name
        for name in places.keys() | arrays.keys()
        if name not in places or name not in arrays or tuple(places[name].shape) != tuple(arrays[name].shape)
    )
    if differing:
        message = f"the state is of another pass or optimizer: it differs in {', '.join(differing[:3])}"
        raise BlueprintError(Diagnostic("GB723", message, hint="start the pass anew"))
    for name, variable in places.items():
        variable.assign(arrays[name])
