"""The platform's error codes: an error class and advice for each documented one."""
