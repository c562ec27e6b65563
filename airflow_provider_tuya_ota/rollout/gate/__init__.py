"""The gate: what the outcomes so far allow, with error rates that hold however often they are judged."""
