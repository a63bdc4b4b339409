"""Analyzers for what templates promise beyond the order of dependencies."""
