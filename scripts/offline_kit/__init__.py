"""`make offline-kit`: what a machine without a network needs to verify credentials."""
