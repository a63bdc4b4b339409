"""What several iterations come to: the verdict of a campaign, and what it says about that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from txfuzz.analysis.analyze import ONE_CLIENT
from txfuzz.analysis.result import AnalysisResult, Verdict
from txfuzz.errors import ExitCode
from txfuzz.report.campaign_result import CampaignFacts, CampaignResult, run_sentence
from txfuzz.report.iteration import SMALL_SCOPE, Iteration, Numbers
from txfuzz.report.junit import junit_text

PLACE = Path("run")
VALID = AnalysisResult("h", Verdict.VALID, "serializable", transactions=9, committed=9)
VACUOUS = replace(VALID, verdict=Verdict.UNKNOWN, reason="vacuous: nothing committed", vacuous=True)
ALONE = replace(VACUOUS, reason=ONE_CLIENT)
REFUSED = replace(VALID, verdict=Verdict.UNKNOWN, reason="duplicate writes")
INVALID = replace(VALID, verdict=Verdict.INVALID, anomaly_types=("G2-item",), all_types=("G2-item",))


def campaign(*results: AnalysisResult, small_scope: AnalysisResult | None = None) -> CampaignResult:
    ran = [Iteration(number, PLACE, each, Numbers()) for number, each in enumerate(results)]
    first = None if small_scope is None else Iteration(SMALL_SCOPE, PLACE, small_scope, Numbers())
    facts = CampaignFacts("ended", "w", "serializable", "serializable")
    return CampaignResult(PLACE, facts, tuple(ran), small_scope=first)


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ([VALID], Verdict.VALID),
        ([VACUOUS], Verdict.UNKNOWN),
        ([VACUOUS, VACUOUS], Verdict.UNKNOWN),
        ([VACUOUS, VALID, VACUOUS], Verdict.VALID),
        ([VACUOUS, REFUSED], Verdict.UNKNOWN),
        ([VALID, REFUSED, VACUOUS], Verdict.UNKNOWN),
        ([VACUOUS, INVALID, REFUSED], Verdict.INVALID),
    ],
)
def test_iterations_in_which_nothing_could_go_wrong_count_only_alone(
    results: list[AnalysisResult], verdict: Verdict
) -> None:
    assert campaign(*results).verdict is verdict


def test_a_search_that_found_nothing_does_not_make_up_for_vacuous_iterations() -> None:
    assert campaign(VACUOUS, small_scope=VALID).verdict is Verdict.UNKNOWN
    assert campaign(VACUOUS, small_scope=INVALID).verdict is Verdict.INVALID


def test_a_campaign_that_did_not_finish_is_unknown_whatever_ran() -> None:
    assert replace(campaign(VALID, VACUOUS), whole=False).exit_code is ExitCode.UNKNOWN


def test_it_says_in_how_many_iterations_nothing_could_go_wrong() -> None:
    assert run_sentence(campaign(VALID, VACUOUS, VALID)) == (
        "nothing found: 27 committed transactions in 3 iterations at serializable are consistent with "
        "serializable; in 1 of the iterations nothing could go wrong."
    )
    assert "nothing could go wrong" not in run_sentence(campaign(VALID))


def test_one_client_alone_is_told_as_such() -> None:
    assert run_sentence(campaign(VALID, ALONE)).endswith(
        "are consistent with serializable; in 1 of the iterations one client ran alone, which shows only "
        "what can go wrong without others."
    )
    assert (
        "; in 1 of the iterations nothing could go wrong; in 2 of the iterations one client"
        in run_sentence(campaign(VALID, ALONE, VACUOUS, ALONE))
    )
    assert campaign(VALID, ALONE).exit_code is ExitCode.NOTHING_FOUND
    assert run_sentence(campaign(ALONE)) == (
        "No verdict: vacuous: one client ran alone, and nothing went wrong that could without others."
    )


def test_it_says_why_there_is_no_verdict() -> None:
    said = run_sentence(campaign(VACUOUS, REFUSED))
    assert said == "No verdict: duplicate writes; vacuous: nothing committed."


def test_junit_skips_what_proves_nothing() -> None:
    suite = ElementTree.fromstring(junit_text(campaign(VALID, VACUOUS)))[0]
    assert (suite.get("errors"), suite.get("skipped"), suite.get("failures")) == ("0", "1", "0")
    [skipped] = suite.iter("skipped")
    assert skipped.get("message") == "no verdict: vacuous: nothing committed"
    alone = ElementTree.fromstring(junit_text(campaign(VACUOUS)))[0]
    assert (alone.get("errors"), alone.get("skipped")) == ("1", "0")
