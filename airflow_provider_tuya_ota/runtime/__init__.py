"""What a worker does for a task."""
