"""The report as one page: no server, no network, no script, and of bounded size."""

from __future__ import annotations

from importlib import resources

from txfuzz.analysis.explain.headlines import headline, headline_parts
from txfuzz.analysis.result import Verdict
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
from txfuzz.report.html.small_scope import small_scope_part
from txfuzz.report.iteration import iteration_name

FINDINGS = 8  # shown in full
_NAMED = 60  # further ones, listed
_NEAR = 3
_SENTENCE = 600
_HIGHLIGHTED = 14
# Nothing is ever fetched, and no script runs, not even one smuggled in by a history
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def report_page(record: CampaignResult, *, baseline: str = "") -> str:
    """The whole page. baseline: a sentence that compares the findings with the expected ones."""
    body = [
        arrow_heads(MEANINGS),
        _header(record, baseline),
        el(
            "main",
            _findings(record),
            _nearly(record),
            small_scope_part(record),
            iterations_part(record),
            _hot(record),
            facts_part(record),
        ),
        el("footer", f"Written by txfuzz {__version__} from {record.directory}."),
    ]
    return html_page(f"txfuzz: {record.name}", body, _pointed())


def html_page(title: str, body: Content, css: str) -> str:
    """A page of ours: it fetches nothing and runs nothing. css: in addition to what all pages have."""
    sheet = resources.files("txfuzz.report.html").joinpath("page.css").read_text(encoding="utf-8")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="generator", content=f"txfuzz {__version__}"),
        el("title", title),
        el("style", Markup(f"{sheet}\n{css}\n")),
    )
    return f"<!doctype html>\n{el('html', head, el('body', body), lang='en')}\n"


def tone(record: CampaignResult) -> str:
    """broken: the database's promise is; allowed: only the expected model is; else the verdict."""
    if broken_promise(record):
        return "broken"
    return "allowed" if record.verdict is Verdict.INVALID else record.verdict.value


def _pointed() -> str:
    """An edge that is pointed at in the list stands out in the picture."""
    return "\n".join(
        f".finding:has(li.e{at}:hover) svg g[class*=' e']:not(.e{at}){{opacity:.18}}"
        for at in range(1, _HIGHLIGHTED)
    )


_BADGES = {
    "broken": "promise broken",
    "allowed": "anomalies found",
    "invalid": "anomalies found",
    "valid": "nothing found",
    "unknown": "no verdict",
}


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
        el("div", el("span", _BADGES[how], class_="badge"),
           el("p", cut(headline(leading), _SENTENCE), class_="headline") if leading is not None else None,
           el("p", cut(sentence[:1].upper() + sentence[1:], 2_000)), class_=f"verdict {how}"),
        [el("p", f"Caution: {cut(each, _SENTENCE)}.", class_="remark") for each in facts.cautions[:6]],
        [el("p", _sentence_of(each), class_="remark") for each in record.remarks[:12]],
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


def _findings(record: CampaignResult) -> Content:
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
        told,
        _further(record),
        id="findings",
    )  # fmt: skip


def _legend(kinds: list[str]) -> Content:
    present = [kind for kind in MEANINGS if kind in kinds]
    if not present:
        return None
    items = [el("li", el("b", kind, class_=f"chip {kind}"), el("span", MEANINGS[kind])) for kind in present]
    return el("ul", items, class_="legend")


def _further(record: CampaignResult) -> Content:
    rest = record.findings[FINDINGS:]
    if not rest:
        return None
    rows = [
        el("li", el("b", headline_parts(each.anomaly)[0]), f" by {_taking_part(each)}, first in iteration ",
           str(iteration_name(each.first)))
        for each in rest[:_NAMED]
    ]  # fmt: skip
    more = el("p", f"… and {len(rest) - _NAMED:,} more", class_="quiet") if len(rest) > _NAMED else None
    return el("details", el("summary", f"{counted(len(rest), 'further anomaly', 'further anomalies')}"),
              el("ul", rows, class_="further"), more)  # fmt: skip


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
