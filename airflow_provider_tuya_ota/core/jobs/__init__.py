"""Jobs: create once, tell own from foreign, stop."""
