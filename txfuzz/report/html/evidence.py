"""One finding or near-cycle on the page: drawings, sentences, transactions."""

from __future__ import annotations

from collections import Counter

from txfuzz.analysis.checker.consistency import model_text
from txfuzz.analysis.explain.headlines import headline_parts
from txfuzz.analysis.result import Anomaly, NearCycle
from txfuzz.common.sentences import counted, listed
from txfuzz.report.campaign_result import CampaignResult, Neighbours, Reproducer
from txfuzz.report.cycle.labels import meaning_of, transaction_note
from txfuzz.report.cycle.view import Cycle, CycleLink, CycleNode, cycle_of, near_cycle_of
from txfuzz.report.finding import Finding
from txfuzz.report.html.cycle_drawing import cycle_drawing
from txfuzz.report.html.markup import Content, Markup, cut, el
from txfuzz.report.html.scale import scale
from txfuzz.report.iteration import iteration_name
from txfuzz.report.text.anomalies import same_reproducer_sentence
from txfuzz.report.text.next_steps import analyze_command, replay_command

_NAMED = 5  # templates in a heading
_OPEN = 3  # findings that are not folded
_SENTENCE, _NOTE, _MOPS, _SQL = 1_000, 180, 1_200, 6_000  # characters


def finding_part(record: CampaignResult, finding: Finding, at: int, *, alone: bool = False) -> Markup:
    """Everything known about one finding. at: its index among all findings. alone: on a page of its own."""
    anomaly = finding.anomaly
    meaning, source = meaning_of(anomaly)
    cycle = cycle_of(anomaly)
    named, happened = headline_parts(anomaly)
    title = f"{anomaly.type}, {counted(len(anomaly.transactions), 'transaction')}"
    body: list[Content] = [
        el("p", cut(happened, _SENTENCE)) if happened else None,
        el("p", cut(meaning, _SENTENCE), " ", el("span", _seen_in(record, finding), class_="quiet")),
        el("p", also, class_="quiet") if (also := same_reproducer_sentence(finding)) else None,
        _sentences(anomaly, cycle),
        _drawing(cycle, title),
        _transactions(cycle),
        _to_scale(cycle, record.neighbours.get(at)),
        _reproduce(record, finding),
        el("p", f"Defined in {source}.", class_="quiet source") if source else None,
    ]
    name = el("h3", cut(named, 120), " ", el("span", _between(anomaly), class_="quiet"))
    body = (
        [el("details", el("summary", name), body, class_="whole")]
        if at >= _OPEN and not alone
        else [name, *body]
    )
    return el("article", body, class_="finding", id=f"finding-{at + 1}")


def near_cycle_part(near: NearCycle, rank: int) -> Markup:
    """The edges that exist, and the one that is missing."""
    cycle = near_cycle_of(near)
    parts = ", ".join(f"{name} {value:.2g}" for name, value in near.score_parts.items() if value)
    title = f"would be {near.anomaly}"
    return el(
        "article",
        el("h3", f"#{rank} would be {near.anomaly}"),
        el("p", f"One more dependency would close the cycle and break {model_text(near.breaks)}. ",
           el("span", f"Score {near.score:.2f}{f': {parts}' if parts else ''}.", class_="quiet")),
        el("ol", [_sentence(link, number, f"{link.why}.") for number, link in enumerate(cycle.links, 1)],
           class_="edges"),
        _drawing(cycle, title),
        _transactions(cycle),
        class_="finding near",
    )  # fmt: skip


def _between(anomaly: Anomaly) -> str:
    """The transactions of the workload that take part."""
    counts = Counter(cut(view.template, 30) for view in anomaly.transactions if view.template)
    names = [f"{count:,} × {name}" if count > 1 else name for name, count in counts.items()]
    if len(names) > _NAMED:
        names = [*names[:_NAMED], f"{len(names) - _NAMED:,} more"]
    if not names:
        return ""
    return f"{'between' if len(anomaly.transactions) > 1 else 'by'} {listed(names)}"


def _seen_in(record: CampaignResult, finding: Finding) -> str:
    first, *others = finding.everywhere
    told = f"First in {record.iteration(first).label}"
    if not others:
        return f"{told}."
    if len(others) > 6:
        return f"{told}, and in {len(others):,} more."
    return f"{told}, again in {listed(str(iteration_name(number)) for number in others)}."


