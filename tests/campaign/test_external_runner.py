"""The contract of `--runner-cmd`, as docs/how-to/external-runner.md has it."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran
from txfuzz import CampaignResult, run_campaign
from txfuzz.campaign.sources.external_command import ExternalCommand
from txfuzz.errors import HistoryError, UsageError

Cli = Callable[..., Ran]

WORKLOAD = """version: 1
name: small
database: {adapter: memory, isolation: read committed}
expect: serializable
workload:
  transactions:
    - name: add
      steps: [{f: r, key: {choice: {range: [1, 9]}, as: k}}, {f: append, key: {ref: k}}]
scheduling: {clients: 3, transactions: 60}
"""
# Two that read nothing and both append: a lost update
LOST = """{:index 0, :type :invoke, :process 0, :f :txn, :value [[:r 1 nil] [:append 1 1]]}
{:index 1, :type :invoke, :process 1, :f :txn, :value [[:r 1 nil] [:append 1 2]]}
{:index 2, :type :ok, :process 0, :f :txn, :value [[:r 1 []] [:append 1 1]]}
{:index 3, :type :ok, :process 1, :f :txn, :value [[:r 1 []] [:append 1 2]]}
{:index 4, :type :invoke, :process 1, :f :txn, :value [[:r 1 nil] [:append 1 3]]}
{:index 5, :type :ok, :process 1, :f :txn, :value [[:r 1 [1 2]] [:append 1 3]]}
"""
FINE = """{:index 0, :type :invoke, :process 0, :f :txn, :value [[:r 1 nil] [:append 1 1]]}
{:index 1, :type :ok, :process 0, :f :txn, :value [[:r 1 []] [:append 1 1]]}
{:index 2, :type :invoke, :process 1, :f :txn, :value [[:r 1 nil] [:append 1 2]]}
{:index 3, :type :ok, :process 1, :f :txn, :value [[:r 1 [1]] [:append 1 2]]}
"""


@pytest.fixture
def here(txfuzz: Cli) -> Path:
    Path("w.yaml").write_text(WORKLOAD)
    Path("pre").mkdir()
    for number, history in enumerate((FINE, LOST)):
        Path(f"pre/{number:02d}.edn").write_text(history)
    return Path()


def run(txfuzz: Cli, command: str, *more: object) -> Ran:
    return txfuzz("run", "--config", "w.yaml", "--output-dir", "o", "--runner-cmd", command, *more)


def histories(count: int) -> list[str]:
    return [Path(f"o/iter_{number:02d}/history.edn").read_text() for number in range(count)]


@pytest.mark.parametrize("more", [(), ("--skip-run",)])
@pytest.mark.parametrize("name", ["$HISTORY_OUT", "${HISTORY_OUT}"])
def test_a_copier_is_a_plain_command(here: Path, txfuzz: Cli, name: str, more: tuple[str, ...]) -> None:
    ran = run(txfuzz, f'cp "pre/$ITERATION.edn" "{name}"', "--iterations", 2, *more)
    assert ran.code == 1, ran.err
    assert histories(2) == [FINE, LOST]
    assert "lost-update" in ran.out


def test_skip_run_with_a_command_needs_no_directory(here: Path, txfuzz: Cli) -> None:
    ran = txfuzz(
        "run", "--config", "w.yaml", "--skip-run", "--iterations", 1, "--runner-cmd",
        'cp pre/00.edn "$HISTORY_OUT"',
    )  # fmt: skip
    assert ran.code == 0, ran.err
    [directory] = Path("runs").iterdir()
    assert (directory / "iter_00/history.edn").read_text() == FINE


def test_what_a_command_gets(here: Path, txfuzz: Cli) -> None:
    Path("runner.sh").write_text(
        'test "$WORKLOAD_CONFIG" = "$2" && test "$HISTORY_OUT" = "$4" || exit 9\n'
        'echo "$# $1 $3 $ITERATION $DATABASE_URL"\ncat > seen\ncp pre/00.edn "$4"\n'
    )
    ran = run(txfuzz, "sh 'runner.sh'", "--iterations", 1, "--database-url", "memory://ann:hidden@here")
    assert ran.code == 0, ran.err
    assert Path("o/iter_00/runner.log").read_text() == "4 --config --out 00 memory://ann@here\n"
    assert Path("seen").read_text() == "", "it is asked nothing on its stdin"


def test_what_it_says_on_stderr_is_shown_and_kept(here: Path, txfuzz: Cli) -> None:
    command = 'echo quiet; for n in $(seq 30); do echo "line $n of x://a:hidden@b" >&2; done; '
    command += 'cp pre/00.edn "$HISTORY_OUT"'
    ran = run(txfuzz, command, "--iterations", 1)
    assert ran.code == 0, ran.err
    assert "txfuzz: runner: line 20 of x://a@b\n" in ran.err
    assert "line 21" not in ran.err
    assert "txfuzz: runner: … (full output: o/iter_00/runner.log)" in ran.err
    log = Path("o/iter_00/runner.log").read_text().splitlines()
    assert (len(log), log.count("quiet")) == (31, 1)
    assert "hidden" not in "".join(log)


def test_a_command_that_fails_late_leaves_what_was_found(here: Path, txfuzz: Cli) -> None:
    Path("runner.sh").write_text(
        'if [ $ITERATION = 01 ]; then echo "disk full" >&2; exit 7; fi\ncp pre/01.edn "$HISTORY_OUT"\n'
    )
    ran = run(txfuzz, "sh runner.sh", "--iterations", 4)
    assert ran.code == 1, ran.err
    assert "lost-update in iteration 0" in ran.out
    assert "ended after 1 iteration: --runner-cmd sh failed with exit code 7: disk full\n" in ran.out
    record = json.loads(Path("o/campaign.json").read_text())
    assert record["state"] == "failed: --runner-cmd sh failed with exit code 7: disk full"
    assert (record["verdict"], len(record["iterations"])) == ("invalid", 1)
    Path("pre/01.edn").write_text(FINE)
    assert run(txfuzz, "sh runner.sh", "--iterations", 4).code == 2, "nothing was found before"


def test_a_history_that_is_none_is_a_failure_as_well(here: Path, txfuzz: Cli) -> None:
    command = (
        'if [ $ITERATION = 00 ]; then cp pre/01.edn "$HISTORY_OUT"; else echo garbled > "$HISTORY_OUT"; fi'
    )
    ran = run(txfuzz, command, "--iterations", 2)
    assert ran.code == 1, ran.err
    assert "ended after 1 iteration: o/iter_01/history.edn:1: expected an operation map" in ran.out


def test_a_runner_follows_the_replay(here: Path, txfuzz: Cli) -> None:
    Path("runner.sh").write_text(
        'grep -q "^replay:" "$2" && { echo replaying >&2; cp pre/01.edn "$4"; exit 1; }\ncp pre/01.edn "$4"\n'
    )
    ran = run(txfuzz, "sh runner.sh", "--iterations", 1, "--run-replay")
    assert ran.code == 1, ran.err
    assert Path("o/iter_00/replay_history.edn").read_text() == LOST
    assert json.loads(Path("o/iter_00/replay_result.json").read_text())["closed"] == 1
    assert "replay: G-single-item in 1 of 1 attempts" in ran.err
    assert "txfuzz: runner: replaying\n" in ran.err


def test_a_replay_that_fails_ends_no_campaign(here: Path, txfuzz: Cli) -> None:
    command = 'grep -q "^replay:" "$WORKLOAD_CONFIG" && exit 5; cp pre/01.edn "$HISTORY_OUT"'
    ran = run(txfuzz, command, "--iterations", 2, "--run-replay")
    assert ran.code == 1, ran.err
    assert ran.err.count("  replay: --runner-cmd grep failed with exit code 5") == 2


def test_a_replay_needs_somebody_to_follow_it(here: Path, txfuzz: Cli) -> None:
    ran = txfuzz("run", "--config", "w.yaml", "--skip-run", "--run-replay", "--output-dir", "o")
    assert ran.code == 2
    assert "--run-replay with --skip-run needs --runner-cmd: there is no database" in ran.err


def test_our_own_execute_is_a_runner_of_replays(here: Path, txfuzz: Cli) -> None:
    ran = run(txfuzz, f"{shlex.quote(sys.executable)} -m txfuzz execute", "--iterations", 1, "--run-replay")
    assert ran.code == 1, ran.err
    result = json.loads(Path("o/iter_00/replay_result.json").read_text())
    assert (result["attempts"], result["closed"]) == (1, 1)


def test_all_that_a_command_has_started_is_ended(tmp_path: Path) -> None:
    interrupted = threading.Event()
    threading.Timer(0.5, interrupted.set).start()
    start = time.monotonic()
    place = tmp_path / "iter_00"
    place.mkdir()
    with pytest.raises(HistoryError, match="did not write it"):
        ExternalCommand("sleep 71 | cat; true").make(
            tmp_path / "w.yaml", place / "history.edn", interrupted.is_set
        )
    assert time.monotonic() - start < 4
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 71" not in left.splitlines()


def test_a_signal_is_said(tmp_path: Path) -> None:
    place = tmp_path / "iter_00"
    place.mkdir()
    command = f"sh -c 'kill -{signal.SIGKILL.value} $$'; kill -{signal.SIGTERM.value} $$; :"
    with pytest.raises(UsageError, match=f"was ended by signal {signal.SIGTERM.value}"):
        ExternalCommand(command).make(tmp_path / "w.yaml", place / "history.edn", lambda: False)


def test_the_library_has_the_same(here: Path) -> None:
    result: CampaignResult = run_campaign(
        workload="w.yaml", iterations=3, output="o", max_graph_nodes=0,
        runner_cmd='cp pre/01.edn "$HISTORY_OUT"; exit $((${ITERATION#0} * 3))',
    )  # fmt: skip
    assert (result.exit_code, len(result.iterations)) == (1, 1)
    assert result.stopped is not None
    assert "failed with exit code 3" in result.stopped
