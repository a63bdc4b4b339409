"""The same work without optimisation: edn_format reads, networkx finds components.

The baseline for benchmarks/checking.py: list-append histories, serializable order only.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import edn_format
import networkx as nx

KEYWORD = edn_format.Keyword


def read(path: str) -> list[dict[Any, Any]]:
    with open(path) as lines:
        return [edn_format.loads(line) for line in lines]


def dependency_graph(operations: list[dict[Any, Any]]) -> nx.DiGraph[int]:
    """ww, wr and rw edges between completed transactions, by their indices."""
    done = [
        (op[KEYWORD("index")], op[KEYWORD("value")])
        for op in operations
        if op[KEYWORD("type")] in (KEYWORD("ok"), KEYWORD("info"))
    ]
    append = KEYWORD("append")
    longest: dict[Any, tuple[Any, ...]] = {}
    writer: dict[tuple[Any, Any], int] = {}
    readers: defaultdict[tuple[Any, Any], set[int]] = defaultdict(set)
    for index, mops in done:
        for f, key, value in mops:
            if f == append:
                writer[key, value] = index
            elif value is not None:
                readers[key, value[-1] if value else None].add(index)
                if len(value) > len(longest.get(key, ())):
                    longest[key] = tuple(value)
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(index for index, _ in done)
    after: dict[tuple[Any, Any], Any] = {}
    for key, order in longest.items():
        after.update(((key, before), value) for before, value in pairwise([None, *order]))
    observed = {(key, value) for (key, _), value in after.items()}
    for (key, value), index in writer.items():
        if (key, value) not in observed:
            last = longest[key][-1] if key in longest else None
            _join(graph, writer, readers, key, last, index)
    for (key, before), value in after.items():
        if (key, value) in writer:
            _join(graph, writer, readers, key, before, writer[key, value])
    for (key, value), seen in readers.items():
        if (key, value) in writer:
            graph.add_edges_from((writer[key, value], index, {"kind": "wr"}) for index in seen)
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return graph


def _join(graph: nx.DiGraph[int], writer: Any, readers: Any, key: Any, before: Any, index: int) -> None:
    if (key, before) in writer:
        graph.add_edge(writer[key, before], index, kind="ww")
    graph.add_edges_from((reader, index, {"kind": "rw"}) for reader in readers[key, before])


def components(graph: nx.DiGraph[int]) -> list[set[int]]:
    return [found for found in nx.strongly_connected_components(graph) if len(found) > 1]
