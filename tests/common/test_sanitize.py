"""Nothing that a history, a workload, a server or a plugin says does anything where it is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran
from txfuzz.common.json_text import json_text
from txfuzz.common.sanitize import code_block, code_span, markdown, one_line, printable

Cli = Callable[..., Ran]
CASES = Path(__file__).parents[2] / "tests" / "cases" / "hardening"
# What a terminal obeys, and what turns the text around it
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
HOSTILE = "\x1b[31mRED\x1b]0;T\x07\x9b31m\u202e\u2066\u200f\u061c\u2028\x00\x7f\r\udc80"
NAMES = """version: 1
name: "<img src=x onerror=alert(1)> ![x](http://e/i.png) `a` | b"
database: {adapter: memory, isolation: snapshot}
expect: serializable
workload:
  transactions:
    - name: "<script>alert(1)</script> [l](http://e) @me"
      steps:
        - {f: r, key: {choice: {range: [1, 3]}, as: k}}
        - {f: r, key: {choice: {range: [1, 3]}, distinct_from: [k], as: l}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 4, transactions: 300}
"""


def test_plain_text() -> None:
    text = printable(f"a\tb\n{HOSTILE}é→✓")
    assert not OBEYED.search(text)
    assert text.startswith("a\tb\n\ufffd[31mRED\ufffd]0;T")
    assert text.endswith("é→✓")
    text.encode("utf-8")
    assert one_line(f" a\n  b {HOSTILE}").startswith("a b \ufffd[31m")
    assert "\n" not in one_line(f"a\n{HOSTILE}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lost_update at 3 * 4 < 5", "lost_update at 3 \\* 4 < 5"),
        ("<img src=x>", "&lt;img src=x>"),
        ("</script>", "&lt;/script>"),
        ("&lt;b>", "&amp;lt;b>"),
        ("![x](http://e)", "\\![x\\](http://e)"),
        ("[x][y] [x]: z", "[x\\][y] [x\\]: z"),
        ("[:append 1 2] [:r 3 [1 2]]", "[:append 1 2] [:r 3 [1 2]]"),
        ("`a` | b\\", "\\`a\\` \\| b\\\\"),
        ("_a_ *b* ~~c~~ $d$", "\\_a\\_ \\*b\\* \\~\\~c\\~\\~ \\$d\\$"),
        ("# head\nline", "\\# head line"),
        ("> quoted", "\\> quoted"),
        ("- item", "\\- item"),
        ("1. item", "&#8203;1. item"),
        ("@me", "@\u200bme"),
        ("a\x1b\u202eb", "a\ufffd\ufffdb"),
    ],
)
def test_markdown(text: str, shown: str) -> None:
    assert markdown(text) == shown


def test_code_in_markdown() -> None:
    assert code_span("[:r 1]") == "`[:r 1]`"
    assert code_span("a `b` ``c``") == "``` a `b` ``c`` ```"
    assert code_span("a\n\x1bb|") == "`a \ufffdb\\|`"
    assert code_block("a\n```\nb\x1b\r\n", "sql") == ["````sql", "a\n```\nb\ufffd", "````"]


def test_json_escapes_what_a_terminal_would_obey() -> None:
    text = json_text({"a": HOSTILE, "é": 1}, indent=1)
    assert not OBEYED.search(text)
    assert "é" in text
    assert json.loads(text) == {"a": HOSTILE, "é": 1}


# -- every way out --------------------------------------------------------------------------


def test_errors_about_a_history(txfuzz: Cli) -> None:
    ran = txfuzz("analyze", CASES / "escapes.edn")
    assert ran.code == 2
    assert 'found "\ufffd]0;pwn\ufffd"' in ran.err
    assert not OBEYED.search(ran.err)


@pytest.mark.parametrize("more", [(), ("--json",), ("-v",)])
def test_what_an_analysis_says(more: tuple[str, ...], txfuzz: Cli) -> None:
    ran = txfuzz("analyze", CASES / "escapes_names.edn", "--skip-graph", *more)
    assert ran.code == 1
    assert not OBEYED.search(ran.out + ran.err)
    if "--json" in more:
        assert "\u009b31m\u202e" in json.loads(ran.out)["anomalies"][0]["explanation"]


def test_names_in_the_command_line(txfuzz: Cli) -> None:
    for arguments in (("run", "--workload", "\x1b[31m"), ("\x9bx",), ("analyze", "no\u202e.edn")):
        ran = txfuzz(*arguments)
        assert ran.code == 2
        assert ran.err
        assert not OBEYED.search(ran.err)


def test_names_of_a_workload_are_no_markup(txfuzz: Cli, tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(NAMES)
    ran = txfuzz("run", "--config", "w.yaml", "--output-dir", "o", "--iterations", 1, "--max-graph-nodes", 0)
    assert ran.code == 1
    assert txfuzz("shrink", "--exit-code", "o", "--budget", 5, "--findings", 1, "-q").code == 1
    told = txfuzz("report", "--exit-code", "o", "--format", "markdown")
    pages = [*(tmp_path / "o").rglob("*.md")]
    assert {page.name for page in pages} == {"notes.md", "README.md"}
    for text in (*(page.read_text() for page in pages), told.out):
        # In blocks of code nothing is markup
        prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
        assert "script" in prose or "img src" in prose
        assert not re.search(r"<(?!/?(details|summary)>)[A-Za-z/!]", prose)
        assert not re.search(r"(?<!\\)\]\(", prose)
        assert "@me" not in prose


def test_marks_of_direction_reach_no_script(tmp_path: Path) -> None:
    from txfuzz.campaign.directory.finding_folder import written_scripts
    from txfuzz.database.api import ScriptFile

    written_scripts(tmp_path, {"repro.sql": ScriptFile("SELECT 1; -- \u202e\u2066x\x1b[31m\n")})
    assert (tmp_path / "repro.sql").read_text() == "SELECT 1; -- \ufffd\ufffdx\ufffd[31m\n"
