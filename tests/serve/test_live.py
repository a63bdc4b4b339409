"""A page that follows a campaign while it runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from report_runs import Page
from txfuzz.campaign.directory.run_directory import locked
from txfuzz.serve.events import event_stream
from txfuzz.serve.records.campaign_record import CampaignRecord
from txfuzz.serve.records.running_iteration import RunningIteration
from txfuzz.serve.records.watch import CampaignWatch

from .conftest import client

SECOND = 1_000_000_000


def invoke(process: int, at: float) -> str:
    return f'{{:index 0, :type :invoke, :process {process}, :f :txn, :time {int(at * SECOND)}, :txn "t"}}\n'


def end(process: int, at: float, kind: str = "ok") -> str:
    return f"{{:index 1, :type :{kind}, :process {process}, :f :txn, :time {int(at * SECOND)}, :value []}}\n"


def fault(at: float, phase: str) -> str:
    return (
        f"{{:index 2, :type :info, :process :nemesis, :f :kill-server, :time {int(at * SECOND)}, "
        f":value {{:phase :{phase}}}}}\n"
    )


class Running:
    """A campaign of which only the first iteration has ended."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.timeline = (directory / "timeline.jsonl").read_text().splitlines(keepends=True)
        self.records = {name: (directory / name).read_text() for name in ("campaign.json",)}
        (directory / "timeline.jsonl").write_text(self.timeline[0])
        self.state("running")
        (directory / "iter_01" / "decisions.json").unlink()
        self.history = directory / "iter_01" / "history.edn"
        self.history.write_text("")
        self.lock: IO[bytes] | None = locked(directory)

    def state(self, word: str) -> None:
        data = json.loads(self.records["campaign.json"])
        (self.directory / "campaign.json").write_text(json.dumps({**data, "state": word}))

    def write(self, *lines: str) -> None:
        with open(self.history, "a") as history:
            history.writelines(lines)

    def next_iteration(self) -> None:
        (self.directory / "iter_01" / "decisions.json").write_text("[]")
        with open(self.directory / "timeline.jsonl", "a") as timeline:
            timeline.write(self.timeline[1])

    def stop(self) -> None:
        self.state("ended")
        if self.lock is not None:
            self.lock.close()
            self.lock = None


@pytest.fixture
def running(runs: Path) -> Iterator[Running]:
    found = Running(runs / "dirty")
    yield found
    found.stop()


class Reader:
    """Reads the stream of events, of the campaign as it is at that moment."""

    def __init__(self, directory: Path, last: str = "") -> None:
        self.ending = asyncio.Event()
        watch = CampaignWatch(CampaignRecord(directory))
        self.stream = event_stream(watch, "dirty/", last, self.ending)

    async def next(self) -> tuple[str, str, dict[str, Any]]:
        """(id, event, data)"""
        while True:
            fields = dict(
                line.split(": ", 1)
                for line in (await anext(self.stream)).splitlines()
                if line[:1] not in ("", ":")
            )
            if "event" in fields:
                return fields.get("id", ""), fields["event"], json.loads(fields["data"])


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("txfuzz.serve.events._LOOK", 0.01)


def test_events_follow_the_files_of_the_campaign(running: Running) -> None:
    async def follow() -> None:
        reader = Reader(running.directory)
        _, kind, parts = await reader.next()
        assert kind == "parts"
        assert {*parts} == {"head", "now", "course", "findings", "decisions", "coverage", "corpus"}
        assert "running" in parts["head"]
        assert "Iteration 1" in parts["now"]
        assert "No transaction has ended yet" in parts["now"]

        running.write(invoke(0, 0.1), invoke(1, 0.1), end(0, 0.2), fault(0.2, "begins"), end(1, 0.5, "fail"))
        _, kind, parts = await reader.next()
        assert {*parts} == {"now"}
        assert "2 transactions so far: 1 committed, 1 failed, 0 unknown." in parts["now"]
        assert 'class="fault"' in parts["now"]

        running.next_iteration()
        found: dict[str, Any] = {}
        while "findings" not in found:
            _, _, parts = await reader.next()
            found |= parts
        assert "Findings (2)" in found["findings"]

        running.stop()
        kinds = []
        while "ended" not in kinds:
            kinds.append((await reader.next())[1])

    asyncio.run(asyncio.wait_for(follow(), 60))


def test_who_comes_back_gets_what_is_new(running: Running) -> None:
    async def follow() -> None:
        first = Reader(running.directory)
        last, _, _ = await first.next()
        again = Reader(running.directory, last)
        waiting = asyncio.ensure_future(again.next())
        await asyncio.sleep(0.1)
        assert not waiting.done()  # nothing has changed
        running.write(invoke(0, 0.1), end(0, 0.2))
        current, _, parts = await waiting
        assert "1 transaction so far" in parts["now"]
        assert {*parts} >= {"head", "now", "findings"}  # whatever may have changed meanwhile
        assert current != last

    asyncio.run(asyncio.wait_for(follow(), 60))


def test_the_end_of_the_server_ends_the_stream(running: Running) -> None:
    async def follow() -> None:
        reader = Reader(running.directory)
        await reader.next()
        reader.ending.set()
        with pytest.raises(StopAsyncIteration):
            await reader.next()

    asyncio.run(asyncio.wait_for(follow(), 60))


def test_the_page_is_whole_without_scripts(running: Running, runs: Path) -> None:
    running.write(invoke(0, 0.1), end(0, 0.2))
    there = client(runs)
    text = there.get("/live/dirty/").text
    shown = Page(text)
    assert "1 transaction so far" in shown.text
    assert "Findings" in shown.text
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in text
    assert 'data-events="/events/dirty/"' in text
    assert 'href="/live/dirty/"' in there.get("/").text
    assert 'href="/live/dirty/"' in there.get("/run/dirty/").text
    running.stop()
    ended = there.get("/live/dirty/").text
    assert "data-events" not in ended
    assert "refresh" not in ended
    with there.stream("GET", "/events/dirty/") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "event: ended" in "".join(answer.iter_text())


def test_latencies_and_faults_of_a_history_that_grows(tmp_path: Path) -> None:
    path = tmp_path / "history.edn"
    tail = RunningIteration(path)
    tail.read_on()
    assert tail.points() == []
    lines = [line for at in range(100) for line in (invoke(at, 1.0), end(at, 1.0 + (at + 1) / 1000))]
    text = "".join([*lines, fault(1.02, "begins"), fault(1.06, "healed"), fault(1.08, "begins")])
    half = len(text) // 2
    path.write_text(text[:half])
    tail.read_on()
    with open(path, "a") as history:
        history.write(text[half:])
    tail.read_on()
    assert tail.outcomes == {"ok": 100}
    [point] = [each for each in tail.points() if each.per_second]
    assert point.p50 == pytest.approx(50, rel=0.03)
    assert point.p95 == pytest.approx(95, rel=0.03)
    assert [(each.name, each.start, each.end) for each in tail.active_bands()] == [
        ("kill-server", 1.02, 1.06), ("kill-server", 1.08, pytest.approx(1.1)),
    ]  # fmt: skip
    path.write_text(invoke(1, 0.1))
    tail.read_on()
    assert tail.outcomes == {}


def test_final_reads_are_no_load(tmp_path: Path) -> None:
    path = tmp_path / "history.edn"
    path.write_text(invoke(9, 5.0).replace('"t"', '"final-read"') + end(9, 5.1))
    tail = RunningIteration(path)
    tail.read_on()
    assert tail.outcomes == {}
