"""Measurements, each beside its limit on the same machine in the same run."""
