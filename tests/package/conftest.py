"""Settings that all tests of the package share."""

from hypothesis import HealthCheck, settings

# No deadline: the machine is shared, and a slow run is not a wrong one. The same examples on every run.
settings.register_profile(
    "casebook", deadline=None, max_examples=50, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("casebook")
