"""Everything that can be missing or old when a credential is verified offline."""
