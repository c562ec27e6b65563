"""The plan of a release: which devices start when, and what that costs and risks, computed before anything is sent."""
