"""JSON as a command prints it."""

from __future__ import annotations

import json
import sys


def as_json(answer: object) -> str:
    """Format an answer for people, with the escapes of JSON if standard output cannot encode it."""
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return json.dumps(answer, indent=2)
    return text
