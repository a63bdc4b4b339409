"""Workloads with a `replay` stanza, composed of transactions and an order of their steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from txfuzz.replay.schedule.mvcc_model import Access, Event
from txfuzz.replay.schedule.pinned_keys import step_acts
from txfuzz.transactions.model import Transaction
from txfuzz.workload.model import KeyLife, Weight, Workload
from txfuzz.workload.replay import Action, Missing, Participant, Replay


@dataclass(frozen=True, slots=True)
class Role:
    """One transaction of a replay with all keys pinned, and the template that it was narrowed from.

    ends: commit or rollback.
    """

    alias: str
    transaction: Transaction
    template: str
    ends: str = "commit"

    @property
    def accesses(self) -> tuple[Access, ...]:
        acts = step_acts(self.transaction)
        return tuple(
            None
            if each is None
            else tuple(("w" if f != "r" else "l" if step.lock or step.form else "r", key) for f, key in each)
            for step, each in zip(self.transaction.steps, acts, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Aim:
    """What a replay is expected to show; see txfuzz.workload.replay.Replay."""

    anomaly: str | None = None
    focus_key: int | None = None
    missing: Missing | None = None


def compose(
    workload: Workload, roles: Sequence[Role], order: Sequence[Event], aim: Aim, *, rows: str, about: str = ""
) -> Workload:
    """The workload with only these transactions, and this order as its schedule."""
    names = _names(roles)
    transactions = {names[role.alias]: replace(role.transaction, name=names[role.alias]) for role in roles}
    participants = tuple(
        Participant(
            role.alias, names[role.alias], None if names[role.alias] == role.template else role.template
        )
        for role in roles
    )
    return replace(
        workload,
        about=about or workload.about,
        transactions=tuple(transactions.values()),
        mix=tuple(Weight(name, 1) for name in transactions),
        keys=KeyLife(workload.keys.writes, rows),
        faults=(),
        replay=Replay(
            participants,
            schedule(order, {role.alias: role for role in roles}),
            focus_key=aim.focus_key,
            pause_after=pauses(order, roles),
            missing=aim.missing,
            anomaly=aim.anomaly,
        ),
    )


def roles_of(workload: Workload) -> tuple[Role, ...]:
    """The roles that a replay workload is composed of."""
    assert workload.replay is not None
    rolled_back = {each.alias for each in workload.replay.schedule if each.action == "rollback"}
    return tuple(
        Role(
            each.alias,
            workload.transaction(each.txn),
            each.origin,
            "rollback" if each.alias in rolled_back else "commit",
        )
        for each in workload.replay.transactions
    )


def schedule(order: Iterable[Event], roles: Mapping[str, Role]) -> tuple[Action, ...]:
    """The order as actions; consecutive steps of one transaction are merged."""
    actions: list[Action] = []
    for alias, step in order:
        role = roles[alias]
        if step == len(role.transaction.steps):
            actions.append(Action(role.ends, alias))
        elif actions and actions[-1].action == "step" and actions[-1].alias == alias:
            actions[-1] = replace(actions[-1], steps=actions[-1].steps + 1)
        else:
            actions.append(Action("step", alias, 1))
    return tuple(actions)


def order_of(workload: Workload) -> tuple[Event, ...]:
    """The order of the stanza without sleeps; unfinished transactions are completed at the end."""
    assert workload.replay is not None
    counts = {each.alias: len(workload.transaction(each.txn).steps) for each in workload.replay.transactions}
    done = dict.fromkeys(counts, 0)
    order: list[Event] = []
    ended: set[str] = set()

    def steps(alias: str, upto: int) -> None:
        order.extend((alias, step) for step in range(done[alias], upto))
        done[alias] = max(done[alias], upto)

    for action in workload.replay.actions():
        if action.action == "sleep" or action.alias is None or action.alias in ended:
            continue
        alias = action.alias
        if action.action == "step":
            steps(alias, done[alias] + action.steps if action.steps else counts[alias])
        else:
            order.append((alias, counts[alias]))
            ended.add(alias)
    for alias in counts:
        if alias not in ended:
            steps(alias, counts[alias])
            order.append((alias, counts[alias]))
    return tuple(order)


def pauses(order: Sequence[Event], roles: Sequence[Role]) -> dict[str, tuple[int, ...]]:
    """Alias → the numbers of steps after which others interrupt it."""
    found: dict[str, tuple[int, ...]] = {}
    for role in roles:
        places = [at for at, (alias, _) in enumerate(order) if alias == role.alias]
        stops = tuple(step for step, (one, two) in enumerate(pairwise(places), 1) if two != one + 1)
        if stops:
            found[role.alias] = stops
    return found


def pause_warnings(workload: Workload) -> tuple[str, ...]:
    """Sentences about recorded pauses that the schedule does not make."""
    replay = workload.replay
    if replay is None or not replay.schedule:
        return ()
    sentences = []
    for alias, recorded in replay.pause_after.items():
        ends = [0]  # numbers of steps after which another entry of the schedule may follow
        for action in replay.schedule:
            if action.action == "step" and action.alias == alias:
                count = len(workload.transaction(replay.txn(alias)).steps)
                ends.append(ends[-1] + action.steps if action.steps else count)
        sentences += [
            f"pause_after has {alias!r} pause after step {step}, but the schedule does not: "
            "the schedule is followed"
            for step in recorded
            if step not in ends
        ]
    return tuple(sentences)


def _names(roles: Sequence[Role]) -> dict[str, str]:
    """A name for each transaction: that of its template if unambiguous."""
    by_template: dict[str, list[Role]] = {}
    for role in roles:
        by_template.setdefault(role.template, []).append(role)
    names = {}
    for template, alike in by_template.items():
        same = all(role.transaction.steps == alike[0].transaction.steps for role in alike)
        for role in alike:
            names[role.alias] = template if same else f"{template}_{role.alias}"
    return names
