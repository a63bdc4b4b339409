"""Run a campaign and show its progress: shared by `txfuzz run` and `txfuzz adapt`."""

from __future__ import annotations

import sys

from txfuzz.campaign.loop import run_campaign
from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.cli.interruption import interruptible
from txfuzz.cli.plain_screen import PlainScreen
from txfuzz.report.campaign_result import CampaignResult


def run_on_screen(settings: CampaignSettings, *, plain: bool, verbose: bool, quiet: bool) -> CampaignResult:
    """Run the campaign with a status screen in a terminal, otherwise or with `plain` with plain lines.

    quiet: print only the result. The first signal ends the campaign in an orderly way.
    """
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
