"""Scenario files: see txfuzz.workload.scenario for what they say."""

from txfuzz.workload.yaml.scenario.reader import is_scenario, parse_scenario, read_scenario

__all__ = ["is_scenario", "parse_scenario", "read_scenario"]
