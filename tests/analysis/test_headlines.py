"""Headlines: the plain name of a finding's shape, its type, and what happened; and which finding leads."""

from __future__ import annotations

from typing import Any

import pytest

from txfuzz.analysis.checker.anomaly_types import known_types
from txfuzz.analysis.explain.headlines import headline, headline_parts, telling, telling_type, with_headlines
from txfuzz.analysis.result import Anomaly, Edge, TransactionView
from txfuzz.analysis.views.mop_view import MopView

WRITES = (MopView("r", 1, ()), MopView("append", 1, 2))
READS = (MopView("r", 1, ()),)


def view(row: int, template: str | None, mops: tuple[MopView, ...] = WRITES) -> TransactionView:
    return TransactionView(row, 10 * row, row, template, mops)


def cycle(type: str, *edges: tuple[str, Any], names: tuple[str | None, ...] = ("book", "pay")) -> Anomaly:
    """edges: kinds and keys, from one transaction to the next."""
    views = tuple(view(row, name) for row, name in enumerate(names))
    ring = [Edge(kind, row, (row + 1) % len(edges), key, None) for row, (kind, key) in enumerate(edges)]
    return Anomaly(type, views, "", "", tuple(ring))


def fact(type: str, *names: str | None, **record: Any) -> Anomaly:
    views = tuple(view(row, name) for row, name in enumerate(names))
    return Anomaly(type, views, "T1 did it.", "", (), record)


