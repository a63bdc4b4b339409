"""A campaign as JUnit XML, which CI systems can display: one test case per iteration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from xml.sax.saxutils import escape, quoteattr

from txfuzz.analysis.explain.headlines import headline
from txfuzz.analysis.result import Verdict
from txfuzz.common.sanitize import one_line, printable
from txfuzz.replay.signature import Signature
from txfuzz.report.baseline import Comparison
from txfuzz.report.campaign_result import CampaignResult, by_whom, run_sentence
from txfuzz.report.finding import Finding, findings_in, most_telling
from txfuzz.report.iteration import Iteration
from txfuzz.report.text.anomalies import anomaly_in_full
from txfuzz.report.verdict import verdict_sentence

_LONGEST = 20_000  # characters of one explanation
_FINDINGS = 12  # explained in one test case


def junit_text(record: CampaignResult, comparison: Comparison | None = None) -> str:
    """The file. comparison: with a baseline; then only new findings are failures."""
    first = record.small_scope
    judged = [each for each in record.analysed if each is not first or each.verdict is not Verdict.UNKNOWN]
    cases = [_case(record, each, comparison) for each in judged]
    failures = sum(kind == "failure" for kind, _ in cases)
    errors = sum(kind == "error" for kind, _ in cases)
    skipped = sum(kind == "skipped" for kind, _ in cases)
    whole = _whole(record)
    errors += whole is not None
    texts = [text for _, text in cases] + ([whole] if whole is not None else [])
    seconds = sum(each.numbers.seconds or 0.0 for each in record.analysed)
    name = _attribute(f"txfuzz {record.name}")
    head = (
        f'<testsuite name={name} tests="{len(texts)}" failures="{failures}" errors="{errors}" '
        f'skipped="{skipped}" time="{seconds:.3f}">'
    )
    properties = "".join(
        f"      <property name={_attribute(key)} value={_attribute(str(value))}/>\n"
        for key, value in _properties(record).items()
    )
    totals = f'tests="{len(texts)}" failures="{failures}" errors="{errors}"'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {totals}>\n  {head}\n'
        f"    <properties>\n{properties}    </properties>\n{''.join(texts)}  </testsuite>\n</testsuites>\n"
    )


def _properties(record: CampaignResult) -> dict[str, object]:
    facts = record.facts
    known = {
        "isolation": facts.isolation,
        "expect": record.expect,
        "promised": facts.promised,
        "database": facts.server,
        "seed": facts.seed,
        "verdict": record.verdict.value,
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


def _case(record: CampaignResult, iteration: Iteration, comparison: Comparison | None) -> tuple[str, str]:
    """The test case, preceded by "failure", "error", "skipped" or nothing."""
    own = [each for each in record.findings if iteration.number in each.everywhere]
    result, said = iteration.deciding_result, ""
    kind, message, body = "", "", ""
    if iteration.verdict is Verdict.UNKNOWN:
        counts = iteration not in record.iterations or iteration in record.undecided
        kind, message = "error" if counts else "skipped", f"no verdict: {iteration.reason}"
    elif iteration.verdict is Verdict.INVALID:
        sentence = verdict_sentence(result, record.levels, record.facts.answers_for)
        leading = most_telling(result, record.facts.answers_for)
        if leading is not None:
            sentence = f"{headline(leading)}. {sentence}"
        if iteration.by_replay:
            sentence = f"{sentence} This was {by_whom(iteration)}."
        failing = own if comparison is None else [each for each in own if each in comparison.new]
        shown = {each.signature: each for each in findings_in([(0, result)], record.facts.isolation or "")}
        types = set(result.anomaly_types)
        unknown_types = types if comparison is None else types & set(comparison.new_types)
        if failing or unknown_types or not types:
            kind, message, body = "failure", sentence, _explained([_here(each, shown) for each in failing])
        else:
            explained = _explained([_here(each, shown) for each in own])
            said = f"expected by the baseline: {', '.join(result.anomaly_types)}\n{explained}"
    inner = ""
    if kind:
        named = _attribute(", ".join(result.anomaly_types) if kind == "failure" else "unknown")
        type_ = "" if kind == "skipped" else f" type={named}"
        inner = f"      <{kind}{type_} message={_attribute(message)}>{_text(body)}</{kind}>\n"
    elif said:
        inner = f"      <system-out>{_text(said)}</system-out>\n"
    seconds = iteration.numbers.seconds or 0.0
    level, model = record.isolation or "unknown level", record.expect or "an unknown model"
    head = (
        f"    <testcase classname={_attribute(f'txfuzz.{record.name}.{level}')} "
        f"name={_attribute(f'iteration {iteration.name} against {model}')} "
        f'time="{seconds:.3f}"'
    )
    return kind, f"{head}>\n{inner}    </testcase>\n" if inner else f"{head}/>\n"


def _whole(record: CampaignResult) -> str | None:
    """A test case for the campaign itself, if it did not finish."""
    if record.whole and record.analysed:
        return None
    message = record.remarks[0] if record.remarks else run_sentence(record)
    suite = _attribute(f"txfuzz.{record.name}")
    return (
        f'    <testcase classname={suite} name="the campaign finished">\n'
        f'      <error type="unknown" message={_attribute(message)}></error>\n    </testcase>\n'
    )


def _here(finding: Finding, shown: Mapping[Signature, Finding]) -> Finding:
    """A finding as this iteration shows it. shown: its own findings, by signature."""
    first, *others = [shown[each.signature] for each in finding.parts if each.signature in shown]
    return replace(first, also=tuple(others))


def _explained(findings: list[Finding]) -> str:
    """The explanations, one sentence per edge. findings: as the iteration itself shows them."""
    told = [
        "\n".join([headline(each.anomaly), *anomaly_in_full(each.anomaly, each)])
        for each in findings[:_FINDINGS]
    ]
    if len(findings) > _FINDINGS:
        told.append(f"… {len(findings) - _FINDINGS} more")
    return ("\n\n".join(told))[:_LONGEST]


def _text(text: str) -> str:
    return escape(printable(text))


def _attribute(text: str) -> str:
    return quoteattr(one_line(text))
