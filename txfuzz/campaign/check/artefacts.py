"""What a check leaves behind: check.json, check.html, and a folder for each finding."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import replace
from pathlib import Path

from txfuzz.campaign.check.subject import Subject
from txfuzz.campaign.directory.run_directory import write_json, write_text, writing
from txfuzz.campaign.directory.run_records import CHECK
from txfuzz.check.finding.result import CheckResult, Finding, SetResult
from txfuzz.check.finding.script import typed_schedule
from txfuzz.check.transaction import SqlTransaction
from txfuzz.common.sentences import listed
from txfuzz.database.scenario import WritesBegin
from txfuzz.report.check.data import check_data
from txfuzz.report.check.markdown import story_markdown
from txfuzz.report.check.page import check_page
from txfuzz.transactions.model import Mode, Transaction
from txfuzz.workload.scenario import CallReplay, ScenarioReplay
from txfuzz.workload.yaml.scenario.replay import code_replay_text
from txfuzz.workload.yaml.scenario.writer import scenario_text

_UNFIT = re.compile(r"[^\w.+-]+")
_LONGEST = 80  # characters of a folder's name
_PLAIN = str | int | float | bool | None


def make_directory(output: Path) -> None:
    with writing(output):
        output.mkdir(parents=True, exist_ok=True)
        if not os.access(output, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def write_artefacts(output: Path, found: CheckResult, subject: Subject) -> None:
    make_directory(output)
    write_json(output / CHECK, check_data(found))
    write_text(output / "check.html", check_page(found))
    for one in found.sets:
        for finding in one.findings:
            _write_finding(output / "findings" / folder_name(one, finding), found, one, finding, subject)


def folder_name(one: SetResult, finding: Finding) -> str:
    """ "book-book_read-committed" """
    words = one.name.replace(" × ", " ")
    return f"{_UNFIT.sub('-', words)[:_LONGEST]}_{_UNFIT.sub('-', finding.isolation)}"


def _write_finding(
    place: Path, found: CheckResult, one: SetResult, finding: Finding, subject: Subject
) -> None:
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
    write_text(place / "story.md", story_markdown(found, one, finding))

    def begin(isolation: str, mode: Mode) -> tuple[str, ...]:
        database = subject.database
        if isinstance(database, WritesBegin):
            return database.begin_statements(isolation, read_only=mode.read_only, deferrable=mode.deferrable)
        return ("BEGIN",)

    write_text(place / "repro.sql", typed_schedule(finding, subject.invariants, begin))
    text = _replay_text(place, finding, subject)
    if text:
        write_text(place / "replay.yaml", text)


def _replay_text(place: Path, finding: Finding, subject: Subject) -> str:
    """Empty where an argument is a value that YAML cannot write."""
    attempt = finding.attempt
    labels = attempt.program.labels
    calls = tuple(
        CallReplay(transaction.name, tuple(arguments.items()))
        for transaction, arguments in attempt.program.calls
    )
    if not all(isinstance(value, _PLAIN) for call in calls for _, value in call.arguments):
        return ""
    schedule = tuple(labels.index(actor) + 1 for actor in attempt.trace.schedule)
    replay = ScenarioReplay(attempt.isolation, calls, schedule, finding.failures)
    header = f"{attempt.program.name} at {attempt.isolation}: {listed(finding.failures)}"
    if subject.scenario is None:
        return code_replay_text(os.path.relpath(subject.path, place), subject.adapter.name, replay, header)
    chosen = {
        each.name: _with_values_of(each.transaction, calls)
        for each, _ in attempt.program.calls
        if isinstance(each, SqlTransaction)
    }
    scenario = replace(
        subject.scenario,
        setup=finding.setup or subject.scenario.setup,
        transactions=tuple(chosen.values()),
        database=replace(subject.scenario.database, adapter=subject.adapter.name),
        replay=replay,
    )
    return scenario_text(scenario, header)


def _with_values_of(transaction: Transaction, calls: tuple[CallReplay, ...]) -> Transaction:
    """With no other values of its parameters than these calls have."""
    own = [dict(call.arguments) for call in calls if call.transaction == transaction.name]
    params = tuple((name, tuple(dict.fromkeys(each[name] for each in own))) for name, _ in transaction.params)
    return replace(transaction, params=params)
