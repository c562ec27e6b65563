"""The gateway: how a request is checked and read, and how an answer is written."""
