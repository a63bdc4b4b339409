"""A pytest fixture for the tests of an application: run a workload against its database, and fail with the
explanation of what was found. pytest loads it wherever txfuzz is installed.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from txfuzz.campaign.setup.settings import CampaignSettings
    from txfuzz.report.campaign_result import CampaignResult


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
    from txfuzz.report.text.analysis import smallest_anomaly_text
    from txfuzz.report.verdict import verdict_sentence

    for each in result.iterations:
        found = each.deciding_result
        if found.verdict is Verdict.INVALID and (
            not found.anomaly_types or not accepted.issuperset(found.anomaly_types)
        ):
            sentence = verdict_sentence(found, result.isolation, result.answers_for)
            others = tuple(one for one in found.anomalies if one.type not in accepted)
            explained = smallest_anomaly_text(replace(found, anomalies=others))
            return f"{sentence}\n\n{explained}\nFull report: txfuzz report {result.directory}"
    unknown = [each for each in result.iterations if each.verdict is Verdict.UNKNOWN]
    if unknown or not result.iterations:
        reason = unknown[0].reason if unknown else "nothing was analysed"
        return f"No verdict: {reason}. Artefacts: {result.directory}"
    return ""
