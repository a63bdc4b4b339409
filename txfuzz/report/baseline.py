"""Known and accepted findings in a YAML file, so that only new ones fail a build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from txfuzz.analysis.checker.anomaly_types import misspelt
from txfuzz.analysis.checker.consistency import friendly
from txfuzz.analysis.result import Verdict
from txfuzz.common.sentences import listed
from txfuzz.errors import UsageError
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.finding import Finding
from txfuzz.workload.yaml.layout import flow, scalar
from txfuzz.workload.yaml.nodes import Node
from txfuzz.workload.yaml.parser import parse_yaml

_HEADER = """\
# Anomalies that are known and accepted. `txfuzz report DIR --baseline FILE` fails for others only.
# `signatures` narrows a type down to the combinations of dependencies and transactions that it lists.
"""


@dataclass(frozen=True)
class AcceptedAnomaly:
    """A type of anomaly. signatures: which of its findings are accepted; None for all."""

    type: str
    signatures: tuple[str, ...] | None = None


@dataclass(frozen=True)
class BaselineEntry:
    """What is accepted for one database at one isolation level, checked against one model."""

    adapter: str
    isolation: str
    expect: str
    anomalies: tuple[AcceptedAnomaly, ...] = ()

    @property
    def place(self) -> tuple[str, str, str]:
        return self.adapter, self.isolation, self.expect

    def accepts(self, finding: Finding) -> bool:
        """Are the finding and all that it represents accepted?"""
        return not self.unaccepted(finding)

    def unaccepted(self, finding: Finding) -> tuple[str, ...]:
        """The types of its parts that are not accepted."""
        return tuple(
            part.anomaly.type
            for part in finding.parts
            if not any(
                each.type == part.anomaly.type
                and (each.signatures is None or part.signature.name in each.signatures)
                for each in self.anomalies
            )
        )


@dataclass(frozen=True)
class Comparison:
    """A campaign compared with a baseline.

    new: findings with a part that is not accepted; strange: the types of those parts. new_types: types
    that are not accepted at all, whether or not an example was kept. unseen: accepted types that did
    not occur. unnamed: an iteration is invalid for a reason other than an anomaly, which no baseline
    can accept.
    """

    known: tuple[Finding, ...]
    new: tuple[Finding, ...]
    strange: tuple[str, ...]
    new_types: tuple[str, ...]
    unseen: tuple[str, ...]
    unnamed: bool = False

    @property
    def passes(self) -> bool:
        return not (self.new or self.new_types or self.unnamed)

    @property
    def sentence(self) -> str:
        """The outcome of the comparison."""
        parts = []
        if not self.passes:
            names = sorted({*self.new_types, *self.strange})
            parts.append(f"new, not in the baseline: {listed(names) if names else 'an invalid history'}")
        if self.known:
            types = {part.anomaly.type for each in self.known for part in each.parts}
            parts.append(f"expected by the baseline: {listed(sorted(types))}")
        if self.unseen:
            parts.append(f"in the baseline but not seen: {listed(self.unseen)}")
        text = "; ".join(parts) or "nothing was found, and the baseline expects nothing"
        return f"{text[:1].upper()}{text[1:]}."


def compare(record: CampaignResult, baseline: Sequence[BaselineEntry]) -> Comparison:
    """Which findings the baseline accepts."""
    place = place_of(record)
    expected = next((each for each in baseline if each.place == place), BaselineEntry(*place))
    known = tuple(each for each in record.findings if expected.accepts(each))
    new = tuple(each for each in record.findings if not expected.accepts(each))
    accepted = {each.type for each in expected.anomalies}
    return Comparison(
        known,
        new,
        tuple(name for each in new for name in expected.unaccepted(each)),
        tuple(sorted(set(record.found) - accepted)),
        tuple(sorted(accepted - set(record.found))),
        any(
            each.verdict is Verdict.INVALID and not each.deciding_result.anomaly_types
            for each in record.analysed
        ),
    )


def place_of(record: CampaignResult) -> tuple[str, str, str]:
    """Adapter, isolation level and model; UsageError if the run directory does not contain them."""
    facts = record.facts
    if not (facts.adapter and facts.isolation and record.expect):
        raise UsageError(
            f"{record.directory}: a baseline needs the adapter, isolation level and model, and campaign.json "
            "does not contain them"
        )
    return facts.adapter, facts.isolation, friendly(record.expect)


def baseline_entry(record: CampaignResult, baseline: Sequence[BaselineEntry] = ()) -> BaselineEntry:
    """The entry that accepts exactly what this campaign found.

    A type that the baseline narrows down to signatures stays narrow if nothing else was found.
    """
    place = place_of(record)
    before = next((each for each in baseline if each.place == place), BaselineEntry(*place))
    narrow = {each.type: each for each in before.anomalies if each.signatures is not None}
    new = {name for each in record.findings for name in before.unaccepted(each)}
    return BaselineEntry(
        *place,
        tuple(
            narrow[name] if name in narrow and name not in new else AcceptedAnomaly(name)
            for name in sorted(record.found)
        ),
    )


def baseline_text(baseline: Sequence[BaselineEntry]) -> str:
    """The file."""
    lines = [_HEADER + "version: 1", "expected:" if baseline else "expected: []"]
    return "\n".join([*lines, *(line for each in baseline for line in entry_lines(each))]) + "\n"


def baseline_warnings(baseline: Sequence[BaselineEntry]) -> tuple[str, ...]:
    """Sentences about types that seem misspelt; analyzers of plugins may have such types."""
    names = dict.fromkeys(each.type for entry in baseline for each in entry.anomalies)
    return tuple(
        f"the baseline accepts {name!r}, which is not a type of the checker: did you mean {meant!r}?"
        for name in names
        if (meant := misspelt(name)) is not None
    )


def entry_lines(expected: BaselineEntry, indent: int = 2) -> list[str]:
    """One entry of the file. indent: of its dash."""
    lines = [
        f"- adapter: {scalar(expected.adapter, in_flow=False)}",
        f"  isolation: {scalar(expected.isolation, in_flow=False)}",
        f"  expect: {scalar(expected.expect, in_flow=False)}",
        "  anomalies:" if expected.anomalies else "  anomalies: []",
        *(f"    - {accepted_text(each)}" for each in expected.anomalies),
    ]
    return [" " * indent + line for line in lines]


def accepted_text(accepted: AcceptedAnomaly) -> str:
    names = accepted.signatures
    return flow({"type": accepted.type, **({} if names is None else {"signatures": list(names)})})


def read_baseline(text: str, source: str) -> tuple[BaselineEntry, ...]:
    """What a file accepts. UsageError with file, line and column if it is malformed."""
    root = parse_yaml(text, source)
    if root is None:
        raise UsageError(f"{source}: found an empty file, expected a baseline (`version: 1`)")
    fields = root.fields("a baseline", ("version", "expected"), ("version", "expected"))
    fields["version"].whole("the version of the format", 1, 1)
    entries = tuple(_expected(node) for node in fields["expected"].items("a list of what is expected"))
    for at, each in enumerate(entries):
        if any(each.place == before.place for before in entries[:at]):
            node = fields["expected"].items("")[at]
            raise node.place.error("found the same adapter, isolation and model again", "them once")
    return entries


def _expected(node: Node) -> BaselineEntry:
    names = ("adapter", "isolation", "expect", "anomalies")
    fields = node.fields("an entry of a baseline", names, names)
    with fields["expect"].place.added_to_errors():
        model = friendly(fields["expect"].text("a consistency model"))
    return BaselineEntry(
        fields["adapter"].text("the name of an adapter"),
        fields["isolation"].text("an isolation level"),
        model,
        tuple(_accepted(each) for each in fields["anomalies"].items("a list of anomalies")),
    )


def _accepted(node: Node) -> AcceptedAnomaly:
    if isinstance(node.value, str):
        return AcceptedAnomaly(node.text("a type of anomaly"))
    fields = node.fields("an anomaly", ("type", "signatures"), ("type",))
    names = fields.get("signatures")
    return AcceptedAnomaly(
        fields["type"].text("a type of anomaly"),
        None if names is None else tuple(each.text("a signature") for each in names.items("signatures")),
    )
