"""A fixture for an application's own tests: run a workload against their database, fail with the explanation.

pytest finds it by itself where txfuzz is installed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from txfuzz.campaign.outcome import CampaignResult
    from txfuzz.campaign.settings import CampaignSettings


class CampaignRunner(Protocol):
    """What the fixture is."""

    def __call__(
        self, settings: CampaignSettings | None = None, *, accept: Iterable[str] = (), **fields: Any
    ) -> CampaignResult:
        """Run a campaign as `txfuzz.run_campaign` does; its artefacts go to the test's own directory.

        accept: types of anomalies that are known and no failure. The test fails, with the explanation, when
        others are found, and when there is no verdict. Returns the result otherwise.
        """


@pytest.fixture
def txfuzz_campaign(tmp_path: Path) -> CampaignRunner:
    """Runs campaigns and fails the test when one finds what the expected model forbids."""
    started = 0

    def run(
        settings: CampaignSettings | None = None, *, accept: Iterable[str] = (), **fields: Any
    ) -> CampaignResult:
        from txfuzz.campaign.loop import run_campaign

        nonlocal started
        started += 1
        if fields.get("output") is None and (settings is None or settings.output is None):
            fields["output"] = tmp_path / f"txfuzz-{started}"
        result = run_campaign(settings, **fields)
        complaint = _complaint(result, frozenset(accept))
        if complaint:
            pytest.fail(complaint, pytrace=False)
        return result

    return run


def _complaint(result: CampaignResult, accepted: frozenset[str]) -> str:
    """Why the test fails; nothing where it passes."""
    from txfuzz.analysis.result import Verdict
    from txfuzz.report.text import finding_text
    from txfuzz.report.verdict import verdict_sentence

    for each in result.iterations:
        found = each.result
        if found.verdict is Verdict.INVALID and (
            not found.anomaly_types or not accepted.issuperset(found.anomaly_types)
        ):
            sentence = verdict_sentence(found, result.isolation, result.promised)
            others = tuple(one for one in found.anomalies if one.type not in accepted)
            explained = finding_text(replace(found, anomalies=others))
            return f"{sentence}\n\n{explained}\nThe whole of it: txfuzz report {result.directory}"
    unknown = [each.result for each in result.iterations if each.result.verdict is Verdict.UNKNOWN]
    if unknown or not result.iterations:
        reason = unknown[0].reason if unknown else "nothing was analysed"
        return f"No verdict: {reason}. The artefacts: {result.directory}"
    return ""
