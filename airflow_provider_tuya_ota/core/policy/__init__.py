"""The policies for retries and for the request rate."""
