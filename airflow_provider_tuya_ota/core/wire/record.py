"""Objects of an answer, whose keys are found in any case.

The vendor's tables write ``JobId`` and its examples ``jobId``; the spelling of ``OSSAccessKeyId`` depends on a
serialiser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import ProtocolError
from airflow_provider_tuya_ota.core.texts import LONGEST_NAME, cut
from airflow_provider_tuya_ota.core.wire.redaction import contains_secret, mask_reply, redact, safe_name, safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.secret import Secret

LONGEST_DEVICE_NAME: Final = 256
LONGEST_EXACT: Final = 8192
"""Characters of a text that is sent back unchanged: a policy has a few hundred."""
_NO_NAME: Final = re.compile(r"[?=#&]|://")
_ID: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:@-]{{0,{LONGEST_NAME - 1}}}")
_DECIMAL: Final = re.compile(r"[0-9]+\.[0-9]+([Ee][+-]?[0-9]+)?")
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")
_WIDEST: Final = 2**63
"""Events and databases store whole numbers of 64 bits."""
_SHOWN_KEYS: Final = 10
_SINGLE: Final = (str, int, float)
_FLAGS: Final = {"true": True, "false": False, "": None}


class Record(Mapping[str, Any]):
    """A JSON object with case-insensitive keys; iteration gives the platform's own spelling.

    Its repr shows only the keys, because values may be presigned addresses or device secrets.

    :param values: the object as parsed.
    :param secrets: texts to remove where the platform repeats them.
    :raises ProtocolError: two keys differ only in case and have different values.
    """

    __slots__ = ("_by_key", "_secrets", "_values")

    def __init__(self, values: Mapping[str, Any], secrets: Sequence[Secret] = ()) -> None:
        self._values = values
        self._secrets = secrets
        self._by_key = {key.lower(): value for key, value in values.items()}
        if len(self._by_key) < len(values):
            self._by_key = _one_value_each(values)

    def __getitem__(self, key: str) -> Any:
        return _wrap(self._by_key[key.lower()], self._secrets)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value as ``[]`` does, or the default where the key is absent."""
        # Mapping's own raises and catches a KeyError for each key that is absent.
        value = self._by_key.get(key.lower(), default)
        return value if value is None or isinstance(value, _SINGLE) else _wrap(value, self._secrets)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._by_key

    def __repr__(self) -> str:
        return f"Record({', '.join(self._values)})"

    def __copy__(self) -> Record:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Record:
        # dataclasses.asdict copies values this way.
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Record, (mask_reply(self._values),)

    def serialize(self) -> dict[str, Any]:
        """Give Airflow what it may write into XCom: the object with the values of secret names masked."""
        masked: dict[str, Any] = mask_reply(self._values)
        return masked

    @staticmethod
    def deserialize(data: Mapping[str, Any], version: int) -> Record:  # noqa: ARG004 - Airflow's signature
        """Read what :meth:`serialize` gave."""
        return Record(data)

    def plain(self) -> Mapping[str, Any]:
        """Give the object as the platform sent it. Nothing in it is masked, so keep it out of logs."""
        return self._values

    def text(self, key: str, default: str = "") -> str:
        """Read a free text: on one line, short, without secrets; absent, null, a list and an object give the default.

        Nothing is decided by it. A number or a boolean is given as the platform writes it.
        """
        value = self._scalar(key) if self._is_scalar(key) else None
        return default if value is None else safe_text(value, self._secrets)

    def shown(self, key: str) -> str:
        """Read a text as :meth:`name` does, by which nothing is decided: a list and an object give an empty text."""
        return self.name(key) if self._is_scalar(key) else ""

    def name(self, key: str) -> str:
        """Read a text that is compared with others: a name, a version, a status; absent and null give an empty text.

        It is unchanged where it contains only letters, digits and ``. _ : @ ( ) -``; see :func:`safe_name`.
        """
        text = self._scalar(key)
        return safe_name(text, self._secrets) if text else ""

    def device(self, key: str) -> str:
        """Read a device's name unchanged, because it is compared with others; absent and null give an empty text.

        A text that may be an address or contain a secret is made safe to show, and then equals no name.
        """
        text = self._scalar(key) or ""
        is_name = text.isprintable() and len(text) <= LONGEST_DEVICE_NAME and not _NO_NAME.search(text)
        if " " in text:
            # With blanks it may be a sentence that contains a secret.
            is_name = is_name and redact(text) == text
        return text if is_name and not contains_secret(text, self._secrets) else self.name(key)

    def id(self, key: str) -> str:
        """Read an id exactly, from a text or a whole number; absent, null and empty give an empty text.

        :raises ProtocolError: it is anything else. A decimal number has lost digits, and a text with blanks is another
            id.
        """
        value = self.get(key)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if text is None or text == "":
            return ""
        if not isinstance(text, str) or not _ID.fullmatch(text) or ("." in text and _DECIMAL.fullmatch(text)):
            raise ProtocolError(
                f"{key} should be an id (letters, digits and . _ : @ -), the answer has {_kind(value)}"
                + (f" {cut(safe_text(text, self._secrets), 40)!r}" if isinstance(text, str) else "")
            )
        return text

    def other_than(self, key: str, wanted: str) -> str:
        """Give the value of a key as :meth:`name` does, where it is not the wanted one; else an empty text."""
        value = self._scalar(key) or ""
        return "" if value == wanted else safe_name(value, self._secrets)

    def exact(self, key: str) -> str:
        """Read a text that is sent back unchanged or kept secret; absent and null give an empty text.

        :raises ProtocolError: it contains blanks or unprintable characters, or is longer than 8,192 characters.
        """
        text = self._scalar(key) or ""
        if not text.isprintable() or " " in text or len(text) > LONGEST_EXACT:
            raise ProtocolError(f"{key} should be at most {LONGEST_EXACT:,} characters without blanks")
        return text

    def whole(self, key: str) -> int | None:
        """Read a whole number of at most 64 bits that may come as text; absent, null and empty give None."""
        text = (self._scalar(key) or "").strip()
        if not text:
            return None
        if not _WHOLE.fullmatch(text) or not -_WIDEST <= int(text) < _WIDEST:
            raise ProtocolError(f"{key} should be a whole number")
        return int(text)

    def flag(self, key: str) -> bool | None:
        """Read a boolean that may come as text; absent, null and empty give None."""
        value = self._by_key.get(key.lower())
        if value is None or value is True or value is False:
            return value
        text = (self._scalar(key) or "").strip().lower()
        if text not in _FLAGS:
            raise ProtocolError(f"{key} should be true or false")
        return _FLAGS[text]

    def _is_scalar(self, key: str) -> bool:
        return isinstance(self.get(key), (*_SINGLE, NoneType))

    def _scalar(self, key: str) -> str | None:
        value = self._by_key.get(key.lower())
        if value is None or type(value) is str:
            return value
        value = self.get(key)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, _SINGLE):
            return str(value)
        raise ProtocolError(f"{key} should be a single value, the answer has {type(value).__name__}")

    def record(self, key: str) -> Record:
        """Read an object; a list of one object counts as that object."""
        value = self.get(key)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, Record):
            return value
        raise ProtocolError(f"{key} should be an object, the answer has {_kind(value)}")

    def items_of(self, key: str, *, item_key: str) -> list[Record]:
        """Read a list in any documented form: flat, wrapped once, a single object, null or absent.

        :param key: key of the list.
        :param item_key: a key that every item has; it distinguishes a single item from a wrapper.
        """
        return _items(self.get(key), key, item_key)


