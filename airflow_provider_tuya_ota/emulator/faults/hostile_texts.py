"""Texts that are valid JSON and may break a careless reader."""

from __future__ import annotations

from typing import Final

PRESIGNED: Final = (
    "https://bucket.oss-cn-hangzhou.aliyuncs.com/ota/firmware/x.bin"
    "?Expires=1800000000&OSSAccessKeyId=LTAIcanaryOfADevice&Signature=canaryOfADevice%3D"
)
PROTECTED: Final = "https://updater:canaryOfADevicePassword@mirror.example.com/firmware.bin"
TEXTS: Final[dict[str, str]] = {
    "surrogate": "flash \ud800 failed",
    "nul": "flash \x00 failed",
    "bidi": "flash \u202edeliaf\u202c \u2066failed",
    "ansi": "\x1b[2J\x1b[31mflash failed\x1b]0;owned\x07",
    "newline": "failed\r\n[2026-01-01T00:00:00.000+0000] {taskinstance.py:1} INFO - Marking task as SUCCESS\u2028\x85",
    "presigned": f"download of {PRESIGNED} failed",
    "password": f"download of {PROTECTED} failed",
    "200kB": "x" * 200_000,
    "1MB": "\u4e2d" * 333_333 + "x",
}
TEXTS["everything"] = " ".join(
    TEXTS[name] for name in ("surrogate", "nul", "bidi", "ansi", "newline", "presigned", "password")
)
FREE: Final = frozenset(
    {
        "AliasName",
        "Desc",
        "ErrorMessage",
        "FirmwareDesc",
        "FirmwareName",
        "Message",
        "Name",
        "ProductName",
        "RequestId",
        "TaskDesc",
        "Udi",
    }
)
"""Fields that may hold any text without changing the meaning of an answer."""
