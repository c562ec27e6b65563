"""The control note of a release: what people ask of it while it runs, and what a reader may conclude from it."""
