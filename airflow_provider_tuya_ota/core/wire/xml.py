"""Convert XML answers to the same structure as JSON answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

DEEPEST: Final = 32
"""Levels of nesting; a documented reply has four."""
MOST_NAMESPACES: Final = 10
"""Declared namespaces; a documented reply has none."""
_LONG_NAMESPACE: Final = re.compile(rb"xmlns[^=<>]*+=\s*+(?:\"[^\"]{257}|'[^']{257})")
"""The parser puts the namespace before every name, so that a long one in a small answer fills the memory."""


def read_xml(body: bytes) -> Any:
    """Read a document; its root (``…Response``, ``Error``) is dropped, repeated elements become lists.

    :returns: a dict, or None where the body is not safe, well-formed XML with elements inside, of bounded depth.
    """
    if body.count(b"xmlns") > MOST_NAMESPACES or _LONG_NAMESPACE.search(body):
        return None
    try:
        return _children(fromstring(body, forbid_dtd=True), DEEPEST)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None


def _children(element: Element, depth: int) -> Any:
    if len(element) == 0:
        # An indented empty element contains only its indentation.
        return element.text if (element.text or "").strip() else None
    if not depth:
        raise ValueError
    tree: dict[str, Any] = {}
    for child in element:
        value = _children(child, depth - 1)
        name = child.tag.rpartition("}")[2]
        if name not in tree:
            tree[name] = value
        elif isinstance(tree[name], list):
            tree[name].append(value)
        else:
            tree[name] = [tree[name], value]
    return tree
