"""Open a firmware file on any storage, before anything is sent. It is read once, and never held in memory."""

from __future__ import annotations

import logging
import random
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from airflow.sdk import ObjectStoragePath

from airflow_provider_tuya_ota.core.actions.firmware import FILE_SUFFIXES
from airflow_provider_tuya_ota.core.errors import InvalidParameterError, SourceUnavailableError
from airflow_provider_tuya_ota.core.policy.retry import Repeat, RetryPolicy
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.core.source_failure import assess_read_failure
from airflow_provider_tuya_ota.core.upload import FirmwareFile
from airflow_provider_tuya_ota.core.wire.multipart import plain_name
from airflow_provider_tuya_ota.runtime.source_reader import SourceReader, no_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def opened_source(
    source: str,
    *,
    conn_id: str | None = None,
    file_suffix: str | None = None,
    log: Any = logging.getLogger(__name__),  # noqa: B008 - a logger is the same object each time
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[FirmwareFile]:
    """Open a file, ask for its size and read its first bytes; up to three times where its storage fails.

    The first reader continues after these bytes, so that no byte is fetched twice.

    :param source: a path of this machine, or any URL that ``ObjectStoragePath`` opens (``s3://…``, ``gs://…``,
        ``file://…``).
    :param conn_id: Airflow connection for the URL.
    :param file_suffix: kind of file, where the name does not show it.
    :param log: where failed reads are logged.
    :param pause: waits between two attempts.
    :raises InvalidParameterError: it is missing, no file, empty, too large, or of a kind that the platform does not
        take.
    :raises SourceUnavailableError: its storage failed three times.
    :raises ConfigurationError: its storage cannot be used.
    """
    path = _find(source, conn_id)
    first = _with_retries(lambda: SourceReader(path, source), log, pause)
    waiting = [first]

    def open_file() -> BinaryIO:
        reader = waiting.pop() if waiting else SourceReader(path, source, expected=first.marks)
        return cast("BinaryIO", reader)

    try:
        # A missing file is reported before a name that does not fit.
        suffix = file_suffix or suffix_of(path.name)
        yield FirmwareFile(name=plain_name(path.name), suffix=suffix, size=first.marks.size, open_file=open_file)
    finally:
        for reader in waiting:
            reader.close()


def _with_retries(read: Callable[[], SourceReader], log: Any, pause: Callable[[float], None]) -> SourceReader:
    policy = RetryPolicy(attempts=3)
    attempt = 0
    while True:
        attempt += 1
        try:
            return read()
        except SourceUnavailableError as error:
            jitter = random.random()  # noqa: S311 - it spreads retries and protects nothing
            delay = policy.delay(error, Repeat.HARMLESS, attempt=attempt, jitter=jitter)
            if delay is None:
                raise
            log.warning("%s Reading again in %.1f s.", error.sentence, delay)
        pause(delay)


def suffix_of(name: str) -> str:
    """Read the kind of file off its name, the longest known suffix first.

    :raises InvalidParameterError: the platform does not take files of this kind.
    """
    known = sorted(FILE_SUFFIXES, key=len, reverse=True)
    found = next((suffix for suffix in known if name.lower().endswith(f".{suffix}")), None)
    if found is None:
        raise InvalidParameterError(
            field="source",
            problem=f"{short_repr(name)} has no suffix that the platform takes",
            allowed=f"{', '.join(FILE_SUFFIXES)}; or say file_suffix='bin' if the content is a plain image",
        )
    return found


def _find(source: str, conn_id: str | None) -> Path | ObjectStoragePath:
    if "://" not in source:
        return Path(source)
    try:
        path = ObjectStoragePath(source, conn_id=conn_id)
        return Path(path.path) if path.protocol in {"file", "local"} else path
    except (ValueError, ImportError) as error:
        raise no_storage(source, error) from None
    except Exception as error:  # noqa: BLE001 - each storage raises what it likes
        raise assess_read_failure(source, error) from None
