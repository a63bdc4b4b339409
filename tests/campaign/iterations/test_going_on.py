"""How a campaign that was interrupted, or whose plugin failed, is gone on with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from txfuzz.campaign.iterations.steps import saying_how_to_go_on
from txfuzz.campaign.setup.settings import CampaignSettings, command_to_go_on
from txfuzz.cli.commands import run
from txfuzz.errors import PluginError

OUT = Path("out dir")
RESUMED = CampaignSettings("w.yaml", iterations=3)
BY_URL = CampaignSettings("w.yaml", database_url="postgres://me:secret@there/d")
ANALYSED = CampaignSettings("w.yaml", skip_run=True, expect="serializable", plugin_files=(Path("my.py"),))
PROVIDED = CampaignSettings("w.yaml", skip_run=True, runner_cmd="./run.sh")


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        (RESUMED, "txfuzz run --resume 'out dir'"),
        (BY_URL, "txfuzz run --resume 'out dir' --database-url URL"),
        (
            ANALYSED,
            "txfuzz run --skip-run --output-dir 'out dir' --expect serializable --plugin-file my.py",
        ),
        (PROVIDED, "txfuzz run --resume 'out dir'"),
    ],
)
def test_the_command_fits_the_campaign(settings: CampaignSettings, command: str) -> None:
    assert command_to_go_on(settings, OUT) == command


def test_what_only_analyses_is_not_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    result: Any = SimpleNamespace(iterations=(1,), directory=Path("out"))
    settings = CampaignSettings("w.yaml", skip_run=True, iterations=3)
    run._say_interrupted(result, settings)
    said = "interrupted after 1 of 3 iterations: txfuzz run --skip-run --output-dir out analyses them again\n"
    assert capsys.readouterr().err == said


def failing(settings: CampaignSettings, message: str) -> str:
    setup: Any = SimpleNamespace(settings=settings, directory=SimpleNamespace(path=Path("out")))
    with pytest.raises(PluginError) as caught, saying_how_to_go_on(setup, Path("history.edn")):
        raise PluginError(message)
    return str(caught.value)


def test_two_plugins_are_mended() -> None:
    settings = CampaignSettings("w.yaml", plugin_files=(Path("a.py"), Path("b.py")))
    said = failing(settings, "a.py and b.py clash")
    assert "once out/plugins/a.py and out/plugins/b.py are mended, `txfuzz run --resume out` judges" in said
    assert "once out/plugins/a.py is mended, " in failing(settings, "a.py fails")


def test_a_plugin_that_fails_on_given_histories_is_mended_where_it_was_given() -> None:
    said = failing(ANALYSED, "my.py fails")
    assert "; once my.py is mended, `txfuzz run --skip-run --output-dir out " in said
    assert said.endswith("` analyses the histories again")
