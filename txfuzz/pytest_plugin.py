"""Pytest fixtures for the tests of an application: run a workload against its database, or its functions
beside each other, and fail with the explanation of what was found. pytest loads it wherever txfuzz is
installed.
"""

from __future__ import annotations

import hashlib
import json
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from txfuzz.campaign.check.concurrently import ConcurrencyResult
    from txfuzz.campaign.setup.settings import CampaignSettings
    from txfuzz.report.campaign_result import CampaignResult


FOLDER = Path(".txfuzz", "schedules")  # below pytest's rootdir
_BUDGET = re.compile(r"(\d+(?:\.\d+)?)(s?)")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("txfuzz")
    group.addoption(
        "--txfuzz-budget",
        metavar="N|Ns",
        help="How much each txfuzz_check may do: a number of schedules (200), or seconds (5s).",
    )
    group.addoption(
        "--txfuzz-adapter",
        metavar="NAME",
        help="The database that txfuzz_database_url starts. [default: the installed one]",
    )


class ConcurrencyChecker(Protocol):
    """The type of the fixture."""

    def __call__(
        self, *functions: Callable[..., Any], setup: Callable[..., Any], **more: Any
    ) -> ConcurrencyResult:
        """As txfuzz.concurrently(). Schedules that have failed before are kept below .txfuzz/ and run
        first."""


@pytest.fixture
def txfuzz_check(request: pytest.FixtureRequest) -> ConcurrencyChecker:
    """Runs functions beside each other, and fails the test with the story of the schedule that goes wrong."""
    called = 0

    def run(*functions: Callable[..., Any], **more: Any) -> ConcurrencyResult:
        __tracebackhide__ = True
        nonlocal called
        called += 1
        from txfuzz.campaign.check.concurrently import calls_to_check, run_concurrently
        from txfuzz.common.secrets import without_password
        from txfuzz.errors import TxfuzzError

        budget = budget_of(request.config.getoption("--txfuzz-budget"))
        kept = KeptSchedules.of(request.config.rootpath / FOLDER, request.node.nodeid, called)
        refused = ""
        try:
            result, failure = run_concurrently(calls_to_check(*functions, **{**more, **budget}), kept.read())
        except TxfuzzError as error:
            refused = without_password(str(error))
        if refused:  # out here, or pytest would show both errors
            pytest.fail(refused, pytrace=False)
        kept.write([] if failure is None else [failure.schedule, *kept.read()])
        if failure is not None:
            pytest.fail(str(failure), pytrace=False)
        return result

    return run


def budget_of(text: str | None) -> dict[str, float]:
    if text is None:
        return {}
    found = _BUDGET.fullmatch(text.strip())
    if found is None or float(found[1]) == 0 or (not found[2] and "." in found[1]):
        raise pytest.UsageError(
            f"--txfuzz-budget is a number of schedules (200) or of seconds (5s), not {text!r}"
        )
    return {"budget": float(found[1])} if found[2] else {"schedules": int(found[1])}


