"""JSON-LD to canonical RDF in safe mode: contexts held offline, terms, quads, RDFC-1.0."""
