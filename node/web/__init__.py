"""The node's page for people; the rest of the console comes with its own release."""