@dataclass(frozen=True)
class KeptSchedules:
    """The schedules that have failed in one call of one test, the last one first."""

    path: Path
    test: str

    @classmethod
    def of(cls, folder: Path, test: str, call: int) -> KeptSchedules:
        name = re.sub(r"[^\w-]+", "-", test.rpartition("::")[2])[:60].strip("-")
        digest = hashlib.sha256(f"{test}\n{call}".encode()).hexdigest()[:10]
        return cls(folder / f"{name}-{digest}.json", test)

    def read(self) -> list[tuple[int, ...]]:
        """Nothing where the file is not there, or is not one of these."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))["schedules"]
            return [tuple(int(each) for each in schedule) for schedule in found]
        except (OSError, ValueError, TypeError, KeyError):
            return []

    def write(self, schedules: Sequence[tuple[int, ...]]) -> None:
        """Without any the file goes."""
        if not schedules:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        told = {"test": self.test, "schedules": [list(each) for each in dict.fromkeys(schedules)][:10]}
        self.path.write_text(json.dumps(told) + "\n", encoding="utf-8")


class CampaignRunner(Protocol):
    """The type of the fixture."""

    def __call__(
        self, settings: CampaignSettings | None = None, *, accept: Iterable[str] = (), **fields: Any
    ) -> CampaignResult:
        """Run a campaign as `txfuzz.run_campaign` does; its artefacts go to the test's tmp_path.

        accept: known types of anomalies, which do not fail the test. The test fails, with an explanation,
        if other types are found, if there is no verdict, and if the campaign cannot be run. Otherwise
        returns the result.
        """


@pytest.fixture
def txfuzz_campaign(tmp_path: Path) -> CampaignRunner:
    """Runs campaigns and fails the test if one finds what the expected model forbids."""
    started = 0

    def run(
        settings: CampaignSettings | None = None, *, accept: Iterable[str] = (), **fields: Any
    ) -> CampaignResult:
        __tracebackhide__ = True
        nonlocal started
        started += 1
        if fields.get("output") is None and (settings is None or settings.output is None):
            fields["output"] = tmp_path / f"txfuzz-{started}"
        result, complaint = _run_and_judge(settings, fields, frozenset(accept))
        if result is None or complaint:
            pytest.fail(complaint, pytrace=False)
        return result

    return run


def _run_and_judge(
    settings: CampaignSettings | None, fields: Mapping[str, Any], accepted: frozenset[str]
) -> tuple[CampaignResult | None, str]:
    """The result, if there is one, and why the test fails.

    Raises nothing: pytest shows the arguments of each function in a traceback, and the URL of the
    database is among them.
    """
    __tracebackhide__ = True
    from txfuzz.campaign.loop import run_campaign
    from txfuzz.common.secrets import without_password
    from txfuzz.errors import TxfuzzError

    try:
        result = run_campaign(settings, **fields)
    except TxfuzzError as error:
        return None, str(error)
    except Exception:
        return None, "txfuzz failed:\n" + "".join(
            map(without_password, traceback.format_exc().splitlines(True))
        )
    return result, _complaint(result, accepted)


def _complaint(result: CampaignResult, accepted: frozenset[str]) -> str:
    """Why the test fails; empty if it passes."""
    from txfuzz.analysis.result import Verdict
    from txfuzz.report.text.analysis import leading_anomaly_text
    from txfuzz.report.verdict import verdict_sentence

    for each in result.analysed:
        found = each.deciding_result
        if found.verdict is Verdict.INVALID and (
            not found.anomaly_types or not accepted.issuperset(found.anomaly_types)
        ):
            sentence = verdict_sentence(found, result.levels, result.answers_for)
            others = tuple(one for one in found.anomalies if one.type not in accepted)
            explained = leading_anomaly_text(replace(found, anomalies=others), result.answers_for)
            return f"{sentence}\n\n{explained}\nFull report: txfuzz report {result.directory}"
    unknown = result.undecided
    if unknown or not result.analysed:
        reason = unknown[0].reason if unknown else "nothing was analysed"
        return f"No verdict: {reason}. Artefacts: {result.directory}"
    return ""


@pytest.fixture(scope="session")
def txfuzz_database_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """$DATABASE_URL, or else that of an embedded server, which the tests start once and share."""
    from txfuzz.campaign.setup.resolve import adapter_of, database_url
    from txfuzz.common.secrets import without_password
    from txfuzz.database.isolation_levels import open_database
    from txfuzz.errors import TxfuzzError
    from txfuzz.plugin.loader import load_plugins
    from txfuzz.workload.model import DatabaseSpec

    given = database_url(None, None)
    if given is not None:
        yield given
        return
    spec, refused = DatabaseSpec(pytestconfig.getoption("--txfuzz-adapter")), ""
    with ExitStack() as opened:
        try:
            adapter = adapter_of(spec, load_plugins(), "the fixture", "--txfuzz-adapter NAME")
            database = opened.enter_context(open_database(adapter, None))
        except TxfuzzError as error:
            refused = without_password(str(error))
        else:
            url = database.describe().get("url")
            if url:
                yield str(url)
            else:
                refused = f"adapter {adapter.name!r} has no URL that others could open"
    if refused:
        pytest.fail(f"txfuzz_database_url: {refused}", pytrace=False)
