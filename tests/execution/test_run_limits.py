"""No wait is without end: blocked steps, servers that do not answer, hanging plugins."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from project_fixtures import Ran, Site
from two_transactions import WORKLOAD
from txfuzz.campaign.loop import run_campaign
from txfuzz.campaign.setup.plugin_sandbox import guarded
from txfuzz.campaign.stop_conditions import Deadline
from txfuzz.database.api import Outcome, SessionError
from txfuzz.errors import DatabaseUnavailable, PluginError
from txfuzz.execution import run_limits
from txfuzz.execution.final_read import final_read
from txfuzz.execution.recorder import Recorder
from txfuzz.execution.run import execute
from txfuzz.execution.run_limits import NoAnswer
from txfuzz.execution.summary import ExecutionSummary
from txfuzz.history.model import FAIL, FINAL_READ, OK
from txfuzz.history.reader import read_history
from txfuzz.plugin.bounded_call import Failed, Late, call_within
from txfuzz.plugin.loader import load_plugins
from txfuzz.workload.model import Scheduling
from txfuzz_third.dictionary import DictionaryAdapter, DictionaryDatabase, DictionarySession

Cli = Callable[..., Ran]
CASES = Path(__file__).parents[2] / "tests" / "cases" / "hardening"


class Blocking(DictionarySession):
    """Every so many statements block until they are cancelled. deaf: cancelling does nothing."""

    every = 20
    deaf = False
    released = threading.Event()  # lets deaf ones go in the end
    count = 0

    def __init__(self, database: DictionaryDatabase) -> None:
        super().__init__(database)
        self.cancelled = threading.Event()

    def begin(self, isolation: str) -> None:
        self.undo: list[Any] = []

    def execute(self, step: Any) -> Any:
        type(self).count += 1
        blocks = type(self).count % self.every == 0
        if blocks and (self.released if self.deaf else self.cancelled).wait(30):
            self.cancelled.clear()
            raise SessionError(Outcome.FAIL, "57014", "cancelled")
        return super().execute(step)

    def cancel(self) -> None:
        self.cancelled.set()


class BlockingDatabase(DictionaryDatabase):
    sessions_of: type[Blocking] = Blocking

    def session(self, kind: Any) -> Blocking:
        return self.sessions_of(self)


def run(tmp_path: Path, scheduling: Scheduling, session: type[Blocking], **more: Any) -> ExecutionSummary:
    database = BlockingDatabase(DictionaryAdapter())
    database.sessions_of = session
    with database:
        return execute(
            replace(WORKLOAD, scheduling=scheduling), database, tmp_path / "h.edn", isolation="dirty", **more
        )


@pytest.fixture
def session() -> type[Blocking]:
    return type("Session", (Blocking,), {})


def test_a_duration_ends_a_run_whose_steps_block(
    tmp_path: Path, session: type[Blocking], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_limits, "AFTER_DURATION", 0.5)
    start = time.monotonic()
    summary = run(tmp_path, Scheduling(clients=4, transactions=None, duration=0.3), session)
    assert time.monotonic() - start < 5
    assert summary.stopped == "transactions were still running 0.5 s after the duration"
    assert summary.failure is None
    assert not summary.interrupted
    history = read_history(tmp_path / "h.edn")
    cancelled = [row for row in range(len(history)) if history.type[row] == FAIL]
    assert 0 < len(cancelled) <= 4
    assert summary.aborts == {"57014": len(cancelled)}
    assert (history.complete_at >= 0).all()


def test_a_number_of_transactions_ends_when_none_of_them_does(
    tmp_path: Path, session: type[Blocking], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_limits, "WITHOUT_PROGRESS", 0.5)
    start = time.monotonic()
    summary = run(tmp_path, Scheduling(clients=4, transactions=10_000), session)
    assert time.monotonic() - start < 5
    assert summary.stopped == "no transaction ended for 0.5 s"
    assert summary.ok > 0


def test_slow_is_not_stalled(
    tmp_path: Path, session: type[Blocking], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_limits, "WITHOUT_PROGRESS", 0.4)
    monkeypatch.setattr(session, "execute", lambda self, step: time.sleep(0.1))
    summary = run(tmp_path, Scheduling(clients=1, transactions=6), session)
    assert (summary.stopped, summary.ok) == ("", 6)


def test_a_server_that_does_not_answer_is_left(
    tmp_path: Path, session: type[Blocking], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_limits, "AFTER_DURATION", 0.2)
    monkeypatch.setattr(run_limits, "CANCELLED", 0.5)
    monkeypatch.setattr(session, "deaf", True)
    start = time.monotonic()
    summary = run(tmp_path, Scheduling(clients=4, transactions=None, duration=0.3), session)
    assert time.monotonic() - start < 10
    assert isinstance(summary.failure, NoAnswer)
    assert summary.failure.exit_code == 4
    assert "the database does not respond" in summary.stopped
    session.released.set()  # nothing is left of them for other tests
    history = read_history(tmp_path / "h.edn")  # whole: what did not come back is unknown
    assert (history.complete_at < 0).any()


@pytest.mark.parametrize("what", ["prepare", "session"])
def test_a_server_that_does_not_even_begin_is_left(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_limits, "ANSWER", 0.3)
    database = DictionaryDatabase(DictionaryAdapter())
    monkeypatch.setattr(database, what, lambda *_, **__: time.sleep(30), raising=False)
    start = time.monotonic()
    with pytest.raises(NoAnswer, match=r"the database does not respond: .* did not finish within 0\.3 s"):
        execute(WORKLOAD, database, tmp_path / "h.edn", isolation="dirty")
    assert time.monotonic() - start < 5
    assert database.closed


def test_closing_gets_its_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_limits, "LEAVING", 0.1)
    start = time.monotonic()
    with pytest.raises(NoAnswer), run_limits.closed_without_answer(lambda: time.sleep(30)):
        raise NoAnswer("gone")
    assert time.monotonic() - start < 5


def test_a_run_ends_when_its_time_is_up(tmp_path: Path, session: type[Blocking]) -> None:
    start = time.monotonic()
    summary = run(
        tmp_path, Scheduling(clients=2, transactions=10**9), session, until=start + 0.5, why="time is up"
    )
    assert 0.5 <= time.monotonic() - start < 4
    assert (summary.stopped, summary.final_reads) == ("time is up", 0)


def test_final_reads_that_block_are_given_up(
    tmp_path: Path, session: type[Blocking], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("txfuzz.execution.final_read.FINAL_READ_SECONDS", 0.3)
    monkeypatch.setattr(session, "every", 40)  # the second transaction of 32 keys
    database = DictionaryDatabase(DictionaryAdapter())
    with Recorder(tmp_path / "h.edn") as recorder:
        read = final_read(
            lambda: session(database), "dirty", [(key, key) for key in range(200)], 0, recorder, lambda: False
        )
    assert read == 1
    history = read_history(tmp_path / "h.edn")
    assert [history.templates[number] for number in history.template] == [FINAL_READ] * 2
    assert list(history.type) == [OK, FAIL]


def test_max_seconds_cuts_the_run_short(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(LONG)
    start = time.monotonic()
    result = run_campaign(
        workload=tmp_path / "w.yaml", output=tmp_path / "out", max_seconds=1.0, iterations=3
    )
    assert time.monotonic() - start < 15
    assert (len(result.iterations), result.stopped) == (1, "1 second has passed")
    assert result.exit_code == 0
    execution = json.loads((tmp_path / "out/iter_00/execution.json").read_text())
    assert execution["stopped"] == "1 second has passed"
    assert execution["ok"] > 0
    assert json.loads((tmp_path / "out/campaign.json").read_text())["state"] == "ended"


def test_max_seconds_ends_a_command_that_makes_histories(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(LONG)
    script = tmp_path / "runner.sh"
    valid = "{:type :invoke :process 0 :f :txn :value [[:append 1 1]]}"
    script.write_text(f"#!/bin/sh\necho '{valid}' > \"$HISTORY_OUT\"\nexec sleep 60\n")
    script.chmod(0o755)
    start = time.monotonic()
    run_campaign(
        workload=tmp_path / "w.yaml", output=tmp_path / "out", max_seconds=1.0, runner_cmd=str(script)
    )
    assert time.monotonic() - start < 15


def test_replays_end_with_the_time() -> None:
    interrupted = threading.Event()
    ending = Deadline(interrupted, 0.2)
    assert not ending.is_set()
    assert ending.wait(5)
    assert ending.is_set()
    assert not Deadline(interrupted).wait(0.01)
    interrupted.set()
    assert Deadline(interrupted).wait()


def test_a_fault_that_strikes_without_pause_is_refused(txfuzz: Cli) -> None:
    ran = txfuzz("run", "--config", CASES / "every_tiny.yaml")
    assert ran.code == 2
    assert ran.err.endswith(
        "every_tiny.yaml:10:44: found the number 1e-300, expected a time of at least 1ms, as in 50ms or 2s\n"
    )


@pytest.mark.slow
@pytest.mark.server
def test_a_sleep_on_the_server_ends_with_the_duration(txfuzz: Cli) -> None:
    start = time.monotonic()
    ran = txfuzz("run", "--config", CASES / "sleeps.yaml", "--iterations", 1, "--output-dir", "out")
    assert ran.code == 3  # nothing committed
    assert time.monotonic() - start < 40
    assert "2 aborted" in ran.err
    assert "57014" in ran.err or "08006" in ran.err, "cancelled, or cut where that was not answered in time"
    assert "ended early: transactions were still running 5 s after the duration" in " ".join(ran.err.split())


# -- plugins --------------------------------------------------------------------------------

LONG = """version: 1
name: long
database: {adapter: memory, isolation: serializable}
workload:
  transactions:
    - {name: a, steps: [{f: r, key: {choice: {range: [1, 9]}, as: k}}, {f: append, key: {ref: k}}]}
