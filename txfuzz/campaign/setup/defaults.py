"""What a campaign is asked to do, by whoever starts it and else by its workload."""

from __future__ import annotations

from dataclasses import fields, replace

from txfuzz.campaign.setup.settings import CampaignSettings
from txfuzz.campaign.sources.resumed import first_workload
from txfuzz.workload.campaign import Campaign
from txfuzz.workload.shipped import workload_path
from txfuzz.workload.yaml.campaign import campaign_in

_OTHER_NAMES = {"output_dir": "output"}


def settled(settings: CampaignSettings) -> CampaignSettings:
    """The settings, with what the `campaign` stanza of the workload says where they leave it open.

    Settings that are settled stay as they are. A campaign that is resumed is settled already, and one
    that judges histories again is about those that are there. Raises WorkloadError.
    """
    if not settings.resume:
        path = first_workload(settings) or workload_path(settings.workload, settings.workload_dir)
        settings = with_campaign(settings, campaign_in(path) or Campaign())
    return replace(settings, iterations=settings.turns)


def with_campaign(settings: CampaignSettings, campaign: Campaign) -> CampaignSettings:
    said = {_OTHER_NAMES.get(name, name): value for name, value in campaign.given().items()}
    if settings.skip_run and settings.runner_cmd is None:
        said = {name: said[name] for name in ("seed", "expect") if name in said}
    unset = {field.name for field in fields(settings) if getattr(settings, field.name) is None}
    return replace(settings, **{name: value for name, value in said.items() if name in unset})
