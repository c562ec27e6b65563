"""The operators that a Dag author uses to change something on the platform."""
