"""A node is backed up at a random moment, goes on, is lost, and is restored."""
