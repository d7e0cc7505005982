"""What `graphbuilder explain --format json` prints."""

from __future__ import annotations

from typing import Any

from graphbuilder.analysis.explain_alternatives import Alternative
from graphbuilder.analysis.explain_fusion import ExplainedAdapter, ExplainedBranch, ExplainedFusion
from graphbuilder.analysis.explain_model import Explanation
from graphbuilder.cli.show_json import node_data, tensor_data
from graphbuilder.graph import Origin

__all__ = ["document"]


def document(explained: Explanation) -> dict[str, Any]:
    """An explanation as plain data. Tensors and numbers are as in `show --format json`; see `show_json.document`.

    The keys:
        ok: true; with a blueprint that is wrong the document is {ok: false, diagnostics: […]} instead.
        name: the path. node: input, layer, op, fusion, block, or part (of a fusion).
        kind: the layer, op, fusion or block; the modality of an input.
        does: what it does, a list of paragraphs. about: the author's description.
        place: {file, line, column} of what is written. used: the same of the user's node that led there, or null.
        part_of: the blocks and fusions around it, the outermost first. reason: for an adapter, why it is there.
        arguments: a list of {name, value, default, about}; `default` tells whether the value is that.
        inputs: a list of {port, value, shape, dtype, masked, giver}.
        outputs: a list of {name, shape, dtype, masked, modalities}. is_output: whether one is the model's.
        consumers: the nodes that read them.
        weights: a list of {node, name, shape, size, trainable}, or null where they are unknown.
        shares, shared_by, parameters, trainable, macs: as in `show`.
        calls: the nodes that it stands for, as in `show`.
        chains: how each input came from an input of the model: lists of {name, kind, shape, dtype}. A link without a
            kind stands for as many as its name says.
        fusion: null, or {strategy, does, source, branches, own, parameters, macs}. A branch is {name, role, modalities,
            arrives, merged, stated, adapters, alternatives}, both types {shape, dtype}. An adapter is {call, written,
            kind, does, reason, takes, gives, elements, parameters, macs}, with `elements` a pair: before and after. An
            alternative is {written, adapters, does, branch, merged, parameters, macs, others}: the numbers are how
            many there would be more, `others` how other branches would then be merged, by name.
        diagnostics: the warnings about it.
    """
    return {
        "ok": True,
        "name": explained.name,
        "node": explained.node,
        "kind": explained.kind,
        "does": list(explained.does),
        "about": explained.about,
        "place": _place(explained.origin),
        "used": _place(explained.used),
        "part_of": list(explained.part_of),
        "reason": explained.reason,
        "arguments": [
            {"name": each.name, "value": each.value, "default": each.default, "about": each.about}
            for each in explained.arguments
        ],
        "inputs": [
            {
                "port": each.port,
                "value": each.value,
                **tensor_data(each.type),
                "masked": each.masked,
                "giver": each.giver,
            }
            for each in explained.inputs
        ],
        "outputs": [
            {
                "name": value.name,
                **tensor_data(value.type),
                "masked": value.masked,
                "modalities": list(value.modalities),
            }
            for value in explained.outputs
        ],
        "is_output": explained.is_output,
        "consumers": list(explained.consumers),
        "weights": None
        if explained.weights is None
        else [
            {
                "node": node,
                "name": weight.name,
                "shape": list(weight.shape),
                "size": weight.size,
                "trainable": weight.trainable,
            }
            for node, weight in explained.weights
        ],
        "shares": explained.shares,
        "shared_by": list(explained.shared_by),
        "parameters": explained.parameters,
        "trainable": explained.trainable,
        "macs": explained.macs,
        "calls": [node_data(call) for call in explained.calls],
        "chains": [
            [{"name": link.name, "kind": link.kind or None, **tensor_data(link.type)} for link in chain]
            for chain in explained.chains
        ],
        "fusion": None if explained.fusion is None else _fusion(explained.fusion),
        "diagnostics": [found.to_json() for found in explained.warnings],
    }


def _place(origin: Origin | None) -> dict[str, Any] | None:
    if origin is None:
        return None
    position = origin.position(key=True)
    return {"file": origin.source.name, "line": position.line, "column": position.column}


def _fusion(fusion: ExplainedFusion) -> dict[str, Any]:
    return {
        "strategy": fusion.strategy,
        "does": list(fusion.does),
        "source": fusion.source,
        "branches": [_branch(branch) for branch in fusion.branches],
        "own": [call.name for call in fusion.own],
        "parameters": fusion.parameters,
        "macs": fusion.macs,
    }


def _branch(branch: ExplainedBranch) -> dict[str, Any]:
    return {
        "name": branch.name,
        "role": branch.role,
        "modalities": list(branch.modalities),
        "arrives": tensor_data(branch.arrives),
        "merged": tensor_data(branch.merged),
        "stated": branch.stated,
        "adapters": [_adapter(adapter) for adapter in branch.adapters],
        "alternatives": [_alternative(other) for other in branch.alternatives],
    }


def _adapter(adapter: ExplainedAdapter) -> dict[str, Any]:
    return {
        "call": adapter.call,
        "written": adapter.written,
        "kind": adapter.kind,
        "does": adapter.does,
        "reason": adapter.reason,
        "takes": tensor_data(adapter.takes),
        "gives": tensor_data(adapter.gives),
        "elements": list(adapter.elements),
        "parameters": adapter.parameters,
        "macs": adapter.macs,
    }


def _alternative(other: Alternative) -> dict[str, Any]:
    return {
        "written": other.written,
        "adapters": list(other.adapters),
        "does": other.does,
        "branch": tensor_data(other.branch),
        "merged": tensor_data(other.merged),
        "parameters": other.parameters,
        "macs": other.macs,
        "others": {name: tensor_data(found) for name, found in other.others.items()},
    }
