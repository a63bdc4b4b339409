"""Checks for database adapters; AdapterConformance is all of them."""
