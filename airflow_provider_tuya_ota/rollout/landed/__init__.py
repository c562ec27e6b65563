"""The check of landed versions: which version devices run that reported success."""