@pytest.mark.parametrize(
    ("anomaly", "said"),
    [
        (
            cycle("G2-item", ("rw", 28), ("rw", 27)),
            "Write skew (G2-item): book and pay each missed what the other wrote (keys 28 and 27)",
        ),
        (
            cycle("G2-item", ("rw", 1), ("rw", 2), names=("book", "book")),
            "Write skew (G2-item): two book transactions each missed what the other wrote (keys 1 and 2)",
        ),
        (
            cycle("G2-item", ("rw", 1), ("rw", 2), names=(None, None)),
            "Write skew (G2-item): two transactions each missed what the other wrote (keys 1 and 2)",
        ),
        (
            cycle("G-single-item", ("ww", 3), ("rw", 3)),
            "Lost update (G-single-item): pay read key 3, book wrote it, and pay wrote it without having "
            "seen that",
        ),
        (  # the same cycle, begun at its other end
            cycle("G-single-item", ("rw", 3), ("ww", 3), names=("add", "add")),
            "Lost update (G-single-item): one add transaction read key 3, another wrote it, and the "
            "first wrote "
            "it without having seen that",
        ),
        (
            cycle("G-single-item", ("ww", 3), ("rw", 4)),
            "Read skew (G-single-item): pay missed what book wrote to key 4, but wrote key 3 after it",
        ),
        (
            cycle("G-single-item", ("wr", 1), ("rw", 2)),
            "Read skew (G-single-item): pay saw what book wrote to key 1, but not what it wrote to key 2",
        ),
        (
            cycle("G-single-item", ("wr", 1), ("rw", 1)),
            "Non-repeatable read (G-single-item): pay read key 1 both with and without what book wrote",
        ),
        (
            cycle(
                "G-nonadjacent-item",
                ("rw", 2), ("wr", 1), ("rw", 1), ("wr", 2),
                names=("see", "put", "look", "set"),
            ),
            "Long fork (G-nonadjacent-item): look saw put (key 1) but not set (key 1), and see saw it "
            "the other "
            "way round",
        ),
        (
            cycle("G1c", ("wr", 1), ("wr", 2)),
            "Circular information flow (G1c): book and pay each read what the other wrote (keys 1 and 2)",
        ),
        (
            cycle("G0", ("ww", 1), ("ww", 2)),
            "Write cycle (G0): book and pay each overwrote what the other wrote (keys 1 and 2)",
        ),
        (
            cycle("G-single-item-realtime", ("realtime", None), ("rw", 5)),
            "Stale read (G-single-item-realtime): pay missed what book had written to key 5, though that had "
            "ended before it began",
        ),
        (
            cycle("G-single-item-process", ("process", None), ("rw", 5)),
            "Own write not seen (G-single-item-process): pay missed what book of the same client had "
            "written to "
            "key 5",
        ),
        (
            cycle("G2-item", ("rw", 1), ("rw", 2), ("ww", 3), names=("a", "b", "c")),
            "Anti-dependency cycle (G2-item): a missed what b wrote to key 1, b missed what c wrote to "
            "key 2 and "
            "a wrote key 3 after c",
        ),
        (
            cycle("G2-item", *[("rw", key) for key in range(7)], names=("a",) * 7),
            "Anti-dependency cycle (G2-item): 7 transactions depend on each other in a circle, 7 of "
            "which missed "
            "what the next one wrote",
        ),
        (
            fact("lost-update", "add", "add", key="3"),
            "Lost update (lost-update): two add transactions each read key 3 in the same state and then "
            "wrote it",
        ),
        (
            fact("lost-update", "add", "take", "add", key="3", txns=[1, 2, 3, 4]),
            "Lost update (lost-update): 4 transactions each read key 3 in the same state and then wrote it",
        ),
        (
            fact("G1a", "see", "put", mop="[:r 3 [1 2]]"),
            "Aborted read (G1a): see read what put wrote to key 3 and rolled back",
        ),
        (
            fact("internal", None, mop='[:r "a b" 1]'),
            'Non-repeatable read (internal): T1 did not find key "a b" as it had last read or written it '
            'itself',
        ),
        (fact("bank-total", "look"), "bank-total: T1 did it"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_a_finding_is_named_by_its_shape(anomaly: Anomaly, said: str) -> None:
    assert headline(anomaly) == said


def test_a_third_transaction_that_only_reads_has_a_name() -> None:
    views = (view(0, "report", READS), view(1, "book"), view(2, "pay"))
    edges = tuple(Edge(kind, at, (at + 1) % 3, at) for at, kind in enumerate(("rw", "rw", "wr")))
    told = headline(Anomaly("G2-item", views, "", "", edges))
    assert told.startswith("Read-only transaction anomaly (G2-item): report missed what book wrote")


def test_every_type_has_a_sentence_or_at_least_its_name() -> None:
    for type in known_types():
        kinds = [("ww", 1), ("rw", 2), ("wr", 3)]
        anomaly = cycle(type, *kinds, names=("a", "b", "c")) if type.startswith("G") else fact(type, "a", "b")
        title, sentence = headline_parts(anomaly)
        assert title.endswith(f"({type})"), title
        assert sentence, type
        assert "  " not in sentence, type


def test_a_headline_that_an_analyzer_has_set_is_kept() -> None:
    (kept,) = with_headlines([Anomaly("odd", (), "it is odd", "", headline="Odd: it is")])
    assert kept.headline == headline(kept) == "Odd: it is"


def test_the_most_telling_leads() -> None:
    lost, skew = fact("lost-update", "add", "add"), cycle("G-single-item", ("ww", 3), ("rw", 3))
    write_skew, total = cycle("G2-item", ("rw", 1), ("rw", 2)), fact("bank-total", "look")
    assert sorted([write_skew, skew, lost, total], key=telling) == [total, lost, skew, write_skew]
    # What contradicts the database's own promise leads, whatever it is called
    assert min([lost, write_skew], key=lambda each: telling(each, ["G2-item"])) is write_skew
    long = cycle("G2-item", ("rw", 1), ("rw", 2), ("rw", 3), names=("a", "b", "c"))
    assert min([long, write_skew], key=telling) is write_skew


def test_orders_come_behind_what_needs_none() -> None:
    assert telling_type("G2-item") < telling_type("G0-process") < telling_type("G1c-realtime")
    assert telling_type("G2-item-realtime") < telling_type("PL-SI-cycle-exists")
