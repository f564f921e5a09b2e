"""Random input without a time limit for each example: shared machines are slow now and then."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("docproc", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("docproc")