def _wrap(value: Any, secrets: Sequence[Secret]) -> Any:
    """Make objects inside a parsed answer case-insensitive."""
    if isinstance(value, list):
        return [_wrap(item, secrets) for item in value]
    # A dict is asked first: it takes long to ask what has no class in common with Mapping.
    if isinstance(value, dict) or (isinstance(value, Mapping) and not isinstance(value, Record)):
        return Record(value, secrets)
    return value


def _one_value_each(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the value of the first spelling of each key.

    :raises ProtocolError: two keys differ only in case and have different values.
    """
    spelling: dict[str, str] = {}
    for key in values:
        known = spelling.setdefault(key.lower(), key)
        if known != key and values[known] != values[key]:
            raise ProtocolError(f"the answer has both {_key(known)!r} and {_key(key)!r}, with different values")
    return {key: values[spelled] for key, spelled in spelling.items()}


def _items(value: Any, key: str, item_key: str) -> list[Record]:
    if value is None or value == "":
        return []
    if isinstance(value, Record):
        if item_key in value:
            return [value]
        if not value:
            return []
        inner = [item for item in value.values() if isinstance(item, list | Record)]
        if len(inner) == 1:
            return _items(inner[0], key, item_key)
        if not inner and not any(value.values()):
            # An empty wrapper as XML gives it: <Data><SimpleOTATaskInfo/></Data>.
            return []
    if isinstance(value, list) and all(isinstance(item, Record) and item_key in item for item in value):
        return value
    raise ProtocolError(f"{key} should be a list of objects with {item_key}, the answer has {_kind(value)}")


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Record):
        more = ", …" if len(value) > _SHOWN_KEYS else ""
        return f"an object with {', '.join(map(_key, list(value)[:_SHOWN_KEYS])) or 'no keys'}{more}"
    return type(value).__name__


def _key(key: str) -> str:
    return cut(safe_name(key), 40)
