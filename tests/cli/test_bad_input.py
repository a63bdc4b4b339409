"""Whatever is wrong ends with one clear sentence and the documented exit code, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project_fixtures import Ran, Site

Cli = Callable[..., Ran]

GOOD = """version: 1
name: good
database: {adapter: dictionary}
expect: serializable
workload:
  transactions:
    - name: t
      steps:
        - {f: r, key: {choice: {from: [1, 2]}, as: k}}
        - {f: append, key: {ref: k}}
  mix:
    - {txn: t, weight: 1}
scheduling: {clients: 2, transactions: 40, barrier_every: 1}
"""
OK_PAIR = (
    "{:index 0, :type :invoke, :process 0, :f :txn, :value [[:append 1 1]]}\n"
    "{:index 1, :type :ok, :process 0, :f :txn, :value [[:append 1 1]]}\n"
    "{:index 2, :type :invoke, :process 1, :f :txn, :value [[:r 1 nil]]}\n"
    "{:index 3, :type :ok, :process 1, :f :txn, :value [[:r 1 [1]]]}\n"
)


def sentence(ran: Ran, code: int, *words: str) -> None:
    """One sentence on stderr, with these words and this exit code."""
    assert ran.code == code, ran.err
    said = [line for line in ran.err.splitlines() if line.startswith("txfuzz: ")]
    assert len(said) == 1, ran.err
    for word in words:
        assert word in said[0], said[0]
    assert len(said[0]) < 600


@pytest.fixture
def memory(site: Site) -> Site:
    site.add_third()
    return site


def run(txfuzz: Cli, text: str, *more: object) -> Ran:
    Path("w.yaml").write_text(text)
    return txfuzz("run", "--config", "w.yaml", "--iterations", 1, "--output-dir", "out", *more)


def test_the_good_one_is_good(txfuzz: Cli, memory: Site) -> None:
    assert run(txfuzz, GOOD).code == 0


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (GOOD, "", ("w.yaml:1:1:", "empty")),
        ("version: 1", "version: [", ("w.yaml:3:9:", "invalid YAML")),
        ("expect:", "expct:", ("w.yaml:4:1:", "'expct'", "did you mean 'expect'")),
        ("{txn: t, weight: 1}", "{txn: tt, weight: 1}", ("w.yaml:12:13:", "'tt'", "did you mean 't'")),
        ("weight: 1}", "weight: -1}", ("w.yaml:12:", "-1")),
        ("from: [1, 2]", "from: []", ("w.yaml:9:", "empty")),
        ("{ref: k}", "{ref: kk}", ("w.yaml:10:", "'kk'", "did you mean 'k'")),
        ("dictionary}", "dictionry}", ("w.yaml:3:", "'dictionry'", "did you mean 'dictionary'")),
        ("dictionary}", "dictionary, refus: x}", ("w.yaml:3:", "'refus'", "did you mean 'refuse'")),
        ("dictionary}", "dictionary, isolation: lockd}", ("w.yaml:3:", "'lockd'", "'locked'")),
        ("expect: serializable", "expect: serialisable", ("w.yaml:4:", "did you mean 'serializable'")),
        ("scheduling:", "heuristics: [hot-kyes]\nscheduling:", ("w.yaml:13:", "did you mean 'hot-keys'")),
        (
            "scheduling:",
            "heuristics: [{name: mix, gian: 2}]\nscheduling:",
            ("w.yaml:13:", "did you mean 'gain'"),
        ),
        ("scheduling:", "heuristics: [{name: mix, gain: much}]\nscheduling:", ("w.yaml:13:", "a number")),
        ("scheduling:", "analyzers: [ele]\nscheduling:", ("w.yaml:13:", "did you mean 'elle'")),
        (
            "- name: t\n",
            "- template: third-pear\n    - name: t\n",
            ("w.yaml:7:", "did you mean 'third-pair'"),
        ),
        ("f: append", "f: apend", ("w.yaml:10:", "'apend'")),
        ("clients: 2", "clients: 0", ("w.yaml:13:",)),
    ],
)
def test_a_workload_that_is_wrong(
    txfuzz: Cli, memory: Site, before: str, after: str, words: tuple[str, ...]
) -> None:
    assert before in GOOD
    sentence(run(txfuzz, GOOD.replace(before, after, 1)), 2, *words)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--config", "nowhere.yaml"), ("nowhere.yaml",)),
        (("run", "--workload", "write_skwe"), ("'write_skwe'", "did you mean 'write_skew'")),
        (("run", "--workload", "x", "--config", "y"), ("--config and --workload",)),
        (("run", "--workload", "example", "--workload-dir", "nowhere"), ("nowhere",)),
        (("run", "--expect", "serialisable"), ("did you mean 'serializable'",)),
        (("run", "--isolation", "repeatable-raed"), ("did you mean 'repeatable read'",)),
        (
            ("run", "--adapter", "postgres", "--database-url", "mysql://a:hidden@b/c"),
            ("mysql://", "'postgres'"),
        ),
        (("run", "--database-url", "nonsense"), ("database URL",)),
        (("execute", "--config", "write_skew", "--out", "no/such/place.edn"), ("no/such",)),
        (("analyze", "nowhere.edn"), ("nowhere.edn",)),
        (("plugins", "show", "hot-kyes"), ("did you mean 'hot-keys'",)),
        (("templates", "x"), ("no template 'x' is installed",)),
        (("workloads", "x"), ("'x'",)),
        (("rnu",), ("did you mean 'run'",)),
    ],
)
def test_a_command_line_that_is_wrong(
    txfuzz: Cli, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    ran = txfuzz(*arguments)
    sentence(ran, 2, *words)
    assert "hidden" not in ran.err + ran.out


def test_an_unknown_option_is_a_usage_error(txfuzz: Cli) -> None:
    ran = txfuzz("run", "--iteratoins", 3)
    assert ran.code == 2
    assert "--iterations" in ran.err


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", 2, ("h.edn", "found none")),
        (OK_PAIR + "garbled\n" + OK_PAIR, 2, ("h.edn:5:",)),
        (OK_PAIR.replace(":append 1 1", ":increment 1 1"), 3, ()),
        ("\x00\x01\x02", 2, ("h.edn",)),
    ],
)
def test_a_history_that_is_wrong(txfuzz: Cli, text: str, code: int, words: tuple[str, ...]) -> None:
    Path("h.edn").write_text(text)
    ran = txfuzz("analyze", "h.edn", "--skip-graph")
    if code == 2:
        sentence(ran, 2, *words)
    else:
        assert ran.code == code
        assert "increment" in ran.out


def test_a_torn_last_line_is_read_with_a_warning(txfuzz: Cli) -> None:
    Path("h.edn").write_text(OK_PAIR + "{:index 4, :type :inv")
    ran = txfuzz("analyze", "h.edn", "--skip-graph")
    assert ran.code == 0
    assert "line 5" in ran.out + ran.err
    assert "truncated" in ran.out + ran.err


def test_duplicate_appends_are_unknown_and_named(txfuzz: Cli) -> None:
    again = OK_PAIR.replace(":index ", ":index 1").replace(":process 0", ":process 7")
    Path("h.edn").write_text(OK_PAIR + again)
    ran = txfuzz("analyze", "h.edn", "--skip-graph", "--json")
    assert ran.code == 3
    assert '"verdict": "unknown"' in ran.out
    for words in ("the value 1 of key 1", "transactions 1 and 11"):
        assert words in ran.out


def test_of_several_histories_the_worst_counts(txfuzz: Cli) -> None:
    Path("good.edn").write_text(OK_PAIR)
    Path("bad.edn").write_text(OK_PAIR.replace(":r 1 [1]", ":r 1 [1 1]"))
    Path("torn.edn").write_text("{:index")
    lines = txfuzz("analyze", "good.edn", "torn.edn", "bad.edn", "--json")
    assert lines.code == 1
    assert [line[:1] for line in lines.out.splitlines()] == ["{"] * 3
    assert txfuzz("analyze", "good.edn", "nowhere.edn", "--json").code == 2
    assert txfuzz("analyze", "good.edn", "good.edn").code == 0


def test_an_output_directory_that_cannot_be_written(txfuzz: Cli, memory: Site) -> None:
    Path("file").write_text("")
    Path("w.yaml").write_text(GOOD)
    sentence(
        txfuzz("run", "--config", "w.yaml", "--output-dir", "file/out"), 2, "file/out", "cannot be written"
    )


@pytest.mark.server
def test_a_server_that_refuses(txfuzz: Cli) -> None:
    ran = txfuzz("run", "--database-url", "postgres://me:hidden@127.0.0.1:1/db?sslmode=disable")
    sentence(ran, 4, "127.0.0.1", "refused")
    assert "hidden" not in ran.err + ran.out


@pytest.fixture
def closed_stdout() -> Iterator[int]:
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


def test_a_reader_that_has_gone_is_no_error(closed_stdout: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "txfuzz", "workloads"],
        stdout=closed_stdout,
        stderr=subprocess.PIPE,
        check=False,
    )
    assert ran.stderr == b""
    assert ran.returncode == 0


def test_a_bug_of_ours_is_one_sentence_too(txfuzz: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("a\nbug")

    monkeypatch.setattr("txfuzz.workload.shipped.shipped_workloads", broken)
    sentence(txfuzz("workloads"), 70, "internal error: ZeroDivisionError: a bug")
