"""Plugins that misbehave when called: the campaign continues, or ends with an error that names them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran, Site
from txfuzz.cli.interruption import interruptible
from txfuzz.plugin.bounded_call import call_within
from txfuzz.plugin.loader import load_plugins
from txfuzz.plugin.registry import KINDS

Cli = Callable[..., Ran]

WHO = "plugin 'bad' of txfuzz-bad 0.7"
HEAD = """
import sys, time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from txfuzz import Adjustment, Part, Verdict, hookimpl, option
from txfuzz.testing import MemoryAdapter
from txfuzz.testing.memory.database import MemoryDatabase
from txfuzz.testing.memory.session import MemorySession
"""
HEURISTIC = """
@dataclass(frozen=True)
class Bad:
    name: ClassVar[str] = "bad"
    about: ClassVar[str] = "misbehaves"
    def propose(self, feedback, workload, random):
        with open("asked", "a") as file:
            file.write("x")
        {body}

@hookimpl
def txfuzz_register_heuristics():
    return [Bad]
"""
ANALYZER = """
@dataclass(frozen=True)
class Bad:
    name: ClassVar[str] = "bad"
    about: ClassVar[str] = "misbehaves"
    def analyze(self, history, expect):
        {body}

@hookimpl
def txfuzz_register_analyzers():
    return [Bad]
"""
ADAPTER = """
class Session(MemorySession):
    {session}

class Database(MemoryDatabase):
    def session(self, kind):
        return Session(self._reachable(kind), kind, 0.0)

@dataclass(frozen=True)
class Bad(MemoryAdapter):
    name: ClassVar[str] = "bad"
    {adapter}

@hookimpl
def txfuzz_register_adapters():
    return [Bad]
"""
OPENS = "def open(self, url): return Database(self, url_given=False)"
FAULT = """
@dataclass(frozen=True)
class Bad:
    name: ClassVar[str] = "bad"
    about: ClassVar[str] = "misbehaves"
    needs: ClassVar[str] = "pause"
    lasts: ClassVar[float] = 0.0
    def cautions(self, database):
        {cautions}
    def inject(self, injector, chance):
        {inject}
    def heal(self, injector):
        return {{}}

@hookimpl
def txfuzz_register_faults():
    return [Bad]
"""
WORKLOAD = """version: 1
name: kit
database: {adapter: %s}
workload:
  transactions:
    - name: rmw
      steps:
        - {f: r, key: {choice: {from: [1, 2, 3]}, as: k}}
        - {f: append, key: {ref: k}}
