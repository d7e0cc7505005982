"""What `graphbuilder show --format json` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphbuilder.analysis import Analysis, CallSummary, Row, Totals, fold
from graphbuilder.catalog import TensorType
from graphbuilder.cli.analyze_json import field_data, memory_data
from graphbuilder.errors import Diagnostic
from graphbuilder.graph import Fusion

__all__ = ["document", "node_data", "tensor_data"]


def document(
    analysis: Analysis, params: Mapping[str, Any], diagnostics: Iterable[Diagnostic], depth: int | None = None
) -> dict[str, Any]:
    """A graph in numbers, as plain data.

    A tensor has a `shape`, a list of sizes with the batch axis in front, where a word names an unknown size and null is
    one without a name, and a `dtype`; both are null where a custom layer does not state them. Numbers that are unknown
    are null.

    The keys:
        ok: true; with a blueprint that is wrong the document is {ok: false, diagnostics: […]} instead.
        name, about: the model's.
        params: the values of the blueprint's params.
        inputs: a list of {name, shape, dtype, modality, about}.
        nodes: a list of calls, each after those that feed it:
            name: the path. kind: the layer or op. about: the author's description.
            inputs: the values that arrive, each once; those of other nodes by `outputs[].name`, the model's by name.
            outputs: what it gives, a list of {name, shape, dtype, masked}.
            layer: the layer that is applied, null for an op.
            shares: the node that is counted for the layer's weights, where it is another one; null elsewhere.
            shared_by: the later nodes that use this one's weights.
            parameters, trainable, non_trainable: numbers in its weights; 0 where `shares` is not null.
            macs: multiply-accumulates for one sample.
            output_bytes, receptive_field: as `analyze --format json` has them.
        fusions: what each `fuse:` node became, a list of {name, strategy, branches, calls, about}. A branch is
            {name, role, value, shape, dtype, merged, modalities, stated, adapters}: the value that arrives with its
            shape and dtype, and under `merged` {shape, dtype} as it is merged. An adapter is {call, written, reason,
            shape, dtype}: the node that does it, as `align:` would write it, why, and what comes of the branch.
        pretrained: the weights that blocks begin with, by the paths of these: `imagenet`, or the name of a file.
        outputs: a list of {name, value, shape, dtype, masked}: `value` is one of the values above, `name` its key in a
            mapping, its number in a list, null where there is just one output.
        totals: {parameters, trainable, non_trainable, unknown_weights, size, macs, unknown_macs, memory}: sums of what
            is known, the names of the layers and nodes that are in none of them, `size` in bytes by dtype, and `memory`
            as `analyze --format json` has it.
        rows: null, or with --depth the rows of the table: {name, kind, sources, shape, dtype, parameters, macs, nodes}.
        diagnostics: the warnings, and what is wrong with passes and the budget.
    """
    summary = analysis.summary
    rows = None if depth is None else [_row(row) for row in fold(summary, depth)]
    return {
        "ok": True,
        "name": summary.name,
        "about": summary.about,
        "params": dict(params),
        "inputs": [
            {"name": item.name, **tensor_data(item.type), "modality": item.modality, "about": item.about}
            for item in summary.inputs
        ],
        "nodes": [
            {
                **node_data(node.call),
                "output_bytes": node.output_bytes,
                "receptive_field": field_data(node.receptive_field),
            }
            for node in analysis.nodes
        ],
        "fusions": [_fusion(fusion) for fusion in summary.fusions],
        "pretrained": dict(summary.pretrained),
        "outputs": [
            {"name": item.name, "value": item.value, **tensor_data(item.type), "masked": item.masked}
            for item in summary.outputs
        ],
        "totals": {**_totals(summary.totals), "memory": memory_data(analysis.memory)},
        "rows": rows,
        "diagnostics": [item.to_json() for item in diagnostics],
    }


def tensor_data(found: TensorType | None) -> dict[str, Any]:
    """The shape and dtype of a tensor."""
    return {"shape": None, "dtype": None} if found is None else {"shape": list(found.shape), "dtype": found.dtype}


def node_data(call: CallSummary) -> dict[str, Any]:
    """One call."""
    return {
        "name": call.name,
        "kind": call.kind,
        "inputs": list(call.inputs),
        "outputs": [
            {"name": name, **tensor_data(found), "masked": masked}
            for name, found, masked in zip(call.values, call.outputs, call.masked, strict=True)
        ],
        "layer": call.layer,
        "shares": call.shares,
        "shared_by": list(call.shared_by),
        "parameters": call.parameters,
        "trainable": call.trainable,
        "non_trainable": call.non_trainable,
        "macs": call.macs,
        "about": call.about,
    }


def _fusion(fusion: Fusion) -> dict[str, Any]:
    return {
        "name": fusion.name,
        "strategy": fusion.strategy,
        "branches": [
            {
                "name": branch.name,
                "role": branch.role,
                "value": branch.value.name,
                **tensor_data(branch.value.type),
                "merged": tensor_data(branch.adapted.type),
                "modalities": list(branch.value.modalities),
                "stated": branch.stated,
                "adapters": [
                    {
                        "call": adapter.call,
                        "written": adapter.written,
                        "reason": adapter.reason,
                        **tensor_data(adapter.gives),
                    }
                    for adapter in branch.adapters
                ],
            }
            for branch in fusion.branches
        ],
        "calls": list(fusion.calls),
        "about": fusion.about,
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "parameters": totals.parameters,
        "trainable": totals.trainable,
        "non_trainable": totals.non_trainable,
        "unknown_weights": list(totals.unknown_weights),
        "size": dict(totals.size),
        "macs": totals.macs,
        "unknown_macs": list(totals.unknown_macs),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind or None,
        "sources": list(row.sources),
        **tensor_data(row.type),
        "parameters": row.parameters,
        "macs": row.macs,
        "nodes": [call.name for call in row.calls],
    }
