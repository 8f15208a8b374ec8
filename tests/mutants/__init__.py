"""Deletes and inverts each check of the verifier, and asks which test notices."""
