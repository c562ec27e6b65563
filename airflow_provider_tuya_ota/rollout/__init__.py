"""Release policy: which devices are upgraded when, and what the outcomes so far allow. Pure, as the core is."""
