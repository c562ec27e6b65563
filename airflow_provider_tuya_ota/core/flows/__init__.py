"""Effects as data, and the flows of single operations and of lists."""
