"""One poller for all who wait on a connection in an event loop."""
