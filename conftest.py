"""Fixtures for all tests, the core's below tests/ and each plugin's beside the plugin."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["project_fixtures"]

# How long an example takes to make or to run is the machine's, which may have other work.
settings.register_profile("txfuzz", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("txfuzz")
