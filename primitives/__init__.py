"""Pure functions over bytes: hashing, strict and canonical JSON, Ed25519, errors, time."""
