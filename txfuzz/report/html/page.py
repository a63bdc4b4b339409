"""The report as one page: no server, no network, and of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from txfuzz.analysis.explain.headlines import headline, headline_parts
from txfuzz.common.sentences import counted
from txfuzz.common.version import __version__
from txfuzz.report.campaign_result import CampaignResult, broken_promise, run_sentence
from txfuzz.report.cycle.labels import MEANINGS
from txfuzz.report.finding import Finding
from txfuzz.report.html.campaign import iterations_part
from txfuzz.report.html.charts import columns_of
from txfuzz.report.html.cycle_drawing import arrow_heads
from txfuzz.report.html.evidence import finding_part, near_cycle_part
from txfuzz.report.html.hot_keys import hot_keys_chart
from txfuzz.report.html.markup import Content, Markup, cut, el
from txfuzz.report.html.run_facts import facts_part
from txfuzz.report.html.shell import html_page
from txfuzz.report.html.small_scope import small_scope_part
from txfuzz.report.html.view import WHOLE, View, pager
from txfuzz.report.iteration import iteration_name
from txfuzz.report.verdict import TONES, tone_of_verdict

FINDINGS = 8  # shown in full
_NAMED = 60  # further ones, listed
_NEAR = 3
_SENTENCE = 600
_HIGHLIGHTED = 14


def report_page(record: CampaignResult, *, baseline: str = "", view: View = WHOLE) -> str:
    """The whole page. baseline: a sentence that compares the findings with the expected ones."""
    sections = [
        ("findings", "Findings", _findings(record, view)),
        ("nearly", "What nearly happened", _nearly(record)),
        ("small-scope", "Small scope", small_scope_part(record)),
        ("course", "Over time", view.course),
        ("iterations", "How it went", iterations_part(record, view)),
        ("keys", "Hot keys", _hot(record)),
        ("run", "What was run", facts_part(record)),
    ]
    there = [(name, title, part) for name, title, part in sections if part is not None]
    body = [
        arrow_heads(MEANINGS),
        el("a", "To the content", href="#content", class_="skip"),
        contents((f"#{name}", title) for name, title, _ in there),
        _header(record, baseline),
        el("main", [part for _, _, part in there], id="content"),
        el("footer", f"Written by txfuzz {__version__} from {record.directory}."),
    ]
    return html_page(f"txfuzz: {record.name}", body, pointed_css())


def finding_page(record: CampaignResult, at: int, ways: Content = None) -> str:
    """A page of its own for the finding at this index. ways: to its neighbours."""
    finding = record.findings[at]
    title = headline_parts(finding.anomaly)[0]
    body = [
        arrow_heads(MEANINGS),
        el(
            "header",
            el("p", "txfuzz finding", class_="kicker"),
            el("h1", cut(title, 120)),
            el("p", f"{record.name}, finding {at + 1:,} of {len(record.findings):,}", class_="quiet"),
        ),
        el(
            "main",
            ways,
            _legend([edge.kind for edge in finding.anomaly.edges]),
            finding_part(record, finding, at, alone=True),
            id="content",
        ),
        el("footer", f"Written by txfuzz {__version__} from {record.directory}."),
    ]
    return html_page(f"txfuzz: {title}", body, pointed_css())


def contents(links: Iterable[tuple[str, str]]) -> Markup:
    """The ways to the parts of a page."""
    items = [el("li", el("a", title, href=address)) for address, title in links]
    return el("nav", el("ul", items), class_="contents", aria_label="Contents")


def tone(record: CampaignResult) -> str:
    """broken: the database's promise is; allowed: only the expected model is; else the verdict."""
    if broken_promise(record):
        return "broken"
    return tone_of_verdict(record.verdict)


def pointed_css() -> str:
    """An edge that is pointed at in the list stands out in the picture."""
    return "\n".join(
        f".finding:has(li.e{at}:hover) svg g[class*=' e']:not(.e{at}){{opacity:.18}}"
        for at in range(1, _HIGHLIGHTED)
    )


def _header(record: CampaignResult, baseline: str) -> Markup:
    facts, how, leading = record.facts, tone(record), record.leading
    level = f"{facts.isolation} checked against {record.model}" if facts.isolation else None
    where = " · ".join(
        filter(None, [level, facts.server, f"seed {facts.seed}" if facts.seed is not None else ""])
    )
    sentence = run_sentence(record)
    return el(
        "header",
        el("p", "txfuzz report", class_="kicker"),
        el("h1", cut(record.name, 80)),
        el("p", where, class_="quiet"),
        el("div", el("span", TONES[how], class_="badge"),
           el("p", cut(headline(leading), _SENTENCE), class_="headline") if leading is not None else None,
           el("p", cut(sentence[:1].upper() + sentence[1:], 2_000)), class_=f"verdict {how}"),
        [el("p", f"Caution: {cut(each, _SENTENCE)}.", class_="remark") for each in facts.cautions[:6]],
        [el("p", _sentence_of(each), class_="remark") for each in record.remarks[:12]],
        [el("p", _sentence_of(each), class_="remark") for each in record.failures[:6]],
        el("p", baseline, class_="remark") if baseline else None,
        _tiles(record),
    )  # fmt: skip


def _sentence_of(text: str) -> str:
    text = cut(text, _SENTENCE)
    first = text[:1].upper() if text.split(" ")[0].isalpha() else text[:1]  # file names stay as they are
    return f"{first}{text[1:]}{'' if text.endswith(('.', '…')) else '.'}"


