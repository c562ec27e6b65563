"""How firmware, jobs and devices stand, and waiting for them."""
