"""Fixtures for all tests, the core's below tests/ and each plugin's beside the plugin."""

pytest_plugins = ["project_fixtures"]
