"""Everything that plugins may use, under one version number; see docs/plugins/writing-a-plugin.md.

All other modules except `txfuzz` and `txfuzz.testing` may change from one release to the next. Names are
imported on first use, so importing this module costs nothing.
"""

# ruff: isort: skip_file

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # packed, as the table below is
    # fmt: off
    from txfuzz.analysis.calls import call_view
    from txfuzz.analysis.checker.consistency import canonical, implies, prohibited
    from txfuzz.analysis.contract import Analyzer, Part
    from txfuzz.analysis.dependencies.columns import Columns, NOTHING as NO_WRITER, columns_of
    from txfuzz.analysis.dependencies.coverage import (
        DangerousStructure, Refusal, StepDependency, TemplateStep,
    )
    from txfuzz.analysis.dependencies.register_versions import VersionOptions
    from txfuzz.analysis.describe import (
        elapsed, key_text, mop_text, outcome as outcome_text, read_text, transaction_view, value_text,
    )
    from txfuzz.analysis.explain.verdict import refusal as unjudged_reason
    from txfuzz.analysis.result import (
        Anomaly, Edge, KeyPressure, MissingEdge, NearCycle, TransactionView, Verdict,
    )
    from txfuzz.analysis.views.mop_view import MopView
    from txfuzz.common.closeable import Closeable
    from txfuzz.common.kind import Kind
    from txfuzz.common.options import check as check_options, option
    from txfuzz.common.sentences import listed
    from txfuzz.database.api import (
        Adapter, Answer, Batching, BoundStep, Capabilities, Database, Embeds, GoesOn, MakesRoom,
        NoMoreSessions, Outcome, Patient, ReachesEndpoints, ReadValue, RunsSql, Script, ScriptFile,
        ScriptLine, SeesWaits, Session, SessionError, WritesScripts, waits_by_place,
    )
    from txfuzz.database.drivers import (
        Around, COMMIT, DriverCall, Drivers, KnowsDrivers, ROLLBACK, each_in_full, replaced,
    )
    from txfuzz.database.embedded.account import (
        Account,
        make_server_directory,
        require_linux,
        server_account,
    )
    from txfuzz.database.embedded.keeper_pipe import KeeperLink, environment_without, kept_directory
    from txfuzz.database.embedded.processes import pause_processes, resume_processes, server_processes
    from txfuzz.database.embedded.server import OwnServer, error_in_log, keeper_for
    from txfuzz.database.endpoints import Endpoint, EndpointRole, EndpointUse, HasEndpoints, Promise
    from txfuzz.database.error_meanings import NamesConstraints, NamesDeadlocks
    from txfuzz.database.fault_injection import ServerInjector
    from txfuzz.database.faults import (
        Breakable, CUT, Fault, Injectable, KILL, LIMIT, MayExcuse, PAUSE, TERMINATE,
    )  # fmt: skip
    from txfuzz.database.isolation_levels import level_among
    from txfuzz.database.reuse import CanRest, KeepsPlans, KeepsSettings, RunsAfterReset
    from txfuzz.database.scenario import (
        Accesses, AdoptedSession, AnswersLater, Begin, Cell, ColumnFacts, Commit, HasProcess, HoldsScenarios,
        MovesNumbers, OwnsServer, PlayedSchedule, PlayedStep, Request, ReversesRows, Rollback,
        Rows, Run, ScenarioSession, ScenarioTables, SeesAccesses, SeesTables, SendsScripts, SentAnswer,
        SentScript, SetupRefused, StatementAnswer, WritesBegin, WritesPlays, run_setup,
    )
    from txfuzz.database.schemes import ANY_SCHEME, FitsUrl, KnowsSchemes, OwnsSchemes
    from txfuzz.database.sql.adapter import RoomForClients, checked_url, max_connections_option, tables_option
    from txfuzz.database.sql.control import ControlConnection
    from txfuzz.database.sql.database import Schemas, ServerDatabase, SqlDatabase
    from txfuzz.database.sql.list_text import TEXT_DECODERS
    from txfuzz.database.sql.raw_statements import RawStatement, check_stays_inside, table_index
    from txfuzz.database.sql.scripts import typed_script
    from txfuzz.database.sql.session import SessionCodes, SqlSession, StatementResult
    from txfuzz.database.sql.tables import TABLE_PREFIX, TableMaker, Tables, WRITE_FUNCTION
    from txfuzz.database.variations import DeletesRows, TakesVariations, Variation, Varies
    from txfuzz.database.versions import StartableServer, StartsVersions, is_version, version_order
    from txfuzz.errors import (
        DatabaseUnavailable, HistoryError, OutputError, TxfuzzError, UsageError, WorkloadError, did_you_mean,
    )
    from txfuzz.feedback.adjustments import current as target_value
    from txfuzz.feedback.contract import (
        Adjustment, FeedbackResult, Heuristic, Mutator, Proposal, Pursuing, Situation, Strategy,
    )
    from txfuzz.feedback.directed.direction import DirectedOutcome, Direction
    from txfuzz.feedback.key_choices import (
        can_choose, choice_sets, fewest_keys, keys_to_add, narrowed as narrowed_choices,
    )
    from txfuzz.feedback.key_draws import draw_keys
    from txfuzz.feedback.learning.corpus import Corpus, CorpusEntry
    from txfuzz.feedback.learning.coverage_map import CoverageMap, worth as feature_worth
    from txfuzz.feedback.learning.credit import Credit, Yield
    from txfuzz.feedback.learning.difference import (
        changed_to as with_target_value, difference as adjustments_between,
    )
    from txfuzz.feedback.mutators import Mutation, applicable as applicable_mutators, mutated
    from txfuzz.feedback.targets.choices import choices_value, few_choices
    from txfuzz.feedback.targets.directed import directed_value
    from txfuzz.feedback.targets.transactions import transactions_value
    from txfuzz.history.calls import Call, Calls
    from txfuzz.history.model import APPEND, FAIL, FINAL_READ, History, INFO, Ints, NIL, OK, READ, WRITE
    from txfuzz.history.reader import read_history
    from txfuzz.history.values import Keyword, edn as edn_text, identity as value_identity
    from txfuzz.hunt.form import Change, Effect, Form, NO_DUPLICATES, OWN_TABLE, UNIQUE_KEY
    from txfuzz.hunt.judging.wrong import Wrong
    from txfuzz.hunt.judging.known import KnownHole
    from txfuzz.hunt.layout import Layout
    from txfuzz.plugin.hookspecs import API_VERSION, hookimpl
    from txfuzz.transactions.model import Choice, Mode, NewValue, Ref, Step, Transaction
    from txfuzz.transactions.placeholders import with_placeholders
    from txfuzz.workload.directed import DirectedSchedule, DirectedTransaction
    from txfuzz.workload.model import Workload
    from txfuzz.workload.template import Template
    # fmt: on

