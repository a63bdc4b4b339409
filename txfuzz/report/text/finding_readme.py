"""README.md of a finding, for readers who have never heard of this program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from txfuzz.analysis.checker.consistency import canonical, model_text, prohibited
from txfuzz.analysis.explain.headlines import headline_parts
from txfuzz.analysis.result import AnalysisResult, Anomaly, TransactionView
from txfuzz.common.sanitize import code_block, code_span, markdown
from txfuzz.common.sentences import counted
from txfuzz.replay.shrink import Shrunk
from txfuzz.report.text.replay import log_lines, read_value


def finding_readme(
    shrunk: Shrunk,
    result: AnalysisResult,
    anomaly: Anomaly,
    *,
    promised: str | None,
    database: Mapping[str, str],
    files: Mapping[str, str],
    remarks: Sequence[str],
) -> str:
    """README.md of a finding. result, anomaly: of the attempt that is shown; files: name → what it is."""
    signature = shrunk.signature
    level = markdown(signature.isolation.upper())
    product = markdown(" ".join(filter(None, (database.get("product"), database.get("version")))))
    session = {view.row: shrunk.attempt.begun[view.row] for view in anomaly.transactions}
    title, happened = headline_parts(anomaly)
    for at, view in enumerate(anomaly.transactions, 1):  # sessions have names of their own here
        happened = re.sub(rf"\bT{at}\b", session[view.row], happened)
    serial = result.expect == "serializable"
    blocks = (
        f"# {markdown(title)} at {level}",
        *([markdown(happened)] if happened else []),
        f"{counted(len(shrunk.after.roles), 'transaction')} of {product} at {level} committed, and "
        + ("no serial order explains" if serial else f"{model_text(result.expect)} does not allow")
        + f" what they saw. {markdown(anomaly.definition)}",
        judgement(anomaly.type, level, promised, result.expect),
        "## What happened",
        "One column per session, time runs downwards. Keys are rows of one table; a read shows the value of "
        "its row.",
        code(log_lines(shrunk.attempt.log)),
        "Read again after all had ended:",
        code(f"r {key} → {read_value(value)}" for _, key, value in shrunk.attempt.final),
        f"## Why {'no serial order explains it' if serial else 'it is not allowed'}",
        "\n".join(f"- {_named(view, session)}" for view in anomaly.transactions),
        "  \n".join(markdown(line) for line in anomaly.explanation.splitlines()),
        "## How to reproduce it",
        f"It occurred in {shrunk.attempts} of {shrunk.attempts} attempts. In this folder:",
        "\n".join(f"- `{name}`: {what}" for name, what in files.items()),
        *("\n".join(map(_remark, remark.splitlines())) for remark in remarks),
        "## How it was shrunk",
        f"From {shrunk.before} to {shrunk.after}: {counted(shrunk.tried, 'candidate')} in "
        f"{counted(shrunk.runs, 'attempt')}, {shrunk.seconds:.1f} s"
        + ("; time ran out before everything had been tried." if shrunk.cut else "."),
    )
    return "\n\n".join(blocks) + "\n"


def _remark(line: str) -> str:
    """One line of a remark; list items stay list items."""
    return f"- {markdown(line[2:])}" if line.startswith("- ") else markdown(line)


def code(lines: Iterable[str]) -> str:
    return "\n".join(code_block("\n".join(lines)))


def judgement(type: str, level: str, promised: str | None, expect: str) -> str:
    """Is it a database bug? promised: None if the workload's own SQL or its faults may be the cause."""
    needed = model_text(expect)
    if promised is None:
        return (
            f"At {level} the workload's own SQL or its faults may be the cause: the database is not known to "
            f"have broken a promise, but an application that needs {needed} is not safe at this level."
        )
    if type in prohibited(canonical(promised)):
        return (
            f"{level} promises {model_text(promised)}, which forbids {type}: unless a known limitation of "
            "the database explains it, this is a bug."
        )
    return (
        f"{level} promises {model_text(promised)}, which allows {type}: this is not a database bug, but an "
        f"application that needs {needed} is not safe at this level."
    )


def _named(view: TransactionView, session: Mapping[int, str]) -> str:
    return f"{session[view.row]} is {code_span(view.text)}" + (
        f" ({markdown(view.template)})" if view.template else ""
    )
