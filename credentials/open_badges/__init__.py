"""Open Badges 3.0: credentials and endorsements as frozen dataclasses."""
