"""What was run: database, settings, versions. Everything needed to run it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from txfuzz.common.json_text import json_text
from txfuzz.report.campaign_result import CampaignResult
from txfuzz.report.html.markup import Content, Markup, cut, el

_ROWS, _TEXT = 48, 300


def facts_part(record: CampaignResult) -> Content:
    facts = record.facts
    asked = {
        "workload": record.name,
        "isolation level": facts.isolation,
        "promises": facts.promised,
        "checked against": record.model,
        "seed": facts.seed,
        "state": facts.state,
        "analyzers": ", ".join(facts.analyzers),
        "heuristics": ", ".join(facts.heuristics) or "none",
    }
    plugins = {
        str(each.get("name")): f"{each.get('distribution')} {each.get('version')}" for each in facts.plugins
    }
    return el(
        "section",
        el("h2", "What was run"),
        el(
            "div",
            _group("Campaign", asked),
            _group("Database", {"adapter": facts.adapter, **facts.database}),
            _group("Arguments", {name: value for name, value in facts.arguments.items() if value}),
            _group("Versions", {**facts.versions, **plugins}),
            class_="facts",
        ),
        [el("p", cut(each, _TEXT), class_="remark") for each in facts.problems[:8]],
        id="run",
    )  # fmt: skip


def _group(title: str, rows: Mapping[str, Any]) -> Content:
    known = [(name, value) for name, value in rows.items() if value not in (None, "", [], {})]
    if not known:
        return None
    return el("div", el("h3", title), el("dl", _rows(known[:_ROWS])))


def _rows(rows: Iterable[tuple[str, Any]]) -> list[tuple[Markup, Markup]]:
    return [(el("dt", cut(str(name).replace("_", " "), 60)), el("dd", _value(value))) for name, value in rows]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return cut(value if isinstance(value, str) else json_text(value), _TEXT)
