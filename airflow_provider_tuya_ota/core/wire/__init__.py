"""The wire format: signed requests, and answers that are read strictly."""
