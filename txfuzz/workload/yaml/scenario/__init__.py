"""Scenario files: see txfuzz.workload.scenario for what they say."""

from txfuzz.workload.yaml.scenario.reader import is_scenario, parse_scenario, read_scenario
from txfuzz.workload.yaml.scenario.writer import scenario_text

__all__ = ["is_scenario", "parse_scenario", "read_scenario", "scenario_text"]