# fmt: off
# Module → what is imported from it
_MODULES = {
    "txfuzz.analysis.calls": ("call_view",),
    "txfuzz.analysis.checker.consistency": ("canonical", "implies", "prohibited"),
    "txfuzz.analysis.contract": ("Analyzer", "Part"),
    "txfuzz.analysis.dependencies.columns": ("Columns", "NO_WRITER", "columns_of"),
    "txfuzz.analysis.dependencies.coverage": (
        "DangerousStructure", "Refusal", "StepDependency", "TemplateStep",
    ),
    "txfuzz.analysis.dependencies.register_versions": ("VersionOptions",),
    "txfuzz.analysis.describe": (
        "elapsed", "key_text", "mop_text", "outcome_text", "read_text", "transaction_view", "value_text",
    ),
    "txfuzz.analysis.explain.verdict": ("unjudged_reason",),
    "txfuzz.analysis.result": (
        "Anomaly", "Edge", "KeyPressure", "MissingEdge", "NearCycle", "TransactionView", "Verdict",
    ),
    "txfuzz.analysis.views.mop_view": ("MopView",),
    "txfuzz.common.closeable": ("Closeable",),
    "txfuzz.common.kind": ("Kind",),
    "txfuzz.common.options": ("check_options", "option"),
    "txfuzz.common.sentences": ("listed",),
    "txfuzz.database.api": (
        "Adapter", "Answer", "Batching", "BoundStep", "Capabilities", "Database", "Embeds", "GoesOn",
        "MakesRoom", "NoMoreSessions", "Outcome", "Patient", "ReachesEndpoints", "ReadValue", "RunsSql",
        "Script", "ScriptFile", "ScriptLine", "SeesWaits", "Session", "SessionError", "WritesScripts",
        "waits_by_place",
    ),
    "txfuzz.database.drivers": (
        "Around", "COMMIT", "DriverCall", "Drivers", "KnowsDrivers", "ROLLBACK", "each_in_full",
        "replaced",
    ),
    "txfuzz.database.embedded.account": (
        "Account", "make_server_directory", "require_linux", "server_account"
    ),
    "txfuzz.database.embedded.keeper_pipe": ("KeeperLink", "environment_without", "kept_directory"),
    "txfuzz.database.embedded.processes": ("pause_processes", "resume_processes", "server_processes"),
    "txfuzz.database.embedded.server": ("OwnServer", "error_in_log", "keeper_for"),
    "txfuzz.database.endpoints": ("Endpoint", "EndpointRole", "EndpointUse", "HasEndpoints", "Promise"),
    "txfuzz.database.error_meanings": ("NamesConstraints", "NamesDeadlocks"),
    "txfuzz.database.fault_injection": ("ServerInjector",),
    "txfuzz.database.faults": (
        "Breakable", "CUT", "Fault", "Injectable", "KILL", "LIMIT", "MayExcuse", "PAUSE", "TERMINATE",
    ),
    "txfuzz.database.isolation_levels": ("level_among",),
    "txfuzz.database.reuse": ("CanRest", "KeepsPlans", "KeepsSettings", "RunsAfterReset"),
    "txfuzz.database.scenario": (
        "Accesses", "AdoptedSession", "AnswersLater", "Begin", "Cell", "ColumnFacts", "Commit", "HasProcess",
        "HoldsScenarios", "MovesNumbers", "OwnsServer", "PlayedSchedule", "PlayedStep",
        "Request", "ReversesRows", "Rollback", "Rows", "Run", "ScenarioSession", "ScenarioTables",
        "SeesAccesses", "SeesTables", "SendsScripts", "SentAnswer", "SentScript", "SetupRefused",
        "StatementAnswer", "WritesBegin", "WritesPlays", "run_setup",
    ),
    "txfuzz.database.schemes": ("ANY_SCHEME", "FitsUrl", "KnowsSchemes", "OwnsSchemes"),
    "txfuzz.database.sql.adapter": (
        "RoomForClients", "checked_url", "max_connections_option", "tables_option",
    ),
    "txfuzz.database.sql.control": ("ControlConnection",),
    "txfuzz.database.sql.database": ("Schemas", "ServerDatabase", "SqlDatabase"),
    "txfuzz.database.sql.list_text": ("TEXT_DECODERS",),
    "txfuzz.database.sql.raw_statements": ("RawStatement", "check_stays_inside", "table_index"),
    "txfuzz.database.sql.scripts": ("typed_script",),
    "txfuzz.database.sql.session": ("SessionCodes", "SqlSession", "StatementResult"),
    "txfuzz.database.sql.tables": ("TABLE_PREFIX", "TableMaker", "Tables", "WRITE_FUNCTION"),
    "txfuzz.database.variations": ("DeletesRows", "TakesVariations", "Variation", "Varies"),
    "txfuzz.database.versions": ("StartableServer", "StartsVersions", "is_version", "version_order"),
    "txfuzz.errors": (
        "DatabaseUnavailable", "HistoryError", "OutputError", "TxfuzzError", "UsageError", "WorkloadError",
        "did_you_mean",
    ),
    "txfuzz.feedback.adjustments": ("target_value",),
    "txfuzz.feedback.contract": (
        "Adjustment", "FeedbackResult", "Heuristic", "Mutator", "Proposal", "Pursuing", "Situation",
        "Strategy",
    ),
    "txfuzz.feedback.directed.direction": ("DirectedOutcome", "Direction"),
    "txfuzz.feedback.key_choices": (
        "can_choose", "choice_sets", "fewest_keys", "keys_to_add", "narrowed_choices",
    ),
    "txfuzz.feedback.key_draws": ("draw_keys",),
    "txfuzz.feedback.learning.corpus": ("Corpus", "CorpusEntry"),
    "txfuzz.feedback.learning.coverage_map": ("CoverageMap", "feature_worth"),
    "txfuzz.feedback.learning.credit": ("Credit", "Yield"),
    "txfuzz.feedback.learning.difference": ("adjustments_between", "with_target_value"),
    "txfuzz.feedback.mutators": ("Mutation", "applicable_mutators", "mutated"),
    "txfuzz.feedback.targets.choices": ("choices_value", "few_choices"),
    "txfuzz.feedback.targets.directed": ("directed_value",),
    "txfuzz.feedback.targets.transactions": ("transactions_value",),
    "txfuzz.history.calls": ("Call", "Calls"),
    "txfuzz.history.model": (
        "APPEND", "FAIL", "FINAL_READ", "History", "INFO", "Ints", "NIL", "OK", "READ", "WRITE",
    ),
    "txfuzz.history.reader": ("read_history",),
    "txfuzz.history.values": ("Keyword", "edn_text", "value_identity"),
    "txfuzz.hunt.form": ("Change", "Effect", "Form", "NO_DUPLICATES", "OWN_TABLE", "UNIQUE_KEY"),
    "txfuzz.hunt.judging.wrong": ("Wrong",),
    "txfuzz.hunt.judging.known": ("KnownHole",),
    "txfuzz.hunt.layout": ("Layout",),
    "txfuzz.plugin.hookspecs": ("API_VERSION", "hookimpl"),
    "txfuzz.transactions.model": ("Choice", "Mode", "NewValue", "Ref", "Step", "Transaction"),
    "txfuzz.transactions.placeholders": ("with_placeholders",),
    "txfuzz.workload.directed": ("DirectedSchedule", "DirectedTransaction"),
    "txfuzz.workload.model": ("Workload",),
    "txfuzz.workload.template": ("Template",),
}
# Names that would be unclear outside their module and are renamed here
_DEFINED_AS = {
    "unjudged_reason": "refusal",
    "NO_WRITER": "NOTHING",
    "outcome_text": "outcome",
    "check_options": "check",
    "target_value": "current",
    "narrowed_choices": "narrowed",
    "feature_worth": "worth",
    "adjustments_between": "difference",
    "with_target_value": "changed_to",
    "applicable_mutators": "applicable",
    "edn_text": "edn",
    "value_identity": "identity",
}
__all__ = [  # noqa: RUF022
    "ANY_SCHEME", "API_VERSION", "APPEND", "Accesses", "Account", "Adapter", "Adjustment", "AdoptedSession",
    "Analyzer", "Anomaly", "Answer", "AnswersLater", "Around", "Batching", "Begin", "BoundStep", "Breakable",
    "COMMIT", "CUT", "Call", "Calls", "CanRest", "Capabilities", "Cell", "Change", "Choice", "Closeable",
    "ColumnFacts", "Columns", "Commit", "ControlConnection", "Corpus", "CorpusEntry", "CoverageMap", "Credit",
    "DangerousStructure", "Database", "DatabaseUnavailable", "DeletesRows", "DirectedOutcome",
    "DirectedSchedule", "DirectedTransaction", "Direction", "DriverCall", "Drivers", "Edge", "Effect",
    "Embeds", "Endpoint", "EndpointRole", "EndpointUse", "FAIL", "FINAL_READ", "Fault", "FeedbackResult",
    "FitsUrl", "Form", "GoesOn", "HasEndpoints", "HasProcess", "Heuristic", "History", "HistoryError",
    "HoldsScenarios", "INFO", "Injectable", "Ints", "KILL", "KeeperLink", "KeepsPlans", "KeepsSettings",
    "KeyPressure", "Keyword", "Kind", "KnownHole", "KnowsDrivers", "KnowsSchemes", "LIMIT", "Layout",
    "MakesRoom", "MayExcuse",
    "MissingEdge", "Mode", "MopView", "MovesNumbers", "Mutation", "Mutator", "NIL", "NO_DUPLICATES",
    "NO_WRITER", "NamesConstraints", "NamesDeadlocks", "NearCycle",
    "NewValue", "NoMoreSessions", "OK", "OWN_TABLE", "Outcome", "OutputError", "OwnServer", "OwnsSchemes",
    "OwnsServer", "PAUSE", "Part", "Patient", "PlayedSchedule", "PlayedStep", "Promise", "Proposal",
    "Pursuing", "READ", "ROLLBACK", "RawStatement", "ReachesEndpoints", "ReadValue", "Ref", "Refusal",
    "Request", "ReversesRows", "Rollback", "RoomForClients", "Rows", "Run", "RunsAfterReset", "RunsSql",
    "ScenarioSession", "ScenarioTables", "Schemas", "Script", "ScriptFile", "ScriptLine", "SeesAccesses",
    "SeesTables", "SeesWaits", "SendsScripts", "SentAnswer", "SentScript", "ServerDatabase", "ServerInjector",
    "Session", "SessionCodes", "SessionError", "SetupRefused", "Situation", "SqlDatabase", "SqlSession",
    "StartableServer", "StartsVersions", "StatementAnswer", "StatementResult", "Step", "StepDependency",
    "Strategy", "TABLE_PREFIX", "TERMINATE", "TEXT_DECODERS", "TableMaker", "Tables", "TakesVariations",
    "Template", "TemplateStep", "Transaction", "TransactionView", "TxfuzzError", "UNIQUE_KEY", "UsageError",
    "Variation", "Varies", "Verdict", "VersionOptions", "WRITE", "WRITE_FUNCTION", "Workload",
    "WorkloadError", "WritesBegin", "WritesPlays", "WritesScripts", "Wrong", "Yield", "adjustments_between",
    "applicable_mutators", "call_view", "can_choose", "canonical", "check_options", "check_stays_inside",
    "checked_url", "choice_sets", "choices_value", "columns_of", "did_you_mean", "directed_value",
    "draw_keys", "each_in_full", "edn_text", "elapsed", "environment_without", "error_in_log",
    "feature_worth", "few_choices",
    "fewest_keys", "hookimpl", "implies", "is_version", "keeper_for", "kept_directory", "key_text",
    "keys_to_add", "level_among", "listed", "make_server_directory", "max_connections_option", "mop_text",
    "mutated", "narrowed_choices", "option", "outcome_text", "pause_processes", "prohibited", "read_history",
    "read_text", "replaced", "require_linux", "resume_processes", "run_setup", "server_account",
    "server_processes", "table_index", "tables_option", "target_value", "transaction_view",
    "transactions_value", "typed_script", "unjudged_reason", "value_identity", "value_text", "version_order",
    "waits_by_place", "with_placeholders", "with_target_value",
]
# fmt: on
_HOME = {name: module for module, names in _MODULES.items() for name in names}

if not TYPE_CHECKING:  # so that type checkers reject other names

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOME[name]), _DEFINED_AS.get(name, name))
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
