"""The classic interleavings of two to four transactions, each showing one anomaly.

Sources: Berenson et al., "A Critique of ANSI SQL Isolation Levels" (1995), for P0, P1, P4, A5A and
A5B; Adya, Liskov, O'Neil (2000) for the G names; Sovran et al., "Transactional storage for
geo-replicated systems" (2011), for the long fork.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from txfuzz.analysis.checker.consistency import prohibited
from txfuzz.common.kind import Kind
from txfuzz.database.api import Database
from txfuzz.replay.replayer import Replayer, follow_schedule
from txfuzz.replay.result import ReplayResult
from txfuzz.testing.sessions import WRITE
from txfuzz.transactions.model import Choice, Step, Transaction
from txfuzz.workload.model import KeyLife, Weight, Workload
from txfuzz.workload.replay import Action, Participant, Replay

_STEP = re.compile(r"([rw])(\d)")


@dataclass(frozen=True)
class Scenario:
    """transactions: alias → its steps, as "r1 w2". schedule: aliases in the order of their steps;
    "A." commits, "A!" rolls back. anomaly: what it shows unless prevented."""

    name: str
    anomaly: str
    transactions: Mapping[str, str]
    schedule: str

    def workload(self, kind: Kind) -> Workload:
        transactions = tuple(
            Transaction(
                alias,
                tuple(
                    Step("r" if f == "r" else WRITE[kind], Choice((int(key),)))
                    for f, key in _STEP.findall(steps)
                ),
            )
            for alias, steps in self.transactions.items()
        )
        participants = tuple(Participant(alias, alias) for alias in self.transactions)
        actions = {"": "step", ".": "commit", "!": "rollback"}
        return Workload(
            name=self.name,
            transactions=transactions,
            mix=tuple(Weight(each.name, 1.0) for each in transactions),
            keys=KeyLife(rows="inserted"),
            replay=Replay(
                participants,
                tuple(Action(actions[act[1:]], act[0]) for act in self.schedule.split()),
            ),
        )


SCENARIOS = tuple(
    Scenario(name, anomaly, dict(each.split(": ") for each in transactions.split("; ")), schedule)
    for name, anomaly, transactions, schedule in (
        ("dirty write", "G0", "A: w1 w2; B: w1 w2; C: r1 r2", "A B A A. B B. C C C."),
        ("dirty read", "G1a", "A: w1; B: r1", "A B A! B."),
        ("intermediate read", "G1b", "A: w1 w1; B: r1", "A B A A. B."),
        ("circular reads", "G1c", "A: w1 r2; B: w2 r1", "A B A B A. B."),
        ("read skew", "G-single-item", "A: r1 r2; B: w1 w2", "A B B B. A A."),
        ("lost update", "lost-update", "A: r1 w1; B: r1 w1", "A B A A. B B."),
        ("long fork", "G-nonadjacent-item", "A: w1; B: w2; C: r1 r2; D: r1 r2",
         "A B D A. C C C. B. D D."),
        ("write skew", "G2-item", "A: r1 r2 w1; B: r1 r2 w2", "A A B B A B A. B."),
    )
)  # fmt: skip


def scenario(name: str) -> Scenario:
    return next(each for each in SCENARIOS if each.name == name)


def play(database: Database, scenario: Scenario, kind: Kind, isolation: str, expect: str) -> ReplayResult:
    """Run it once on fresh tables, checked against `expect`."""
    with Replayer(database, kind, isolation, fresh=True) as player:
        return follow_schedule(player, scenario.workload(kind), expect)[0]


def forbidden(result: ReplayResult, model: str) -> list[str]:
    """The anomalies in the result that contradict the model."""
    return sorted(set(result.anomalies) & prohibited(model))
