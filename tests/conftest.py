"""Settings for all tests: Hypothesis tries the same inputs every time."""

from hypothesis import settings

settings.register_profile("seeded", derandomize=True, deadline=None)
settings.load_profile("seeded")
