"""The `replay` and `directed` stanzas of a workload file."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from txfuzz.errors import did_you_mean
from txfuzz.transactions.model import Choice, Transaction
from txfuzz.workload.directed import DirectedSchedule, DirectedTransaction, misfit
from txfuzz.workload.replay import ACTIONS, EDGES, Action, Missing, Participant, Replay
from txfuzz.workload.vocabulary import Vocabulary
from txfuzz.workload.yaml.nodes import Node

FIELDS = (
    "enabled", "transactions", "schedule", "focus_key", "pause_after", "missing", "anomaly",
)  # fmt: skip
_ENTRY = "an entry of the schedule"
_DIRECTED = ("transactions", "schedule", "missing", "focus_key", "anomaly")


def read_replay(node: Node, transactions: Sequence[Transaction], vocabulary: Vocabulary | None) -> Replay:
    """transactions: those of the workload. Raises WorkloadError."""
    fields = node.fields("replay", FIELDS, ("transactions",))
    participants = _participants(fields["transactions"], [each.name for each in transactions])
    steps = {each.name: len(each.steps) for each in transactions}
    counts = {each.alias: steps[each.txn] for each in participants}
    check = None if vocabulary is None else vocabulary.check_anomaly
    pause = _pause(fields["pause_after"], counts) if "pause_after" in fields else {}
    schedule = _schedule(fields["schedule"], counts) if "schedule" in fields else ()
    taking_part = [each for each in transactions if any(each.name == part.txn for part in participants)]
    return Replay(
        participants,
        schedule,
        fields["enabled"].boolean("whether to replay") if "enabled" in fields else True,
        _focus_key(fields["focus_key"], taking_part) if "focus_key" in fields else None,
        pause,
        _missing(fields["missing"], counts) if "missing" in fields else None,
        fields["anomaly"].text("the name of an anomaly", check) if "anomaly" in fields else None,
    )


def _participants(node: Node, names: Collection[str]) -> tuple[Participant, ...]:
    found: dict[str, Participant] = {}
    for item in node.items("a list of {alias: NAME, txn: NAME}"):
        fields = item.fields("a transaction of the replay", ("alias", "txn", "template"), ("alias", "txn"))
        alias = fields["alias"].text("an alias")
        if alias in found:
            raise fields["alias"].place.error(f"found the duplicate alias {alias!r}", "each alias once")
        name = fields["txn"].text("the name of a transaction")
        if name not in names:
            raise fields["txn"].place.error(
                f"found the unknown transaction {name!r} in the replay", "", did_you_mean(name, names)
            )
        template = fields["template"].text("the name of a template") if "template" in fields else None
        found[alias] = Participant(alias, name, template)
    if not found:
        raise node.place.error("found a replay without transactions", "at least one {alias: NAME, txn: NAME}")
    return tuple(found.values())


def _alias(node: Node, aliases: Collection[str]) -> str:
    alias = node.text("an alias")
    if alias not in aliases:
        raise node.place.error(
            f"found the unknown alias {alias!r} in the replay", "", did_you_mean(alias, aliases)
        )
    return alias


def _schedule(node: Node, counts: dict[str, int]) -> tuple[Action, ...]:
    done = dict.fromkeys(counts, 0)
    ended: dict[str, str] = {}
    found = []
    for item in node.items("a list of {alias: NAME, action: step}"):
        fields = item.fields(_ENTRY, ("alias", "action", "steps", "ms"), ("action",))
        action = fields["action"].one_of("what to do", ACTIONS)
        for name, owner in (("steps", "step"), ("ms", "sleep")):
            if name in fields and action != owner:
                raise fields[name].name_place.error(
                    f"found `{name}` in a {action}", f"`{name}` only in a {owner}"
                )
        alias = _alias(fields["alias"], counts) if "alias" in fields else None
        if action == "sleep":
            if "ms" not in fields:
                raise item.place.error("found a sleep without the field 'ms'")
            found.append(Action(action, alias, ms=fields["ms"].number("the number of milliseconds to sleep")))
            continue
        if alias is None:
            raise item.place.error(f"found {_ENTRY} without the field 'alias'")
        steps = (
            fields["steps"].whole("the number of steps, 0 for all remaining", 0) if "steps" in fields else 1
        )
        if alias in ended:
            raise fields["action"].place.error(
                f"found a {action} of {alias!r} after its {ended[alias]}", "nothing more"
            )
        if action != "step":
            ended[alias] = action
        elif done[alias] + steps > counts[alias]:
            raise fields["action"].place.error(
                f"found step {done[alias] + steps} of {alias!r}", f"at most {counts[alias]}"
            )
        else:
            done[alias] = done[alias] + steps if steps else counts[alias]
        found.append(Action(action, alias, steps))
    return tuple(found)


def _focus_key(node: Node, transactions: Sequence[Transaction]) -> int:
    key = node.whole("the focus key", 1)
    terms = (term for txn in transactions for step in txn.steps for term in step.key_terms())
    if not any(key in term.keys for term in terms if isinstance(term, Choice)):
        raise node.unexpected("a key that a transaction in the replay touches")
    return key


def _pause(node: Node, counts: dict[str, int]) -> dict[str, tuple[int, ...]]:
    pause = {}
    for alias, value in node.mapping("pause_after as {ALIAS: [STEPS, …]}").items():
        _alias(Node(value.name_place, alias), counts)
        listed = isinstance(value.value, tuple)
        pause[alias] = _ascending(value.items("") if listed else (value,), counts[alias])
    return pause


def _ascending(nodes: Sequence[Node], most: int) -> tuple[int, ...]:
    found: list[int] = []
    for each in nodes:
        count = each.whole("the number of steps before the pause", 0, most)
        if found and count <= found[-1]:
            raise each.unexpected(f"more than {found[-1]}, the previous pause")
        found.append(count)
    return tuple(found)


def _missing(node: Node, counts: dict[str, int]) -> Missing:
    fields = node.fields("missing", ("kind", "from", "to"), ("kind", "from", "to"))
    kind = fields["kind"].one_of("a kind of dependency", EDGES)
    return Missing(kind, _alias(fields["from"], counts), _alias(fields["to"], counts))


def read_directed(
    node: Node, transactions: Sequence[Transaction], vocabulary: Vocabulary | None
) -> tuple[DirectedSchedule, ...]:
    """transactions: those of the workload. Raises WorkloadError."""
    return tuple(_directed(item, transactions, vocabulary) for item in node.items("a list of schedules"))


def _directed(
    node: Node, transactions: Sequence[Transaction], vocabulary: Vocabulary | None
) -> DirectedSchedule:
    fields = node.fields("a directed schedule", _DIRECTED, _DIRECTED[:4])
    names = {each.name: each for each in transactions}
    part: dict[str, DirectedTransaction] = {}
    for item in fields["transactions"].items("a list of {alias: NAME, txn: NAME, keys: [KEYS]}"):
        own = item.fields("a transaction of a directed schedule", ("alias", "txn", "keys"), ("alias", "txn"))
        alias = own["alias"].text("an alias")
        if alias in part:
            raise own["alias"].place.error(f"found the duplicate alias {alias!r}", "each alias once")
        name = own["txn"].text("the name of a transaction")
        if name not in names:
            raise own["txn"].place.error(
                f"found the unknown transaction {name!r} in a directed schedule",
                "",
                did_you_mean(name, names),
            )
        items = own["keys"].items("a list of keys") if "keys" in own else ()
        part[alias] = DirectedTransaction(alias, name, tuple(each.whole("a key", 1) for each in items))
    if len(part) < 2:
        raise fields["transactions"].place.error("found a directed schedule of one", "two or more")
    counts = {alias: len(names[each.txn].steps) for alias, each in part.items()}
    schedule = _schedule(fields["schedule"], counts)
    for item, action in zip(fields["schedule"].items(""), schedule, strict=True):
        if action.action not in ("step", "commit"):
            raise item.place.error(f"found a {action.action} in a directed schedule", "steps and commits")
    check = None if vocabulary is None else vocabulary.check_anomaly
    found = DirectedSchedule(
        tuple(part.values()),
        schedule,
        _missing(fields["missing"], counts),
        fields["focus_key"].whole("the focus key", 1),
        fields["anomaly"].text("the name of an anomaly", check) if "anomaly" in fields else None,
    )
    if why := misfit(found, names):
        raise fields["transactions"].place.error(f"found a directed schedule that does not fit: {why}")
    return found
