"""Credentials between Patunay and the software of others."""
