"""Trust packs: an office's evidence about many issuers, signed. Pure functions."""
