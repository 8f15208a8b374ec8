"""Credentials of other systems, judged as far as that can be done honestly."""
