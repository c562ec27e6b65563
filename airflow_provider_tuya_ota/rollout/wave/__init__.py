"""The course of a release: what may happen next in a wave and in the whole release, and who or what decided it."""
