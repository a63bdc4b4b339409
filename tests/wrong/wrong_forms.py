"""Forms and layouts with one defect each. Run by test_conformance.py."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from txfuzz.plugin_api import Change, Effect, Form, Layout
from txfuzz.testing import FormConformance
from txfuzz_sqlite.adapter import SqliteAdapter

UPDATE = Form(
    "update",
    "the row",
    ("UPDATE {table} SET v = {value} WHERE k = {key}",),
    Effect(Change.NOTHING, Change.UPDATE),
)
PLAIN = Layout("plain", "a primary key", ("CREATE TABLE {table} (k int PRIMARY KEY, v int NOT NULL)",))
TRIED = ("test_each_form_does_what_it_says_on_each_layout",)


class Conformance(FormConformance):
    """caught_by: the checks that must fail."""

    adapter = SqliteAdapter(mode="rollback-journal")
    forms = (UPDATE,)
    layouts = (PLAIN,)
    caught_by: ClassVar[tuple[str, ...]] = TRIED


class TestSaysThatItWrites(Conformance):
    forms = (replace(UPDATE, statements=("SELECT v FROM {table} WHERE k = {key}",), returns_rows=True),)


class TestDoesMoreThanItSays(Conformance):
    forms = (replace(UPDATE, effect=Effect()),)


class TestReturnsRowsThatItDoesNotMention(Conformance):
    forms = (replace(UPDATE, statements=(UPDATE.statements[0] + " RETURNING v",)),)


class TestIsRefused(Conformance):
    forms = (replace(UPDATE, statements=("UPDATE {table} SET w = {value} WHERE k = {key}",)),)


class TestStumblesOverWhatWasDeleted(Conformance):
    """A row that was there before is not as one that never was: its key is remembered."""

    layouts = (
        replace(
            PLAIN,
            setup=(
                *PLAIN.setup,
                "CREATE TABLE {table}_seen (k int)",
                "CREATE TRIGGER {table}_deleted AFTER DELETE ON {table} BEGIN "
                "INSERT INTO {table}_seen VALUES (OLD.k); END",
                "CREATE TRIGGER {table}_inserted BEFORE INSERT ON {table} "
                "WHEN EXISTS (SELECT 1 FROM {table}_seen WHERE k = NEW.k) BEGIN "
                "SELECT RAISE(ABORT, 'no second life'); END",
            ),
        ),
    )
    forms = (
        replace(
            UPDATE,
            statements=("INSERT INTO {table} (k, v) VALUES ({key}, {value})",),
            effect=Effect(Change.INSERT, Change.REFUSED),
        ),
    )


class TestHasOneNameTwice(Conformance):
    caught_by = ("test_names_are_used_once",)
    forms = (UPDATE, UPDATE)


class TestSaysNothingAboutItself(Conformance):
    caught_by = ("test_names_are_used_once",)
    layouts = (replace(PLAIN, about=" "),)


class TestIsNotRefusedAtAll(Conformance):
    caught_by = ("test_what_is_refused_is_refused",)
    refused: ClassVar[frozenset[tuple[str, str]]] = frozenset({("update", "plain")})
