"""The verdict over a whole campaign, in one sentence, in the words of the screen."""

from __future__ import annotations

from txfuzz.analysis.checker.consistency import model_text
from txfuzz.analysis.result import Verdict
from txfuzz.report.run_record import Iteration, RunRecord
from txfuzz.report.verdict import against, no_verdict, nothing_found, verdict_sentence


def run_sentence(record: RunRecord) -> str:
    """One true sentence about a campaign."""
    invalid = record.first_invalid
    if invalid is not None and invalid.telling is not None:
        sentence = verdict_sentence(invalid.telling, record.facts.isolation, record.facts.answers_for)
        return f"{sentence} This was {by_whom(invalid)}." if invalid.by_replay else sentence
    if record.verdict is Verdict.UNKNOWN:
        return f"No verdict: {unknown_reason(record)}."
    results = [each.result for each in record.iterations if each.result is not None]
    committed = sum(result.committed for result in results)
    model = model_text(results[0].expect) if results else "the model"
    return f"{nothing_found(committed, len(results), record.facts.isolation, model)}."


def unknown_reason(record: RunRecord) -> str:
    """Why there is no verdict."""
    reasons = [each.reason or "" if each.verdict is Verdict.UNKNOWN else None for each in record.iterations]
    if any(reason is not None for reason in reasons):
        return no_verdict(reasons)
    if not record.iterations:
        return "nothing was analysed"
    return "the campaign did not come to its end"


def broken_promise(record: RunRecord) -> bool:
    """Did the database do what its isolation level rules out?"""
    promised = record.facts.answers_for
    told = (result for each in record.iterations for result in (each.result, each.replayed))
    return any(result is not None and against(result, promised) for result in told)


def by_whom(iteration: Iteration) -> str:
    """Of an iteration that found something with its replays alone."""
    return f"found by {iteration.place}; its run did not show it"
