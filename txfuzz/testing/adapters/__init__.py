"""Conformance tests for database adapters; AdapterConformance has all of them."""
