"""Tables of a layout that are made anew before each schedule."""

from __future__ import annotations

from dataclasses import replace

from tests.hunt.samples import ABSENT, PLAIN, PRESENT
from txfuzz.hunt.tables import HuntTables
from txfuzz_sqlite.adapter import SqliteAdapter


def test_fresh_tables_are_emptied_and_filled_after_each_reset() -> None:
    emptied = ("DROP TABLE {table}", PLAIN.setup[0].replace("v int NOT NULL", "v int NOT NULL DEFAULT 5"))
    fresh = replace(PLAIN, name="fresh", fresh=emptied)
    assert fresh.anew((PRESENT, ABSENT))[-1] == "INSERT INTO a (k, v) VALUES (1, 0)"
    assert PLAIN.anew((PRESENT, ABSENT)) == ()
    with SqliteAdapter().open(None) as database, HuntTables(database, "serializable") as tables:
        opened = tables.opened(fresh, (PRESENT, ABSENT))
        for _ in range(2):
            opened.tables.reset()
            assert opened.tables.query("SELECT k, v FROM a").rows == ((1, 0),)
            session = opened.session()
            session.begin("serializable")
            session.run("INSERT INTO b (k) VALUES (1)", {})  # as only the tables that were made anew let it
            session.commit()
        opened.tables.reset()
        assert opened.tables.query("SELECT * FROM b").rows == ()
