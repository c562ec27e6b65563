"""The wire: signed requests, and answers read strictly."""
