"""docs/reference/plugin-reference.md, from the source: hooks, contracts, values, and the conformance tests.

python docs/makers/plugin_reference.py --write docs/reference/plugin-reference.md
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from txfuzz import plugin_api
from txfuzz.plugin import hookspecs

HEAD = """# Reference of hooks and contracts

Generated from the source by `make docs`, as a test verifies. What the names are for is described on
the pages of [Writing a plugin](../plugins/writing-a-plugin.md). Everything is imported from
`txfuzz.plugin_api`, and the conformance tests from `txfuzz.testing`.
"""

# Section → its contents, by the names of txfuzz.plugin_api.
SECTIONS = {
    "Adapters": (
        "Adapter", "Capabilities", "Database", "Session", "BoundStep", "Outcome", "SessionError", "Kind",
        "NoMoreSessions",
        "Embeds", "StartsVersions", "StartableServer", "is_version", "version_order",
        "MakesRoom", "OwnsSchemes", "FitsUrl", "KnowsSchemes",
        "RunsSql", "Answer", "GoesOn",
        "SeesWaits", "Batching",
        "EndpointRole", "Endpoint", "EndpointUse", "Promise", "HasEndpoints", "ReachesEndpoints",
        "Variation", "Varies", "TakesVariations", "DeletesRows",
        "Patient",
        "WritesScripts", "Script",
        "ScriptLine", "ScriptFile",
    ),
    "Adapters of SQL databases": (
        "Tables", "TableMaker", "SqlDatabase", "SqlSession", "SessionCodes", "StatementResult",
        "RawStatement", "table_index", "check_stays_inside", "typed_script", "checked_url", "level_among",
    ),
    "Servers": (
        "ServerDatabase", "Schemas", "ControlConnection", "RoomForClients", "require_linux", "server_account",
        "make_server_directory", "keeper_for", "kept_directory", "OwnServer", "ServerInjector",
        "waits_by_place", "OwnsServer",
    ),
    "Templates": ("Template",),
    "Analyzers": (
        "Analyzer", "Part", "Verdict", "History", "Anomaly", "TransactionView", "MopView", "Edge",
        "transaction_view",
    ),
    "Heuristics": (
        "Heuristic", "FeedbackResult", "Adjustment", "NearCycle", "MissingEdge",
        "KeyPressure", "target_value",
        "fewest_keys", "few_choices", "transactions_value",
    ),
    "Mutators": ("Mutator", "Mutation", "mutated", "applicable_mutators"),
    "Strategies": (
        "Strategy", "Pursuing", "Situation", "Proposal",
        "adjustments_between", "with_target_value", "keys_to_add",
        "StepDependency", "DangerousStructure", "Refusal", "TemplateStep",
        "Direction", "DirectedOutcome", "DirectedSchedule", "DirectedTransaction", "directed_value",
        "CoverageMap", "feature_worth", "Corpus", "CorpusEntry", "Credit", "Yield",
    ),
    "Faults": ("Fault", "MayExcuse", "Breakable", "Injectable"),
    "Scenarios": (
        "HoldsScenarios", "ScenarioTables", "ScenarioSession", "AdoptedSession", "Rows", "StatementAnswer",
        "ColumnFacts", "WritesPlays", "PlayedSchedule", "PlayedStep",
    ),
    "Forms and layouts": ("Form", "Effect", "Change", "Layout", "KnownHole"),
    "Options": ("option", "check_options"),
}  # fmt: skip
CHECKS = (
    "AdapterConformance", "EndpointConformance", "TemplateConformance", "AnalyzerConformance",
    "HeuristicConformance",
    "MutatorConformance", "StrategyConformance",
    "FaultConformance", "ScenarioConformance",
    "FormConformance",
)  # fmt: skip


def reference() -> str:
    """The whole page."""
    parts = [HEAD, "## Hooks\n", *_hooks()]
    for title, names in SECTIONS.items():
        parts += [f"## {title}\n", *(_entry(name) for name in names)]
    return "\n".join([*parts, "## Checks\n", *_checks()]).rstrip() + "\n"


def _hooks() -> Iterator[str]:
    yield "Each is called once for every plugin that has it, when a command begins that needs plugins.\n"
    for name, hook in vars(hookspecs).items():
        if name.startswith("txfuzz_register_"):
            yield f"### {name}\n\n{_code(_outline(hook))}"


def _entry(name: str) -> str:
    thing = getattr(plugin_api, name)
    outline = _outline(thing).replace(f"def {thing.__name__}(", f"def {name}(", 1)
    return f"### {name}\n\n{_code(outline)}"


def _checks() -> Iterator[str]:
    yield "What the classes of `txfuzz.testing` check, by the names of their tests.\n"
    testing = importlib.import_module("txfuzz.testing")
    for name in CHECKS:
        cls = getattr(testing, name)
        tests = [each for base in reversed(cls.__mro__) for each in vars(base) if each.startswith("test_")]
        lines = [f"- {each.removeprefix('test_').replace('_', ' ')}" for each in dict.fromkeys(tests)]
        doc = inspect.getdoc(cls) or ""
        yield f"### {name}\n\n```text\n{doc}\n```\n\n" + "\n".join(lines) + "\n"


def _code(source: str) -> str:
    return f"```python\n{source.rstrip()}\n```\n"


def _outline(thing: Any) -> str:
    """The source without the bodies of functions and without private names."""
    source = textwrap.dedent(inspect.getsource(thing))
    lines = source.splitlines()
    (node,) = ast.parse(source).body
    kept = dict(enumerate(lines, 1))
    if isinstance(node, ast.ClassDef):
        for each in node.body:
            if isinstance(each, ast.FunctionDef):
                _shorten(each, kept, drop=each.name.startswith("_") and each.name != "__init__")
    elif isinstance(node, ast.FunctionDef):
        _shorten(node, kept, drop=False)
        for decorator in node.decorator_list:  # hookspec
            kept.pop(decorator.lineno, None)
    text = "\n".join(line.split("  # type: ignore")[0].rstrip() for _, line in sorted(kept.items()))
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text


def _shorten(function: ast.FunctionDef, kept: dict[int, str], *, drop: bool) -> None:
    """Keep the signature and the docstring of a function, or remove it."""
    first = min([function.lineno, *(each.lineno for each in function.decorator_list)])
    last = function.end_lineno or function.lineno
    body = function.body
    told = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    if drop:
        gone = range(first, last + 1)
    elif told:
        gone = range((body[0].end_lineno or 0) + 1, last + 1)
    else:
        gone = range(body[0].lineno + 1, last + 1)
        kept[body[0].lineno] = " " * body[0].col_offset + "..."
    for number in gone:
        kept.pop(number, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, required=True, metavar="FILE")
    parser.parse_args().write.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
