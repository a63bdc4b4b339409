"""Jepsen's bank, set and counter histories, judged as its checkers do."""
