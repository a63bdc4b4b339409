"""`campaign:`, the default settings of campaigns, read from and written to YAML."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from txfuzz.common.secrets import command_without_secrets
from txfuzz.workload.campaign import MOST_SCHEDULES, Campaign, SmallScope
from txfuzz.workload.yaml.parser import parse_yaml
from txfuzz.workload.yaml.scheduling import read_duration

if TYPE_CHECKING:
    from txfuzz.workload.vocabulary import Vocabulary
    from txfuzz.workload.yaml.nodes import Node


def read_campaign(node: Node, vocabulary: Vocabulary | None = None) -> Campaign:
    """The stanza. vocabulary: where the model is looked up. Raises WorkloadError."""
    check_model = None if vocabulary is None else vocabulary.check_model
    readers: dict[str, Callable[[Node], Any]] = {
        "iterations": lambda each: each.whole("the number of iterations", 1),
        "output_dir": lambda each: Path(each.text("the run directory")),
        "seed": lambda each: each.whole("the random seed"),
        "expect": lambda each: each.text("a consistency model", check_model),
        "runner_cmd": _command,
        "run_replay": lambda each: each.boolean("whether to replay findings and near-cycles"),
        "stop_on_finding": lambda each: each.boolean("whether to stop at the first finding"),
        "max_seconds": read_duration,
        "max_transactions": lambda each: each.whole("the number of transactions", 1),
        "plateau": lambda each: each.whole("the number of iterations in a row without anything new", 1),
        "small_scope": _small_scope,
    }
    given = node.fields("campaign", readers)
    return Campaign(**{name: readers[name](each) for name, each in given.items()})


def _small_scope(node: Node) -> SmallScope:
    """true, false, or bounds."""
    if isinstance(node.value, bool):
        return SmallScope() if node.value else SmallScope(schedules=0)
    if not isinstance(node.value, Mapping):
        raise node.unexpected("whether to search small scopes first (true, false, or bounds)")
    readers: dict[str, Callable[[Node], Any]] = {
        "schedules": lambda each: each.whole("the number of schedules", 0, MOST_SCHEDULES),
        "seconds": lambda each: each.number("a number of seconds"),
        "transactions": lambda each: each.whole("the number of transactions in a schedule", 2, 3),
    }
    given = node.fields("small_scope", readers)
    return SmallScope(**{name: readers[name](each) for name, each in given.items()})


def _command(node: Node) -> str:
    """A shell command, possibly of several lines."""
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
    """The stanza of a workload file, whatever the rest contains; None if there is none.

    Raises WorkloadError for invalid YAML and for mistakes in the stanza.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None  # reported when the workload itself is read
    root = parse_yaml(text, str(path))
    if root is None or not isinstance(root.value, Mapping) or "campaign" not in root.value:
        return None
    return read_campaign(root.value["campaign"])


def campaign_data(campaign: Campaign) -> dict[str, Any]:
    """The stanza as data for YAML, without passwords."""
    data = campaign.given()
    if "output_dir" in data:
        data["output_dir"] = str(data["output_dir"])
    if campaign.small_scope is not None:
        bounds = asdict(campaign.small_scope)
        data["small_scope"] = bounds if campaign.small_scope.schedules else False
    if "runner_cmd" in data:
        data["runner_cmd"] = command_without_secrets(data["runner_cmd"])
    return data
