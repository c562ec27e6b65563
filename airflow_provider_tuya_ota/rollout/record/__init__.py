"""The release record: what a release did and why, as a chain of entries that anybody can verify later."""
