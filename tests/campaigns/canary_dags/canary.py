"""A Dag that is careless with everything that the platform gives it: it returns, prints, raises and pickles it."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import logging
import pickle
import pprint
import traceback
from typing import Any

from airflow.sdk import DAG, get_current_context, task

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.notifications.webhook import TuyaOTAWebhookNotifier
from airflow_provider_tuya_ota.operators.firmware import TuyaOTAUploadFirmwareOperator
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator

PRODUCT = "k1demoproduct"
WRONG_CONNECTIONS = ("wrong_host", "wrong_extra", "wrong_name", "wrong_scheme", "wrong_secret", "closed_port")


def results() -> dict[str, Any]:
    """Ask for everything that holds a secret."""
    hook = TuyaOTAHook()
    return {
        "ticket": hook.generate_upload_url(file_suffix="bin"),
        "devices": hook.query_devices(product_key=PRODUCT, page_size=5, current_page=1),
        "settings": hook.get_settings(),
        "replies": [
            hook.call("GenerateOTAUploadURL", {"FileSuffix": "bin"}),
            hook.call("QueryDevice", {"ProductKey": PRODUCT, "PageSize": 5, "CurrentPage": 1}),
        ],
    }


def errors() -> list[BaseException]:
    """Provoke errors of this package, each with what was secret in its request."""
    caught: list[BaseException] = []
    hook = TuyaOTAHook()
    ticket = hook.generate_upload_url(file_suffix="bin")
    address = ticket.firmware_url.reveal()
    calls: list[Any] = [
        lambda: hook.create_firmware(
            dest_version="1",
            firmware_name="n",
            firmware_url=address,
            firmware_sign="0" * 64,
            sign_method="SHA256",
            product_key=PRODUCT,
            firmware_size=3000,
        ),
        lambda: hook.call("CreateOTAFirmware", {"FirmwareUrl": address, "ProductKey": PRODUCT}),
        lambda: hook.call("QueryOTAJob", {"JobId": address, "Signature": ticket.signature.reveal()}),
        lambda: hook.call("QueryOTAFirmware", {"FirmwareId": address}),
        *(
            lambda name=name: TuyaOTAHook(name).call("CreateOTAFirmware", {"FirmwareUrl": address})
            for name in WRONG_CONNECTIONS
        ),
    ]
    for call in calls:
        try:
            call()
        except TuyaOTAError as error:
            caught.append(error)
    return caught


with DAG("canary", schedule=None, params={"source": "", "failing": "device-002"}) as dag:

    @task
    def returned() -> Any:
        """Return all of it."""
        return results()

    @task
    def returned_as_plain() -> Any:
        """Return it field by field."""
        found = results()
        context = get_current_context()
        context["ti"].xcom_push(key="astuple", value=[dataclasses.astuple(found["ticket"]), found["devices"].items])
        context["task_state_store"].set("canary", json.dumps(found, default=str))
        return [dataclasses.asdict(found[name]) for name in ("ticket", "devices", "settings")]

    @task
    def pickled() -> list[str]:
        """Return and print the bytes."""
        found = results()
        kept = [repr(pickle.dumps(copy.deepcopy(found), protocol)) for protocol in range(6)[2:]]
        print(kept)  # noqa: T201 - the careless Dag prints
        return kept

    @task
    def printed() -> None:
        """Print and log it in every way."""
        found = results()
        log = logging.getLogger("careless")
        print(found)  # noqa: T201 - the careless Dag prints
        pprint.pp(found)
        for name, one in found.items():
            print(f"{name} {one} {one!r} {one!s}")  # noqa: T201 - the careless Dag prints
            log.debug("%s is %s, %r", name, one, one)
            log.info(json.dumps(one, default=str))  # noqa: G004, RUF100 - what is logged is the point
            get_current_context()["task"].log.warning("it is", one=one, found=found)

    @task
    def in_event_loop() -> Any:
        """Ask and print from a coroutine."""

        async def ask() -> Any:
            return await TuyaOTAHook().agenerate_upload_url(file_suffix="bin")

        ticket = asyncio.run(ask(), debug=True)
        print(ticket)  # noqa: T201 - the careless Dag prints
        return ticket

    @task
    def raised_in_words() -> None:
        """Raise an error of its own that holds everything."""
        raise ValueError(results())

    @task
    def raised() -> None:
        """Log every error of this package with its traceback, and raise the last from the others."""
        found = errors()
        for error in found:
            print(repr(error), "".join(traceback.format_exception(error)))  # noqa: T201 - the careless Dag prints
            logging.getLogger("careless").error("it failed", exc_info=error)
        raise RuntimeError([str(error) for error in found]) from ExceptionGroup(
            "all", [error for error in found if isinstance(error, Exception)]
        )

    @task
    def errors_pickled() -> list[Any]:
        """Return errors as they can be kept."""
        return [[repr(pickle.dumps(error)), str(error.__dict__)] for error in errors()]

    hooks = [TuyaOTAWebhookNotifier(webhook_conn_id=name) for name in ("hook_query", "hook_path", "hook_refusing")]
    upload = TuyaOTAUploadFirmwareOperator(
        task_id="upload", source="{{ params.source }}", version="1.1.0", product_key=PRODUCT, notifiers=hooks
    )
    verify = TuyaOTACreateVerifyJobOperator(
        task_id="verify",
        firmware_id="{{ ti.xcom_pull('upload') }}",
        product_key=PRODUCT,
        device_names=["device-001", "{{ params.failing }}"],
        poll_interval=1,
        deferrable=True,
        notifiers=hooks,
    )

    @task(trigger_rule="all_done")
    def read_device_texts(firmware_id: Any) -> Any:
        """Return and print what a device said."""
        hook = TuyaOTAHook()
        (job,) = hook.list_jobs_by_device(
            product_key=PRODUCT, device_name="device-002", firmware_id=firmware_id, page_size=5, current_page=1
        ).items
        tasks = hook.list_tasks_by_job(job_id=job.job_id, page_size=10, current_page=1)
        reply = hook.call("ListOTATaskByJob", {"JobId": job.job_id, "PageSize": 10, "CurrentPage": 1})
        print(tasks, reply)  # noqa: T201 - the careless Dag prints
        return [tasks, reply]

    @task(trigger_rule="all_done")
    def read_firmware(firmware_id: Any) -> Any:
        """Return and print a firmware, whose answer holds a presigned address."""
        hook = TuyaOTAHook()
        found = [
            hook.query_firmware(firmware_id=firmware_id),
            hook.call("QueryOTAFirmware", {"FirmwareId": firmware_id}),
        ]
        print(found)  # noqa: T201 - the careless Dag prints
        return found

    for callable_ in (
        returned,
        returned_as_plain,
        pickled,
        printed,
        in_event_loop,
        raised_in_words,
        raised,
        errors_pickled,
    ):
        callable_()
    upload >> verify >> [read_device_texts(upload.output), read_firmware(upload.output)]
