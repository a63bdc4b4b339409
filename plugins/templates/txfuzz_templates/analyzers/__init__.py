"""Analyzers for invariants of templates beyond the order of dependencies."""
