"""A password in --runner-cmd gets into no file and no sentence; who resumes gives it again."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from project_fixtures import Ran, Site
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.resumed import resumed_settings
from txfuzz.common.secrets import command_without_secrets
from txfuzz.errors import UsageError

Cli = Callable[..., Ran]
SECRET = "hunter2"
URL = f"postgres://ann:{SECRET}@db/test"
HISTORY = """\
{:type :invoke :process 0 :f :txn :value [[:append 1 1]]}
{:type :ok :process 0 :f :txn :value [[:append 1 1]]}
{:type :invoke :process 1 :f :txn :value [[:r 1 nil]]}
{:type :ok :process 1 :f :txn :value [[:r 1 [1]]]}
"""
WORKLOAD = """\
version: 1
name: given
database: {adapter: dictionary}
expect: serializable
workload: {transactions: [{name: a, steps: [{f: append, key: {choice: {from: [1, 2]}}}]}]}
"""
RUNNER = f"""
import os, pathlib, sys
assert os.environ["DATABASE_URL"] == {URL!r}
assert os.environ["PGPASSWORD"] == {SECRET!r}
pathlib.Path(os.environ["HISTORY_OUT"]).write_text({HISTORY!r})
"""


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (f"env DATABASE_URL={URL} ./r.sh", "env DATABASE_URL=postgres://ann@db/test ./r.sh"),
        (f"PGPASSWORD={SECRET} ./r.sh", "PGPASSWORD=… ./r.sh"),
        (f"env MYSQL_PWD='{SECRET} x' ./r.sh", "env MYSQL_PWD=… ./r.sh"),
        (f"./r.sh --db-password {SECRET} -n 3", "./r.sh --db-password … -n 3"),
        (f"./r.sh --token={SECRET}", "./r.sh --token=…"),
        (f"./r.sh ann:{SECRET}@tcp(db)/test", "./r.sh 'ann:…@tcp(db)/test'"),
        (f"sh -c 'exec ./r.sh --token {SECRET}'", "sh -c 'exec ./r.sh --token …'"),
        (f"sh -c 'exec ./r.sh {URL} -n 3'", "sh -c 'exec ./r.sh postgres://ann@db/test -n 3'"),
        (f"MY_SECRET={SECRET} ./r.sh", "MY_SECRET=… ./r.sh"),
        (f"env AWS_SECRET_ACCESS_KEY={SECRET} ./r.sh", "env AWS_SECRET_ACCESS_KEY=… ./r.sh"),
        (f"DB_CREDENTIALS={SECRET} ./r.sh", "DB_CREDENTIALS=… ./r.sh"),
        (f"HTTP_AUTH={SECRET} ./r.sh", "HTTP_AUTH=… ./r.sh"),
        (f"PGPASS={SECRET} ./r.sh", "PGPASS=… ./r.sh"),
        (f"./r.sh --client-secret {SECRET} --auth={SECRET}", "./r.sh --client-secret … --auth=…"),
        (f"./r.sh --bearer {SECRET} Bearer {SECRET}", "./r.sh --bearer … Bearer …"),
        (f"sshpass -p {SECRET} ssh -i key host", "sshpass -p … ssh -i key host"),
        (f"/usr/bin/sshpass -p{SECRET} ssh host", "/usr/bin/sshpass -p… ssh host"),
        (f"curl -u ann:{SECRET} host", "curl -u ann:… host"),
        (f"curl --user=ann:{SECRET} -uann:{SECRET}", "curl --user=ann:… -uann:…"),
        (f"mysql -p{SECRET} -u root db", "mysql -p… -u root db"),
        (f"curl -H 'Authorization: Bearer {SECRET}' host", "curl -H 'Authorization: Bearer …' host"),
        (f"curl -H 'X-Api-Key: {SECRET}' host", "curl -H 'X-Api-Key: …' host"),
        (f"sh -c 'curl -u ann:{SECRET} host'", "sh -c 'curl -u ann:… host'"),
        ("PGPASSFILE=/ann/.pgpass psql -p 5432 -U ann", "PGPASSFILE=/ann/.pgpass psql -p 5432 -U ann"),
        ("./r.sh --author ann --secret-file f -u ann", "./r.sh --author ann --secret-file f -u ann"),
        ("./r.sh  --fast 'a b' img:1.2 git@host:x $HOME", "./r.sh  --fast 'a b' img:1.2 git@host:x $HOME"),
    ],
)  # fmt: skip
def test_a_command_as_it_is_shown(command: str, shown: str) -> None:
    assert command_without_secrets(command) == shown
    assert command_without_secrets(shown) == shown


@pytest.fixture
def command(site: Site, tmp_path: Path) -> str:
    site.add_third()
    (tmp_path / "given.yaml").write_text(WORKLOAD)
    (tmp_path / "runner.py").write_text(RUNNER)
    return f"env PGPASSWORD={SECRET} DATABASE_URL={URL} {shlex.quote(sys.executable)} runner.py"


def test_no_file_has_it(command: str, tmp_path: Path, txfuzz: Cli) -> None:
    ran = txfuzz(
        "run", "--config", "given.yaml", "--runner-cmd", command, "--output-dir", "o", "--iterations", 1
    )
    assert ran.code == 0, ran.err
    assert txfuzz("report", "o", "--out", "o/report.html").code == 0
    assert SECRET not in ran.out + ran.err
    for path in (tmp_path / "o").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    arguments = json.loads((tmp_path / "o/campaign.json").read_text())["arguments"]
    assert arguments["runner_cmd"].startswith("env PGPASSWORD=… DATABASE_URL=postgres://ann@db/test ")
    assert arguments["withheld"] == ["runner_cmd"]


def test_it_is_given_again_to_go_on(command: str, tmp_path: Path, txfuzz: Cli) -> None:
    run = ("run", "--config", "given.yaml", "--runner-cmd", command, "--output-dir", "o", "--iterations", 1)
    assert txfuzz(*run).code == 0
    asked = txfuzz("run", "--resume", "o", "--iterations", 2)
    assert asked.code == 2
    assert "that contained a password, which is not stored; give it again: --runner-cmd 'env PG" in asked.err
    again = txfuzz("run", "--resume", "o", "--iterations", 2, "--runner-cmd", command)
    assert again.code == 0, again.err
    assert (tmp_path / "o/iter_01/history.edn").read_text() == HISTORY
    assert SECRET not in asked.err + again.err + (tmp_path / "o/campaign.json").read_text()


def test_a_command_without_one_is_taken_from_the_campaign(tmp_path: Path) -> None:
    settings = CampaignSettings(runner_cmd="./r.sh 'a b'", output=tmp_path)
    record = {"state": "running", "arguments": settings.as_data()}
    (tmp_path / "campaign.json").write_text(json.dumps(record))
    assert resumed_settings(tmp_path).runner_cmd == "./r.sh 'a b'"
    with pytest.raises(UsageError, match="--resume takes --runner-cmd from the campaign; omit it"):
        resumed_settings(tmp_path, runner_cmd="./other.sh")


def test_a_repr_has_none() -> None:
    assert SECRET not in repr(CampaignSettings(runner_cmd=f"env PGPASSWORD={SECRET} x", database_url=URL))


def test_a_command_that_cannot_be_run_is_named_without_it(command: str, txfuzz: Cli) -> None:
    ran = txfuzz("run", "--config", "given.yaml", "--runner-cmd", f"PGPASSWORD={SECRET} ./r.sh")
    assert ran.code == 2
    assert "txfuzz: --runner-cmd PGPASSWORD=… cannot be run" in ran.err
    assert SECRET not in ran.err
