"""The simulated platform: firmware, jobs, devices that update over time, and object storage."""
