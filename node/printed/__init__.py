"""Reports on paper: what an office files, in English and in Filipino."""
