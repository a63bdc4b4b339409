"""A campaign on the screen: what `txfuzz run` and `txfuzz adapt` have in common."""

from __future__ import annotations

import sys

from txfuzz.campaign.loop import run_campaign
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.cli.interruption import interruptible
from txfuzz.cli.plain_screen import PlainScreen
from txfuzz.report.campaign_result import CampaignResult


def run_on_screen(settings: CampaignSettings, *, plain: bool, verbose: bool, quiet: bool) -> CampaignResult:
    """Run it under the status screen in a terminal, else and with `plain` with lines, with `quiet` for the
    result only. The first signal ends it in order."""
    with interruptible() as interrupted:
        screen = _screen(settings.most_iterations, plain=plain, verbose=verbose, quiet=quiet)
        try:
            return run_campaign(settings, interrupted=interrupted, subscriber=screen)
        finally:
            screen.close()


def _screen(iterations: int, *, plain: bool, verbose: bool, quiet: bool) -> PlainScreen:
    if plain or quiet or not sys.stderr.isatty():
        return PlainScreen(verbose=verbose, quiet=quiet)
    from txfuzz.cli.live_screen import LiveScreen

    return LiveScreen(iterations, verbose=verbose)
