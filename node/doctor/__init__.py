"""Looking at all that a node needs, and saying what to do; changes nothing."""
