"""The sensors that a Dag author uses to wait for something on the platform."""
