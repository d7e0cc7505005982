"""What TFLite's converter says when it refuses, as errors at the nodes that it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from graphbuilder.backend.runtime_flatbuffer import Operator, nodes_in
from graphbuilder.errors import BlueprintError, Diagnostic, GraphbuilderError
from graphbuilder.graph import Graph

__all__ = ["conversion_error", "locate", "refuse_custom"]

# In the converter's messages: the operators that TFLite lacks, the one that a scheme lacks, and scopes of layers.
_LACKING = re.compile(r"(?:TF Select ops|Custom ops|ops that need.*?|Flex ops):\s*([\w, ]+)")
_NO_KERNEL = re.compile(r"Quantization to (\S+) not yet supported for op: '(\w+)'")
_SCOPE = re.compile(r'"([^"\s]+/[^"\s]*?)(?:@[^"]*)?"')
_FLEX_HINT = "use other layers or ops there; or allow TensorFlow's operators, if the runtime has them (allow_flex)"


def conversion_error(error: Exception, scheme: str, nodes: Mapping[str, str]) -> GraphbuilderError:
    """The error to raise for what the converter raised.

    Arguments:
        error: the converter's exception.
        scheme: what was asked for.
        nodes: the blueprint's paths by the names that the converter knows.
    """
    if isinstance(error, GraphbuilderError):
        return error
    text = str(error)
    lacking = _LACKING.search(text)
    found = tuple(dict.fromkeys(nodes[name] for scope in _SCOPE.findall(text) for name in nodes_in(scope, nodes)))
    if lacking:
        names = ", ".join(sorted({name.strip() for name in lacking[1].split(",") if name.strip()}))
        return _at(found, "GB812", f"TFLite has no operator for {names}", _FLEX_HINT)
    kernel = _NO_KERNEL.search(text)
    if kernel:
        hint = "choose int8, float16 or dynamic, or leave the layer out under except:"
        return _at(found, "GB811", f"TFLite's {kernel[2]} cannot compute in {scheme}", hint)
    if "tensorlistreserve" in text.casefold() or "TensorListReserve" in text:
        hint = "convert with a batch of 1"
        return _at(found, "GB811", "recurrent layers convert only for a fixed number of samples", hint)
    reason = " ".join(text.split())
    return _at(found, "GB811", f"the converter refuses {scheme}: {reason[:400]}", None)


def refuse_custom(operators: Iterable[Operator], allow_flex: bool) -> None:
    """Refuses a converted model with operators that are none of TFLite's own.

    Raises:
        BlueprintError: it has some, and they are not TensorFlow's or those are not allowed.
    """
    found = [step for step in operators if step.custom and not (step.flex and allow_flex)]
    if not found:
        return
    problems = []
    for name in sorted({step.name for step in found}):
        nodes = tuple(dict.fromkeys(node for step in found if step.name == name for node in step.nodes))
        problems.append(_diagnostic(nodes, "GB812", f"the converted model needs the operator {name}", _FLEX_HINT))
    raise BlueprintError(problems)


def _at(nodes: Sequence[str], code: str, message: str, hint: str | None) -> BlueprintError:
    return BlueprintError(_diagnostic(nodes, code, message, hint))


def _diagnostic(nodes: Sequence[str], code: str, message: str, hint: str | None) -> Diagnostic:
    others = f" (also at {', '.join(nodes[1:])})" if len(nodes) > 1 else ""
    return Diagnostic(code, message + others, node=nodes[0] if nodes else None, hint=hint)


def locate(error: GraphbuilderError, graph: Graph) -> GraphbuilderError:
    """The same error with the places of its nodes in the blueprint; the message is made where no blueprint is."""
    from dataclasses import replace

    located = []
    for found in error.diagnostics:
        call = graph.calls.get(found.node) if found.node is not None and found.file is None else None
        if call is None:
            located.append(found)
        else:
            where = call.origin
            located.append(replace(found, file=where.source.name, position=where.position(key=True)))
    error.diagnostics = tuple(located)
    error.args = ("\n".join(str(found) for found in located),)
    return error
