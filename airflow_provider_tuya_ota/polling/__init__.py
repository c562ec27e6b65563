"""The poller that all waits on one connection in a triggerer share."""
