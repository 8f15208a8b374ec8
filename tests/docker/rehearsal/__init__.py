"""The image built and the services run without Docker: `make image-rehearsal`."""
