"""The platform's codes: for each documented one its error class and what to do next, in one sentence."""