scheduling: {clients: 4, transactions: 80}
analyzers: [elle%s]
heuristics: [%s]
"""


@pytest.fixture
def plugin(site: Site, txfuzz: Cli) -> Callable[[str], None]:
    """Installs a distribution whose module is this code."""
    return lambda code: site.add("txfuzz-bad", "bad", HEAD + code, version="0.7")


def campaign(
    txfuzz: Cli,
    *more: object,
    adapter: str = "memory",
    analyzers: str = "",
    heuristics: str = "",
    rest: str = "",
    iterations: int = 1,
) -> Ran:
    Path("w.yaml").write_text(WORKLOAD % (adapter, analyzers, heuristics) + rest)
    return txfuzz(
        "run", "--config", "w.yaml", "--iterations", iterations, "--output-dir", "out", "--verbose", *more
    )


# -- heuristics: skipped, and the campaign continues ----------------------------------------


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return 1 / 0", "failed: ZeroDivisionError: division by zero"),
        ("sys.exit(3)", "failed: SystemExit: 3"),
        ("raise RecursionError('too\\ndeep')", "failed: RecursionError: too deep"),
        ("from txfuzz.errors import UsageError; raise UsageError('no keys')", "heuristic 'bad': no keys ("),
        ("return None", "returned None, expected a tuple of adjustments"),
        ("return 'more'", "returned 'more', expected a tuple of adjustments"),
        ("return (1,)", "returned (1,), expected a tuple of adjustments"),
        ("return (Adjustment('clients', 4, 5, 'more of them', 'bad'),)", "unknown target 'clients'"),
        ("return (Adjustment('scheduling.clients', 4, 0, 'none at all', 'bad'),)", "number from 1 to 10000"),
        ("return (Adjustment('scheduling.clients', 9, 5, 'fewer of them', 'bad'),)", "but it is 4"),
    ],
)  # fmt: skip
def test_a_heuristic_that_misbehaves_is_named_and_skipped(
    body: str, sentence: str, plugin: Callable[[str], None], txfuzz: Cli
) -> None:
    plugin(HEURISTIC.format(body=body))
    ran = campaign(txfuzz, heuristics="bad, schema-init")
    assert ran.code == 0
    notes = Path("out/iter_00/notes.md").read_text()
    for text in (sentence, f"({WHO}", "heuristic 'bad'", "it was skipped in this iteration"):
        assert text in notes
    assert [each["heuristic"] for each in json.loads(Path("out/iter_00/decisions.json").read_text())] == [
        "schema-init"
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_result_names_what_has_failed(workers: int, plugin: Callable[[str], None], txfuzz: Cli) -> None:
    plugin(HEURISTIC.format(body="return 1 / 0"))
    ran = campaign(txfuzz, "--workers", workers, heuristics="bad", iterations=2)
    assert ran.code == 0
    told = " ".join(ran.out.split())
    assert "In 2 of 2 calls, heuristic 'bad' failed: ZeroDivisionError: division by zero (" in told
    (failure,) = json.loads(Path("out/campaign.json").read_text())["failures"]
    assert failure.startswith("in 2 of 2 calls, heuristic 'bad' failed")
    assert txfuzz("report", "out").code == 0
    assert "In 2 of 2 calls, heuristic" in Path("out/report.html").read_text()


def test_an_interruption_says_which_plugin_it_waits_for(capsys: pytest.CaptureFixture[str]) -> None:
    def slow() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)

    with interruptible() as interrupted:
        call_within(30.0, "heuristic 'slow'", slow)
    assert interrupted.is_set()
    assert "txfuzz: waiting for heuristic 'slow', for at most 30 s\n" in capsys.readouterr().err
    with interruptible():
        os.kill(os.getpid(), signal.SIGINT)
    assert "waiting for" not in capsys.readouterr().err


def test_a_heuristic_that_never_answers_is_not_asked_again(
    plugin: Callable[[str], None], txfuzz: Cli
) -> None:
    plugin(HEURISTIC.format(body="time.sleep(3600)"))
    ran = campaign(txfuzz, "--plugin-seconds", 0.2, heuristics="bad", iterations=2)
    assert ran.code == 0
    assert Path("asked").read_text() == "x"
    first, second = (Path(f"out/iter_0{at}/notes.md").read_text() for at in (0, 1))
    assert "heuristic 'bad' did not answer within 0.2 s; --plugin-seconds raises the limit" in first
    assert "heuristic 'bad' timed out earlier and is not called again" in second
    assert f"({WHO})" in first
    assert f"({WHO})" in second


@pytest.mark.parametrize(
    "body",
    [
        "object.__setattr__(workload.scheduling, 'clients', 1); return ()",
        "object.__setattr__(workload.transactions[0], 'steps', ()); return ()",
        "object.__setattr__(feedback, 'committed', -5); feedback.failed_replays[1] = 9; return ()",
    ],
)
def test_what_a_heuristic_writes_into_is_its_own_copy(
    body: str, plugin: Callable[[str], None], txfuzz: Cli
) -> None:
    plugin(HEURISTIC.format(body=body))
    assert campaign(txfuzz, heuristics="bad, schema-init").code == 0
    following = Path("out/iter_00/next_workload.yaml").read_text()
    assert "clients: 4" in following
    assert "f: append" in following
    (decision,) = json.loads(Path("out/iter_00/decisions.json").read_text())
    assert "-5" not in decision["reason"]


# -- analyzers: a verdict without one of them is worthless ----------------------------------


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return 1 / 0", "failed: ZeroDivisionError: division by zero"),
        ("sys.exit(0)", "failed: SystemExit: 0"),
        ("from txfuzz.errors import UsageError; raise UsageError('no bank')", "analyzer 'bad': no bank ("),
        ("return 'valid'", "returned 'valid', expected a txfuzz.Part"),
        ("return Part('valid')", "expected a txfuzz.Part"),
        ("history.process[:] = 7; return Part()", "failed: ValueError: assignment destination is read-only"),
        ("return Part(fields={'verdict': Verdict.VALID})", "cannot fill in the field 'verdict'"),
        ("return Part(fields={'near_cycles': ()})", "both fill in the field 'near_cycles'"),
        ("time.sleep(3600)", "did not answer within 0.5 s; --plugin-seconds raises the limit"),
    ],
)
def test_an_analyzer_that_misbehaves_ends_the_campaign(
    body: str, sentence: str, plugin: Callable[[str], None], txfuzz: Cli
) -> None:
    plugin(ANALYZER.format(body=body))
    ran = campaign(txfuzz, "--plugin-seconds", 0.5, analyzers=", bad")
    assert ran.code == 2
    assert sentence in ran.err
    assert "analyzer" in ran.err
    assert "'bad'" in ran.err
    assert f"({WHO}" in ran.err
    assert f"({WHO}" in json.loads(Path("out/campaign.json").read_text())["state"]
    assert Path("out/iter_00/history.edn").stat().st_size > 0


@pytest.mark.parametrize("workers", [1, 2])
def test_after_an_analyzer_has_failed_a_mended_copy_goes_on(workers: int, txfuzz: Cli) -> None:
    code = HEAD + ANALYZER
    Path("bad.py").write_text(code.replace("{body}", "raise KeyError(7)"))
    ran = campaign(txfuzz, "--plugin-file", "bad.py", "--workers", workers, analyzers=", bad", iterations=2)
    assert ran.code == 2
    mended = "once out/plugins/bad.py is mended, `txfuzz run --resume out`"
    if workers == 1:
        assert f"the history is kept in out/iter_00/history.edn: {mended} judges it and goes on" in ran.err
    else:
        assert f"{mended} " in ran.err
    before = {path: path.read_bytes() for path in Path("out").glob("iter_*/history.edn")}
    Path("out/plugins/bad.py").write_text(code.replace("{body}", "return Part()"))
    assert txfuzz("run", "--resume", "out").code == 0
    assert all(path.read_bytes() == data for path, data in before.items())
    assert "bad" in json.loads(Path("out/iter_01/analysis.json").read_text())["parts"]


def test_what_comes_next_loads_the_plugins(txfuzz: Cli) -> None:
    body = "return Part(Verdict.INVALID, 'no', (Anomaly('odd-thing', (), 'so', 'it is odd'),))"
    code = HEAD + "from txfuzz import Anomaly\n" + ANALYZER.replace("{body}", body)
    Path("my bad.py").write_text(code.replace('"bad"', '"mine"'))
    ran = campaign(txfuzz, "--plugin-file", "my bad.py", "--no-small-scope", analyzers=", mine")
    assert ran.code == 1
    assert "txfuzz shrink" not in ran.out, "there is nothing of the checker's to shrink"
    commands = [line.strip() for line in ran.out.splitlines() if line.startswith("  txfuzz analyze")]
    assert commands == [
        "txfuzz analyze out/iter_00/history.edn --expect strict-serializable "
        "--plugin-file 'out/plugins/my bad.py' --analyzer mine"
    ]
    assert txfuzz(*shlex.split(commands[0])[1:]).code == 1


def test_what_comes_next_shrinks_with_the_plugins(txfuzz: Cli) -> None:
    Path("mine.py").write_text(HEAD + ANALYZER.replace("{body}", "return Part()"))
    defects = "memory, defects: [lost-update], isolation: snapshot"
    Path("w.yaml").write_text(WORKLOAD % (defects, ", bad", ""))
    ran = txfuzz("run", "--config", "w.yaml", "--plugin-file", "mine.py", "--output-dir", "out")
    assert ran.code == 1
    [command] = [line.strip() for line in ran.out.splitlines() if line.startswith("  txfuzz shrink")]
    command, _, _ = command.partition("  ")
    assert command == "txfuzz shrink out --plugin-file out/plugins/mine.py"
    ran = txfuzz(*shlex.split(command)[1:], "--attempts", 1, "--budget", 1)
    assert "lost-update" in ran.out, "it gets as far as shrinking"
    assert ran.err.count("txfuzz:") == 0


def test_an_analyzer_that_never_answers_about_a_history(plugin: Callable[[str], None], txfuzz: Cli) -> None:
    plugin(ANALYZER.format(body="time.sleep(3600)"))
    Path("h.edn").write_text("{:index 0, :type :ok, :process 0, :f :txn, :value [[:append 1 1]]}\n")
    ran = txfuzz("analyze", "h.edn", "--analyzer", "bad", "--plugin-seconds", 0.2, "--skip-graph")
    assert ran.code == 2
    assert f"analyzer 'bad' did not answer within 0.2 s; --plugin-seconds raises the limit ({WHO})" in ran.err


def test_an_analyzer_that_behaves_is_heard(plugin: Callable[[str], None], txfuzz: Cli) -> None:
    plugin(ANALYZER.format(body="return Part(Verdict.INVALID, 'I do not like it', data={'n': len(history)})"))
    ran = campaign(txfuzz, analyzers=", bad", iterations=1)
    assert ran.code == 1
    part = json.loads(Path("out/iter_00/analysis.json").read_text())["parts"]["bad"]
    assert part["n"] > 80
    assert "I do not like it" in ran.out


# -- adapters and faults: the campaign ends with an error ------------------------------------


@pytest.mark.parametrize(
    ("session", "adapter", "sentence"),
    [
        ("pass", "def capabilities(self): return {}", "gave {} as its capabilities, expected txfuzz.Cap"),
        ("pass", "def capabilities(self): return 1 / 0", "failed: ZeroDivisionError: division by zero"),
        ("pass", "def __post_init__(self): raise KeyError('no')", "failed: KeyError: 'no'"),
        (
            "pass",
            "def open(self, url): return None",
            "adapter 'bad' returned None from open(), expected a database",
        ),
        ("pass", "def open(self, url): raise OSError('port 0')", "failed: OSError: port 0"),
        ("def begin(self, isolation): return [][1]", OPENS, "failed: IndexError: list index out of range"),
        ("def execute(self, step): return 1 / 0", OPENS, "failed: ZeroDivisionError: division by zero"),
        ("def execute(self, step): sys.exit(0)", OPENS, "failed: SystemExit: 0"),
        ("def commit(self): raise TypeError('what?')", OPENS, "failed: TypeError: what?"),
    ],
)
def test_an_adapter_that_fails_is_named(
    session: str, adapter: str, sentence: str, plugin: Callable[[str], None], txfuzz: Cli
) -> None:
    plugin(ADAPTER.format(session=session, adapter=adapter))
    ran = campaign(txfuzz, adapter="bad")
    assert ran.code == 2
    assert sentence in ran.err
    assert WHO in ran.err
    assert "internal error" not in ran.err


@pytest.mark.parametrize(
    ("does", "said"),
    [("return 1 / 0", "ZeroDivisionError: division by zero"), ("sys.exit(0)", "SystemExit: 0")],
)
def test_an_adapter_that_fails_is_named_by_every_command(
    does: str, said: str, plugin: Callable[[str], None], txfuzz: Cli
) -> None:
    plugin(ADAPTER.format(session=f"def execute(self, step): {does}", adapter=OPENS))
    Path("w.yaml").write_text(WORKLOAD % ("bad", "", ""))
    for command in (
        ("execute", "--config", "w.yaml", "--out", "h.edn"),
        ("explore", "w.yaml", "--transactions", "rmw,rmw"),
    ):
        ran = txfuzz(*command)
        assert ran.code == 2
        assert f"{WHO} failed: {said} (bad.py line" in ran.err


@pytest.mark.parametrize(
    ("cautions", "inject", "sentence"),
    [
        ("return ()", "return 1 / 0", "failed: ZeroDivisionError: division by zero"),
        ("return 1 / 0", "return {}", "failed: ZeroDivisionError: division by zero"),
    ],
)
def test_a_fault_that_fails_is_named(
    cautions: str, inject: str, sentence: str, plugin: Callable[[str], None], txfuzz: Cli
) -> None:
    plugin(FAULT.format(cautions=cautions, inject=inject))
    ran = campaign(txfuzz, rest="faults: [{name: bad, at: 1ms}]\n")
    assert ran.code == 2
    assert sentence in ran.err
    assert WHO in ran.err


def test_the_traceback_is_there_for_who_asks(
    plugin: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from txfuzz.cli import main

    monkeypatch.chdir(tmp_path)
    fails = "def execute(self, step): raise ZeroDivisionError(chr(27) + '[31mred')"
    plugin(ADAPTER.format(session=fails, adapter=OPENS))
    Path("w.yaml").write_text(WORKLOAD % ("bad", "", ""))
    monkeypatch.setenv("TXFUZZ_TRACEBACK", "1")
    with pytest.raises(SystemExit) as ended:
        main(["run", "--config", "w.yaml"])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "Traceback (most recent call last)" in said
    assert "bad.py" in said
    assert "ZeroDivisionError: \ufffd[31mred" in said
    assert "\x1b" not in said


RAISING = """
@dataclass(frozen=True)
class Bad:
    name: ClassVar[str] = "bad"
    about: ClassVar[str] = "misbehaves"
    kind: ClassVar[str] = "scheduling"
    def {method}:
        return sorted([2, 1], key=weighed)

