"""The state of firmware, jobs and devices, and the waits for it."""
