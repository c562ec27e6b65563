"""The honest halt: cancel what can be cancelled, watch the rest until it ends, and say what became of each device."""
