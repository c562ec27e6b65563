"""What the platform tells: states, entities, and what they amount to."""
