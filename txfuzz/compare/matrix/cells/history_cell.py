"""The cells of workloads and hunts."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from txfuzz.analysis.analyze import worst
from txfuzz.analysis.checker.consistency import implies
from txfuzz.analysis.dependencies.connectivity import prepare
from txfuzz.analysis.result import Verdict
from txfuzz.campaign.directory.run_directory import RunDirectory
from txfuzz.campaign.events import Event, RunProgress
from txfuzz.campaign.hunt.hunt import hunt
from txfuzz.campaign.hunt.settings import HuntSettings, hunting_adapters
from txfuzz.campaign.loop import run_prepared
from txfuzz.campaign.setup.campaign_setup import CampaignSetup, HistoryMaker
from txfuzz.campaign.setup.resolve import Assembled, InstalledVocabulary, assemble
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.clients import ClientSource
from txfuzz.campaign.stop_conditions import Deadline
from txfuzz.common.scratch import scratch_directory
from txfuzz.common.sentences import listed
from txfuzz.compare.campaign_effort import without_near_cycles
from txfuzz.compare.matrix.cells.measured import Measured, Place, not_offered
from txfuzz.compare.matrix.plan import SCHEDULES, TRANSACTIONS, Question
from txfuzz.errors import UsageError
from txfuzz.feedback.strategy_names import OPEN_LOOP
from txfuzz.hunt.hunt import Budget
from txfuzz.report.campaign_result import CampaignResult, unknown_reason
from txfuzz.report.verdict import against
from txfuzz.workload.campaign import SmallScope
from txfuzz.workload.model import DatabaseChoice, DatabaseSpec
from txfuzz.workload.yaml.reader import read_workload

_SERIALIZABLE = "serializable"


def ask_workload(question: Question, place: Place, level: str) -> Measured:
    """One history of many clients, checked against serializability or the stronger model that is promised, so
    that what the level allows is found, too."""
    path = Path(question.path)
    try:
        assembled = _assembled(path, place, level)
    except UsageError as error:
        return not_offered(str(error))
    prepare()
    most = question.most or TRANSACTIONS
    stop = threading.Event()
    settings = CampaignSettings(
        iterations=1, seed=place.seed, lean=True, small_scope=SmallScope(schedules=0), strategy=OPEN_LOOP,
        workload=path, max_transactions=most,
    )  # fmt: skip
    watch = _Watch(most, place, stop)
    with scratch_directory("matrix") as temporary:
        source = ClientSource(place.database, assembled.isolation, assembled.faults)
        with RunDirectory.create(temporary / "run", "matrix")[0] as directory:
            maker = HistoryMaker(source, place.database, found=dict(place.database.describe()))
            deadline = Deadline(stop, question.seconds)
            setup = CampaignSetup(settings, place.registry, path, assembled, maker, directory, deadline)
            return _measured(run_prepared(setup, watch), most)


def _assembled(path: Path, place: Place, level: str) -> Assembled:
    vocabulary = InstalledVocabulary(place.registry, path)
    row = place.row
    read = read_workload(path, vocabulary, DatabaseChoice(row.adapter, row.url))
    if read.faults:
        raise UsageError("it injects faults, after which a level promises less")
    spec = DatabaseSpec(row.adapter, options=row.options, endpoints=read.database.endpoints)
    workload = replace(read, database=spec, campaign=None, init_schema=True, replay=None)
    assembled = assemble(workload, place.registry, isolation=level, expect=_SERIALIZABLE, seed=place.seed)
    expect = assembled.promised if implies(assembled.promised, _SERIALIZABLE) else _SERIALIZABLE
    assembled = assemble(workload, place.registry, isolation=level, expect=expect, seed=place.seed)
    return replace(assembled, analyzers=without_near_cycles(assembled.analyzers))


def _measured(record: CampaignResult, most: int) -> Measured:
    results = [each.deciding_result for each in record.analysed]
    asked = sum(each.result.transactions for each in record.analysed)
    told = Measured(transactions=asked, whole=False)
    verdict = worst([each.verdict for each in record.analysed] or [Verdict.UNKNOWN])
    found = tuple(sorted({name for each in results for name in each.anomaly_types}))
    broken = tuple(sorted({name for each in results for name in against(each, record.answers_for)}))
    if verdict is Verdict.INVALID and (found or broken):
        return told.with_found(tuple(sorted({*found, *broken})), broken)
    if verdict is Verdict.VALID:
        remark = "" if asked >= most else f"{asked:,} of {most:,} transactions were run in its time"
        return told.with_remark(remark) if remark else replace(told, whole=True)
    return told.as_unknown(unknown_reason(record))


class _Watch:
    """Ends a run after so many transactions."""

    def __init__(self, most: int, place: Place, stop: threading.Event) -> None:
        self._most, self._place, self._stop = most, place, stop

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunProgress) and (event.asked >= self._most or not self._place.goes_on()):
            self._stop.set()


@contextmanager
def _no_url_around() -> Iterator[None]:
    """A hunt without a URL would take $DATABASE_URL; a row without one starts its own database."""
    around = os.environ.pop("DATABASE_URL", None)
    try:
        yield
    finally:
        if around is not None:
            os.environ["DATABASE_URL"] = around


def ask_hunt(question: Question, place: Place, level: str) -> Measured:
    """On a database of its own, since a hunt may end the server."""
    row = place.row
    if row.adapter not in hunting_adapters(place.registry):
        return not_offered("its adapter has no forms to hunt with")
    settings = HuntSettings(row.adapter, isolation=(level,), seed=place.seed, options=row.options)
    stop = threading.Event()
    with _no_url_around():
        report = hunt(
            settings,
            Budget(schedules=question.most or SCHEDULES),
            url=place.url,
            plugin_files=place.plugin_files,
            interrupted=stop,
            on_progress=lambda counts, holes: place.goes_on() and counts.seconds < question.seconds,
        )
    result, counts = report.result, report.result.counts
    told = Measured(schedules=counts.schedules, transactions=0, whole=False)
    broken = tuple(sorted({str(hole.wrong.value) for hole in result.holes}))
    found = tuple(sorted({*broken, *result.allowed}))
    known = sorted({hole.known for hole in result.holes if hole.known})
    if found:
        told = told.with_remark(f"known: {listed(known)}") if known else told
        return told.with_found(found, broken)
    if counts.schedules == counts.unknown:
        return told.as_unknown(listed(result.reasons) if result.reasons else "no schedule could be judged")
    return replace(told, whole=counts.schedules >= (question.most or SCHEDULES) or result.exhausted)