def _tiles(record: CampaignResult) -> Markup:
    numbers = [each.numbers for each in record.iterations]
    asked, ok = sum(each.transactions for each in numbers), sum(each.ok for each in numbers)
    aborted = sum(each.fail + each.info for each in numbers)
    near = sum(each.near_cycles or 0 for each in numbers)
    types = list(record.found)
    first = min((finding.everywhere[0] for finding in record.findings), default=None)
    tiles = [
        ("iterations", f"{len(numbers):,}", None),
        ("transactions", _brief(asked), f"{_brief(ok)} committed"),
        ("aborted", f"{aborted / asked:.1%}" if asked else "–", f"{_brief(aborted)} failed or unknown"),
        ("near-cycles", _brief(near), "one edge short of a cycle"),
        (
            "anomaly types",
            str(len(types)),
            f"first in iteration {iteration_name(first)}" if first is not None else "none found",
        ),
    ]
    return el(
        "dl",
        [
            el("div", el("dt", name), el("dd", value), el("dd", note, class_="quiet") if note else None)
            for name, value, note in tiles
        ],
        class_="tiles",
    )


def _brief(number: int) -> str:
    if number < 100_000:
        return f"{number:,}"
    return f"{number / 1e6:.2f} M" if number < 10**9 else f"{number / 1e9:.2f} G"


def _findings(record: CampaignResult, view: View) -> Content:
    found = record.findings
    if not found:
        return None
    told = [finding_part(record, finding, at) for at, finding in enumerate(found[:FINDINGS])]
    return el(
        "section",
        el("h2", "Findings"),
        el("p", f"{counted(len(found), 'different anomaly', 'different anomalies')}: each combination of "
           "type, dependencies and transactions counts once, with its shortest cycle; those that shrank to "
           "the same reproducer count as one.", class_="quiet"),
        _legend([edge.kind for each in found[:FINDINGS] for edge in each.anomaly.edges]),
        _jumps(found[:FINDINGS]),
        told,
        _further(record, view),
        id="findings",
    )  # fmt: skip


def _legend(kinds: list[str]) -> Content:
    present = [kind for kind in MEANINGS if kind in kinds]
    if not present:
        return None
    items = [el("li", el("b", kind, class_=f"chip {kind}"), el("span", MEANINGS[kind])) for kind in present]
    return el("ul", items, class_="legend")


def _jumps(shown: Sequence[Finding]) -> Content:
    """The ways to the findings that are shown in full."""
    if len(shown) < 2:
        return None
    items = [
        el("li", el("a", headline_parts(each.anomaly)[0], href=f"#finding-{at}"), f" by {_taking_part(each)}")
        for at, each in enumerate(shown, 1)
    ]
    return el("ol", items, class_="jumps")


def _further(record: CampaignResult, view: View) -> Content:
    rest = record.findings[FINDINGS:]
    if not rest:
        return None
    shown = rest[view.further : view.further + _NAMED]
    rows = [
        el("li", _named(each, view), f" by {_taking_part(each)}, first in iteration ",
           str(iteration_name(each.first)))
        for each in shown
    ]  # fmt: skip
    more: Content = None
    if view.address is not None:
        more = pager(view.further, len(shown), len(rest), _NAMED, view.at_finding, "further findings")
    elif len(rest) > _NAMED:
        more = el("p", f"… and {len(rest) - _NAMED:,} more", class_="quiet")
    title = el("summary", counted(len(rest), "further anomaly", "further anomalies"))
    unfolded = "" if view.address is not None else None
    return el("details", title, el("ul", rows, class_="further"), more, open=unfolded, id="further")


def _named(finding: Finding, view: View) -> Markup:
    title = el("b", headline_parts(finding.anomaly)[0])
    return title if view.finding_page is None else el("a", title, href=view.finding_page(finding))


def _taking_part(finding: Finding) -> str:
    names = " → ".join(cut(name or "?", 30) for name in finding.signature.templates[:8])
    return f"{names} …" if len(finding.signature.templates) > 8 else names


def _nearly(record: CampaignResult) -> Content:
    """The nearest near-cycles of the last iteration that had any, if nothing was found."""
    if record.findings:
        return None
    near = next((each.result.near_cycles for each in reversed(record.analysed)
                 if each.result is not None and each.result.near_cycles), ())  # fmt: skip
    if not near:
        return None
    ranked = sorted(near, key=lambda each: -each.score)[:_NEAR]
    kinds = [edge.kind for each in ranked for edge in each.path] + [each.missing.kind for each in ranked]
    return el(
        "section",
        el("h2", "What nearly happened"),
        el("p", "Paths of dependencies that one more edge would have closed into a forbidden cycle. "
           "The missing edge is dashed.", class_="quiet"),
        _legend(kinds),
        [near_cycle_part(each, rank) for rank, each in enumerate(ranked, 1)],
        id="nearly",
    )  # fmt: skip


def _hot(record: CampaignResult) -> Content:
    drawn = hot_keys_chart(columns_of(record.iterations))
    if not drawn:
        return None
    return el(
        "section",
        el("h2", "Hot keys"),
        el("p", "Dependencies between transactions that overlapped in time, by key and iteration. The "
           "darker the cell, the more pressure on the key.", class_="quiet"),
        el("div", drawn, class_="scroll", tabindex="0"),
        id="keys",
    )  # fmt: skip
