"""`campaign:` — how the workload is to be run where nobody says otherwise, and the same as YAML again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from txfuzz.common.secrets import command_without_secrets
from txfuzz.workload.campaign import Campaign
from txfuzz.workload.yaml.parser import parse_yaml
from txfuzz.workload.yaml.scheduling import read_duration

if TYPE_CHECKING:
    from txfuzz.workload.vocabulary import Vocabulary
    from txfuzz.workload.yaml.nodes import Node


FIELDS = tuple(field.name for field in fields(Campaign))


def read_campaign(node: Node, vocabulary: Vocabulary | None = None) -> Campaign:
    """The stanza. vocabulary: to look the model up in. Raises WorkloadError."""
    given = node.fields("campaign", FIELDS)
    settings: dict[str, Any] = {}
    for name, each in given.items():
        if name == "iterations":
            settings[name] = each.whole("the number of iterations", 1)
        elif name == "output_dir":
            settings[name] = Path(each.text("the run directory"))
        elif name == "seed":
            settings[name] = each.whole("the random seed")
        elif name == "expect":
            settings[name] = each.text("a consistency model")
            if vocabulary is not None:
                with each.place.added_to_errors():
                    vocabulary.check_model(settings[name])
        elif name == "runner_cmd":
            settings[name] = _command(each)
        elif name == "run_replay":
            settings[name] = each.boolean("whether to replay findings and near-cycles")
        elif name == "stop_on_finding":
            settings[name] = each.boolean("whether to stop at the first finding")
        elif name == "max_seconds":
            settings[name] = read_duration(each)
        elif name == "max_transactions":
            settings[name] = each.whole("the number of transactions", 1)
        else:
            settings[name] = each.whole("the number of iterations in a row without anything new", 1)
    return Campaign(**settings)


def _command(node: Node) -> str:
    """A command for the shell, which may have several lines."""
    if not isinstance(node.value, str):
        raise node.unexpected("a shell command (text)")
    try:
        words = shlex.split(node.value)
    except ValueError as error:
        raise node.place.error(
            "found a command that cannot be parsed", "a shell command", str(error)
        ) from None
    if not words:
        raise node.unexpected("a shell command")
    return node.value


def campaign_in(path: Path) -> Campaign | None:
    """The stanza of a workload file, whatever else there is in it; None where it has none.

    Raises WorkloadError for what is no YAML and for what is wrong in the stanza.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None  # who reads the workload says so
    root = parse_yaml(text, str(path))
    if root is None or not isinstance(root.value, Mapping) or "campaign" not in root.value:
        return None
    return read_campaign(root.value["campaign"])


def campaign_data(campaign: Campaign) -> dict[str, Any]:
    """The stanza as data for YAML, without passwords."""
    data = campaign.given()
    if "output_dir" in data:
        data["output_dir"] = str(data["output_dir"])
    if "runner_cmd" in data:
        data["runner_cmd"] = command_without_secrets(data["runner_cmd"])
    return data
