"""Auditing a provider's log as a stranger: what was seen goes in, findings come out."""
