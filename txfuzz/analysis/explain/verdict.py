"""Sentences about the verdict: its reason, what is undecided, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from txfuzz.analysis.anomalies.durability import Durability
from txfuzz.analysis.checker.preconditions import (
    DuplicateWrite,
    IndistinctVersions,
    UnknownMicroOperation,
    violated_precondition,
)
from txfuzz.analysis.dependencies.columns import Columns
from txfuzz.analysis.dependencies.metrics import Metrics
from txfuzz.analysis.dependencies.register_versions import VersionOptions
from txfuzz.analysis.describe import key_text, name_of, value_text
from txfuzz.common.kind import Kind
from txfuzz.history.model import History

NOTHING_TO_JUDGE = "nothing to judge: no transaction depends on another"


def refusal(columns: Columns, options: VersionOptions) -> str:
    """Why this history cannot be judged, in one sentence; empty if it can."""
    violated = violated_precondition(columns, options)
    if violated is None:
        return ""
    if isinstance(violated, UnknownMicroOperation):
        also = f" (and {violated.more} more)" if violated.more else ""
        return f"line {violated.line}: the checker does not know the micro-operation {violated.text}{also}"
    return _duplicate_write(columns.history, violated)


def _duplicate_write(history: History, found: DuplicateWrite) -> str:
    value, key = _value_and_key(history, found.element)
    names = [name_of(history, row) for row in found.writers]
    both = (
        f"transaction {names[0]} more than once"
        if names[0] == names[1]
        else f"transactions {names[0]} and {names[1]}"
    )
    verb = "written" if history.kind is Kind.RW_REGISTER else "appended"
    alone = "" if found.writes is None else f", and all {found.writes} writes to this key have it"
    return (
        f"duplicate writes: the value {value} of key {key} was {verb} by {both}{alone}; versions can only be "
        "told apart if every write to a key has a unique value"
    )


def explain_indistinct(history: History, found: IndistinctVersions) -> str:
    """Nothing is inferred from keys whose versions cannot be told apart."""
    value, key = _value_and_key(history, found.element)
    more = f" (the same is true of {found.more} more)" if found.more else ""
    return (
        f"all {found.writes} writes to key {key} have the value {value}, so its versions cannot be told "
        f"apart and nothing is inferred from them{more}"
    )


def _value_and_key(history: History, element: int) -> tuple[str, str]:
    return value_text(history, element), key_text(history, int(history.element_key[element]))


def contradiction(model: str, types: Iterable[str]) -> str:
    """model: its friendly name. types: of the anomalies that contradict it."""
    return f"contradicts {model}: {', '.join(types)}"


def undecided_cycles(type: str, components: int, seconds: float | None) -> str:
    """components: how many were not fully searched for this type. seconds: the time limit."""
    spent = "" if seconds is None else f" within {seconds:g} s"
    return (
        f"undecided: {components} component{'s' if components > 1 else ''} could not be fully searched for "
        f"{type}{spent}"
    )


def metrics_limits(figures: Metrics) -> Iterator[str]:
    """What the figures leave out, and which are estimates."""
    if figures.left_out_versions:
        yield (
            "pairs of transactions were counted without the anti-dependencies around "
            f"{figures.left_out_versions} versions that very many transactions read"
        )
    if figures.sampled_pairs is not None:
        yield (
            f"the dependency density is an estimate from {figures.sampled_pairs} pairs of transactions that "
            "met"
        )


def explain_durability(found: Durability) -> tuple[str, ...]:
    """What the final reads show about unknown outcomes and acknowledged commits; nothing if all is well."""
    said = []
    if found.unknown:
        writers = "1 writer" if found.unknown == 1 else f"{found.unknown:,} writers"
        did, did_not = _have(found.happened), _have(found.unknown - found.happened)
        said.append(
            f"{writers} of unknown outcome: the final reads show that {did} committed and {did_not} not"
        )
    if found.lost:
        gone = "1 acknowledged transaction is gone: the final reads lack its appends"
        many = f"{found.lost:,} acknowledged transactions are gone: the final reads lack their appends"
        said.append(gone if found.lost == 1 else many)
    return tuple(said)


def _have(count: int) -> str:
    return f"{count:,} {'has' if count == 1 else 'have'}"