def weighed(number):
    raise {error}

@hookimpl
def txfuzz_register_{kind}():
    return [Bad]
"""
METHODS = {
    "heuristics": ("propose(self, feedback, workload, random)", "heuristics: [bad]"),
    "strategies": ("propose(self, situation, random)", "strategy: bad"),
    "mutators": (
        "propose(self, feedback, workload, random)",
        "strategy: {name: learning, mutate_every: 1}\nmutate: [scheduling]",
    ),
    "analyzers": ("analyze(self, history, expect)", "analyzers: [elle, bad]"),
}


@pytest.mark.parametrize(
    ("kind", "error", "workers"),
    [
        *((kind, "KeyError(number)", 1) for kind in METHODS),
        ("heuristics", "UsageError('lost')", 1),
        ("heuristics", "KeyError(number)", 2),
        ("analyzers", "KeyError(number)", 2),
    ],
)
def test_whatever_fails_names_its_line_and_shows_its_traceback(
    kind: str,
    error: str,
    workers: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from txfuzz.cli import main

    monkeypatch.chdir(tmp_path)
    many = 8 if kind == "mutators" else 1  # they are asked once the narrow start has run under every load
    method, part = METHODS[kind]
    code = f"{HEAD}from txfuzz import UsageError\n" + RAISING.format(method=method, kind=kind, error=error)
    line = 1 + code.splitlines().index(f"    raise {error}")
    Path("mine.py").write_text(code)
    text = (WORKLOAD % ("memory", "", "")).partition("analyzers:")[0] + part + "\n"
    Path("w.yaml").write_text(text)
    monkeypatch.setenv("TXFUZZ_TRACEBACK", "1")
    with pytest.raises(SystemExit) as ended:
        main(
            f"run --config w.yaml --plugin-file mine.py --output-dir out --no-small-scope -v "
            f"--iterations {many} --workers {workers}".split()
        )
    said = "".join(capfd.readouterr())
    assert ended.value.code == (2 if kind == "analyzers" else 0)
    assert f"mine.py, line {line})" in said
    assert "Traceback (most recent call last)" in said
    assert f'mine.py", line {line}, in weighed' in said


# -- hooks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_hook_that_raises_is_named_and_the_other_hooks_go_on(kind, site: Site) -> None:
    others = [each for each in KINDS.values() if each is not kind]
    code = [f"from txfuzz import hookimpl\n@hookimpl\ndef {kind.hook}():\n    raise LookupError('lost')\n"]
    code += [f"@hookimpl\ndef {each.hook}():\n    return []\n" for each in others]
    site.add("txfuzz-bad", "bad", "".join(code), version="0.7")
    registry = load_plugins()
    assert [str(each) for each in registry.problems] == [
        f"{WHO}: {kind.hook} failed: LookupError: lost (bad.py line 4)"
    ]
    assert registry.find("heuristic", "mix").name == "mix"


def test_every_hook_raises(site: Site, txfuzz: Cli) -> None:
    hooks = [*(kind.hook + "()" for kind in KINDS.values()), "txfuzz_register_commands(cli)"]
    code = "from txfuzz import hookimpl\n" + "".join(
        f"@hookimpl\ndef {hook}:\n    raise LookupError('lost')\n" for hook in hooks
    )
    site.add("txfuzz-bad", "bad", code, version="0.7")
    assert len(load_plugins().problems) == len(KINDS)
    ran = campaign(txfuzz, heuristics="mix", iterations=1)
    assert ran.code == 0
    assert ran.err.count(WHO) == len(KINDS)
    ran = txfuzz("--help")
    assert ran.code == 0
    assert f"{WHO}: txfuzz_register_commands failed: LookupError: lost" in ran.err
