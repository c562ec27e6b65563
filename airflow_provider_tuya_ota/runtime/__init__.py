"""What a worker does for a task; parsing a Dag never imports it."""