def _sentences(anomaly: Anomaly, cycle: Cycle) -> Content:
    """One sentence per edge; the whole explanation if there are no edges."""
    told = [line for line in anomaly.explanation.splitlines() if line.strip()]
    links = cycle.links
    if links:
        whole = len(told) == len(links) == len(anomaly.edges)
        lines = told if whole else [f"{link.why}." for link in links]
        numbered = enumerate(zip(links, lines, strict=True), 1)
        return el("ol", [_sentence(link, number, line) for number, (link, line) in numbered], class_="edges")
    return el("div", [el("p", cut(line, _SENTENCE)) for line in told[:12]], class_="edges")


def _sentence(link: CycleLink, number: int, line: str) -> Markup:
    dashed = " missing" if link.missing else ""
    return el(
        "li",
        el("b", f"{link.kind}{'?' if dashed else ''}", class_=f"chip {link.kind}{dashed}"),
        el("span", cut(line, _SENTENCE)),
        class_=f"e{number}",
    )


def _transactions(cycle: Cycle) -> Markup:
    return el("dl", [_transaction(node) for node in cycle.nodes], class_="transactions")


def _transaction(node: CycleNode) -> Content:
    if node.view is None:
        return (el("dt", "…"), el("dd", f"{counted(node.elided, 'more transaction')}", class_="quiet"))
    told = f"transaction {node.view.index} · {cut(transaction_note(node.view), _NOTE)}"
    return (
        el("dt", node.name),
        el("dd", el("span", told, class_="quiet"), el("code", cut(node.view.text, _MOPS))),
    )


def _drawing(cycle: Cycle, title: str) -> Markup:
    return el(
        "figure",
        el("div", cycle_drawing(cycle, f"{title}, over time"), class_="scroll", tabindex="0"),
        el("figcaption", "Boxes run from invocation to completion, in history order; their widths are "
           "not to scale", ", the times below are exact." if _timed(cycle) else "."),
        class_="time",
    )  # fmt: skip


def _to_scale(cycle: Cycle, neighbours: Neighbours | None) -> Content:
    """The same moment by the clock, if the histories show what else ran then."""
    if neighbours is None:
        return None
    more = f" {counted(neighbours.left_out, 'further one')} not drawn." if neighbours.left_out else ""
    return el(
        "figure",
        el("div", scale(cycle, neighbours), class_="scroll", tabindex="0"),
        el("figcaption", f"The same moment to scale, among the transactions that ran alongside it.{more}"),
        class_="time",
    )


def _timed(cycle: Cycle) -> bool:
    return any(node.view is not None and node.view.start is not None for node in cycle.nodes)


def _reproduce(record: CampaignResult, finding: Finding) -> Content:
    """How to reproduce it: the smallest SQL if there is one, else the replay of the iteration."""
    found = record.reproducer_of(finding)
    iteration = record.iteration(finding.first)
    parts: list[Content] = []
    if found is not None:
        parts += _files(record, found)
    elif iteration.replay_file is not None and _is_replayed(record, finding):
        parts += [el("p", "Follow its schedule:"), command(replay_command(record, iteration.replay_file))]
        if iteration.replay is not None:
            parts.append(el("p", f"In the campaign: {iteration.replay.sentence}.", class_="quiet"))
    history = iteration.history
    if history.exists():
        parts += [el("p", "Check the whole history again:"), command(analyze_command(record, iteration))]
    return el("details", el("summary", "Reproduce it"), parts, class_="again", open="") if parts else None


def _files(record: CampaignResult, found: Reproducer) -> list[Content]:
    parts: list[Content] = []
    if "repro.sql" in found.files:
        sql = found.files["repro.sql"]
        parts += [el("p", "The smallest SQL that shows it:"), copied(el("pre", el("code", cut(sql, _SQL))))]
    if "replay.yaml" in found.files:
        parts += [
            el("p", "Follow its schedule:"),
            command(replay_command(record, found.path / "replay.yaml")),
        ]
    names = ", ".join(found.files)
    return [*parts, el("p", f"All files are in {found.path} ({names}).", class_="quiet")]


def _is_replayed(record: CampaignResult, finding: Finding) -> bool:
    """Does its iteration's replay show this finding?"""
    iteration = record.iteration(finding.first)
    return iteration.aim is not None and iteration.aim.shows(finding.anomaly, by_itself=iteration.by_replay)


def command(text: str) -> Markup:
    """A command with a button that copies it, which only the script of the page shows."""
    return copied(el("pre", el("code", text), class_="command"))


def copied(shown: Markup) -> Markup:
    return el("div", shown, el("button", "Copy", type="button", class_="copy", hidden=""), class_="copied")
