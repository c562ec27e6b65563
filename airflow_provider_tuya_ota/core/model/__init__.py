"""The platform's states and entities, and the verdict on a job."""
