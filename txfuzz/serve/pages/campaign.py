"""The pages of a campaign: as the static report, in parts, and with a page for each finding."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from txfuzz.report.concurrent_transactions import with_neighbours, with_neighbours_of
from txfuzz.report.finding import Finding
from txfuzz.report.html.markup import Content, el
from txfuzz.report.html.page import FINDINGS, finding_page, report_page
from txfuzz.report.html.time_chart import time_charts
from txfuzz.report.html.view import View
from txfuzz.serve.pages.frame import bar, framed
from txfuzz.serve.records.campaign_record import CampaignRecord, CampaignState
from txfuzz.serve.records.places import NotHere

_EXPLAINED = 3  # findings that are shown with the transactions around them
ROWS = 100  # iterations of which the decisions are read


def campaign_page(source: CampaignRecord, address: str, row: int, further: int) -> str:
    """address: of the run, with a slash at its end. row, further: as in View."""
    return source.page((row, further), lambda state: _made(source, state, address, row, further))


def _made(source: CampaignRecord, state: CampaignState, address: str, row: int, further: int) -> str:
    record = source.with_whole(state.record, range(FINDINGS), range(row, row + ROWS))
    record = with_neighbours(record, _EXPLAINED)
    link = f"/run/{quote(address)}"
    iterations, rest = len(record.analysed), max(0, len(record.findings) - FINDINGS)
    view = View(
        row if row < iterations else 0,
        further if further < rest else 0,
        lambda finding: finding_link(address, finding),
        lambda row, further: f"{link}?{urlencode({'row': row, 'further': further})}",
        course(state),
    )
    running = record.facts.state == "running"
    name = source.directory.name
    return framed(report_page(record, view=view), bar(address, name, live=running))


def finding_link(address: str, finding: Finding) -> str:
    return f"/finding/{quote(address)}?{urlencode({'name': finding.name})}"


def one_finding_page(source: CampaignRecord, address: str, name: str) -> str:
    """name: of its signature. Raises NotHere."""
    state = source.state()
    at = next((at for at, each in enumerate(state.record.findings) if each.name == name), None)
    if at is None:
        raise NotHere(name)
    record = source.with_whole(state.record, [at], range(0))
    record = with_neighbours_of(record, [at])
    findings = record.findings
    before = findings[at - 1] if at else None
    after = findings[at + 1] if at + 1 < len(findings) else None
    ways = el(
        "nav",
        _way("previous finding", address, before),
        el("a", "all findings", href=f"/run/{quote(address)}#findings"),
        _way("next finding", address, after),
        class_="pager",
        aria_label="findings",
    )
    here = f"finding {at + 1:,}"
    return framed(finding_page(record, at, ways), bar(address, source.directory.name, here=here))


def course(state: CampaignState) -> Content:
    """Throughput and latency over the time that the campaign ran; nothing without a timeline."""
    charts = time_charts(
        state.points,
        state.bands,
        caption="By the clock of the runs, one after the other, without the time between them.",
    )
    return None if charts is None else el("section", el("h2", "Over time"), charts, id="course")


def _way(text: str, address: str, finding: Finding | None) -> Content:
    if finding is None:
        return el("span", text, class_="off")
    return el("a", text, href=finding_link(address, finding))
