"""Mutators: single changes to a workload, for strategies to choose from."""
