"""What tells people and systems about a release."""