scheduling: {clients: 3, duration: 1h}
"""


def test_a_call_gives_what_it_gives_in_time() -> None:
    assert call_within(1.0, "x", lambda: 7) == 7
    with pytest.raises(Late):
        call_within(0.05, "x", lambda: time.sleep(1))
    with pytest.raises(Failed) as failed:
        call_within(1.0, "x", lambda: (_ for _ in ()).throw(KeyboardInterrupt()))
    assert isinstance(failed.value.error, KeyboardInterrupt)


@pytest.mark.parametrize("where", ["import", "hook"])
def test_a_plugin_that_hangs_is_named(where: str, site: Site) -> None:
    hook = "from txfuzz import hookimpl\n@hookimpl\ndef txfuzz_register_heuristics():\n"
    body = "    import time\n    time.sleep(60)\n    return []\n"
    name = f"bad_{where}"  # a module that is still being imported cannot be imported again
    site.add("txfuzz-bad", name, "import time\ntime.sleep(60)\n" if where == "import" else hook + body)
    start = time.monotonic()
    registry = load_plugins(seconds=0.5)
    assert time.monotonic() - start < 10
    what = f"importing {name}" if where == "import" else "txfuzz_register_heuristics"
    assert [str(each) for each in registry.problems] == [
        f"plugin {name!r} of txfuzz-bad 1.0: {what} did not finish within 0.5 s"
    ]
    assert registry.find("heuristic", "mix").name == "mix"  # nobody else is harmed


def test_a_file_that_hangs(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(60)\n")
    with pytest.raises(PluginError, match=r"slow\.py: importing it did not finish within 0\.2 s"):
        load_plugins(files=[tmp_path / "slow.py"], seconds=0.2)


def test_a_fault_that_hangs_ends_the_campaign(txfuzz: Cli) -> None:
    start = time.monotonic()
    ran = txfuzz(
        "run", "--config", CASES / "fault_hangs.yaml", "--plugin-file", CASES / "fault_hangs.py",
        "--plugin-seconds", 1, "--output-dir", "out", "--max-graph-nodes", 0,
    )  # fmt: skip
    assert time.monotonic() - start < 20
    assert ran.code == 2
    assert "fault 'badf' did not answer within 1 s; --plugin-seconds raises the limit (plugin file" in ran.err
    assert json.loads(Path("out/campaign.json").read_text())["state"].startswith("failed: fault 'badf'")
    assert Path("out/iter_00/analysis.json").exists()


def test_a_fault_that_tells_of_no_data(txfuzz: Cli) -> None:
    ran = txfuzz(
        "run", "--config", CASES / "fault_data.yaml", "--plugin-file", CASES / "fault_data.py",
        "--output-dir", "out", "--max-graph-nodes", 0,
    )  # fmt: skip
    assert ran.code == 2
    assert "fault 'badf' returned {'a b\\x1b[31m': <object object" in ran.err
    assert "from inject(), expected a mapping of names to text, numbers" in ran.err
    read_history(Path("out/iter_00/history.edn"))


@dataclass(frozen=True)
class Stuck:
    """A fault that hangs and can be healed."""

    name: ClassVar[str] = "stuck"
    needs: ClassVar[str] = "pause"
    lasts: Any = 0.0

    def cautions(self, database: Any) -> Any:
        return ["mind"]

    def inject(self, injector: Any, chance: Any) -> Any:
        time.sleep(60)

    def heal(self, injector: Any) -> Any:
        injector.healed = True
        if injector.down:
            raise DatabaseUnavailable("not there")
        return {"healed": 1}


def test_what_hangs_is_healed_all_the_same() -> None:
    server = SimpleNamespace(healed=False, down=False)
    fault = guarded("fault", Stuck(), 0.1)
    assert fault.cautions(None) == ("mind",)
    with pytest.raises(PluginError, match=r"fault 'stuck' did not answer within 0\.1 s"):
        fault.inject(server, Random(1))
    assert fault.heal(server) == {"healed": 1}
    assert server.healed
    server.down = True
    with pytest.raises(DatabaseUnavailable, match="not there"):  # the server's matter
        fault.heal(server)


@pytest.mark.parametrize("lasts", ["long", -1, float("nan"), True, None])
def test_how_long_it_lasts_is_a_number(lasts: Any) -> None:
    with pytest.raises(PluginError, match=r"fault 'stuck' has .* as `lasts`, expected a number of seconds"):
        guarded("fault", Stuck(lasts), 1.0)
