"""Reply objects whose keys are found in any case.

The vendor's tables write ``JobId``, its examples ``jobId``, and how ``OSSAccessKeyId`` is spelled depends on a
serialiser.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_tuya_ota.core.errors import ProtocolError
from airflow_provider_tuya_ota.core.redaction import mask_reply


class Record(Mapping[str, Any]):
    """A JSON object with case-insensitive keys; iteration gives the platform's own spelling.

    Its repr names the keys only, because values may be presigned addresses or device secrets.

    :param values: the object as parsed.
    :raises ProtocolError: when two keys differ in nothing but case and disagree.
    """

    __slots__ = ("_spelling", "_values")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._spelling: dict[str, str] = {}
        for key in values:
            known = self._spelling.setdefault(key.lower(), key)
            if known != key and values[known] != values[key]:
                raise ProtocolError(f"the answer has both {known!r} and {key!r}, with different values")

    def __getitem__(self, key: str) -> Any:
        return wrap(self._values[self._spelling[key.lower()]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._spelling

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
        """Give Airflow what it may write into XCom: the object with every value behind a secret name masked."""
        masked: dict[str, Any] = mask_reply(self._values)
        return masked

    @staticmethod
    def deserialize(data: Mapping[str, Any], version: int) -> Record:  # noqa: ARG004 - Airflow's signature
        """Read what :meth:`serialize` gave."""
        return Record(data)

    def plain(self) -> Mapping[str, Any]:
        """Give the object as the platform sent it. Handle with care: nothing in it is masked."""
        return self._values

    def text(self, key: str, default: str = "") -> str:
        """Read a scalar as text; absent and null give the default."""
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | int | float):
            return str(value)
        raise ProtocolError(f"{key} should be a single value, the answer has {type(value).__name__}")

    def whole(self, key: str) -> int | None:
        """Read a whole number that may come as text; absent, null and empty give None."""
        text = self.text(key).strip()
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            raise ProtocolError(f"{key} should be a whole number") from None

    def flag(self, key: str) -> bool | None:
        """Read a boolean that may come as text; absent, null and empty give None."""
        text = self.text(key).strip().lower()
        if text not in {"true", "false", ""}:
            raise ProtocolError(f"{key} should be true or false")
        return {"true": True, "false": False}.get(text)

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

        :param key: where the list stands.
        :param item_key: a key that every item has, which tells a single item from a wrapper.
        """
        return _items(self.get(key), key, item_key)


def wrap(value: Any) -> Any:
    """Make objects inside a parsed answer case-insensitive."""
    if isinstance(value, Mapping) and not isinstance(value, Record):
        return Record(value)
    if isinstance(value, list):
        return [wrap(item) for item in value]
    return value


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
        return f"an object with {', '.join(value) or 'no keys'}"
    return type(value).__name__
