"""Jobs: create exactly one, find it again, stop it."""
