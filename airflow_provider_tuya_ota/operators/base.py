"""What operators share: templated arguments, the report of every end, the client, deletion, the answer to a kill."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import TaskDeferralError, TaskDeferralTimeout

from airflow_provider_tuya_ota.core.errors import NotFoundError
from airflow_provider_tuya_ota.core.missing import RENDERED_NONE
from airflow_provider_tuya_ota.links import TuyaOTAJobLink

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from airflow.sdk import BaseNotifier, Context

    from airflow_provider_tuya_ota.client import TuyaOTAClient
    from airflow_provider_tuya_ota.core.actions import Action
    from airflow_provider_tuya_ota.runtime.kill import RunningJobs
    from airflow_provider_tuya_ota.runtime.task_report import TaskReport

ONE_DAY = 24 * 60 * 60.0
"""Seconds that a job is waited for by default: the platform itself may wait for ever."""


class TuyaOTATask:
    """What operators and sensors share; it comes before Airflow's base class.

    A template renders to the text ``None`` if its value is missing, and the operators refuse that text. Python's None
    means "left out". So the text replaces a None from a template, from the result of an upstream task or from an
    element over which a task is mapped.
    """

    def reported(self, context: Context, *, summary: str = "") -> AbstractContextManager[TaskReport]:
        """Push the XCom ``ota_release`` at any end of the block, and call the notifiers unless Airflow tries again.

        :param summary: what happened to the job or firmware if the block succeeds, as the end of a sentence.
        """
        from airflow_provider_tuya_ota.runtime.task_report import reported  # noqa: PLC0415 - a parsed Dag needs no worker code

        return reported(context, self, summary=summary)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Render as Airflow does, for plain and for mapped tasks, and mark each argument that rendered to None.

        One argument at a time, so that the report of an argument that cannot be rendered names it.
        """
        from airflow_provider_tuya_ota.runtime.task_report import rendering  # noqa: PLC0415 - a parsed Dag needs no worker code

        fields = list(template_fields)
        is_own = parent is self
        given = {name for name in fields if is_own and getattr(self, name) is not None} | self._mapped_fields(context)
        render: Any = super()
        for name in fields:
            with rendering(context, self, name) if is_own else nullcontext():
                render._do_render_template_fields(parent, [name], context, jinja_env, seen_oids)  # noqa: SLF001 - Airflow means it to be overridden, see MappedOperator.render_template_fields
        for name in given if is_own else ():
            if name in fields and getattr(self, name) is None:
                setattr(self, name, RENDERED_NONE)

    def _mapped_fields(self, context: Any) -> set[str]:
        """Name the arguments that ``expand`` has given, where this is one element of a mapped task."""
        if not getattr(self, "_BaseOperator__from_mapped", False):
            return set()
        own: Any = self
        # Only here does Airflow keep what ``expand``, ``partial`` and the defaults of Dag and group have given.
        given: dict[str, Any] = own._BaseOperator__init_kwargs  # noqa: SLF001 - Airflow offers it nowhere else
        mapped: Any = own.dag.get_task(own.task_id)
        defaults = {**own.dag.default_args, **getattr(own.task_group, "default_args", {})}
        names = set(given) - set(mapped.partial_kwargs)
        # Either a default or ``expand`` has set these to None; only the element itself shows which.
        if unsure := {name for name in names if name in defaults and defaults[name] is None}:
            element, _ = mapped._get_specified_expand_input().resolve(context)  # noqa: SLF001 - Airflow offers it nowhere else
            names -= unsure - set(element)
        return names


class TuyaOTAOperator(TuyaOTATask, BaseOperator):
    """The base of this package's operators.

    :param tuya_ota_conn_id: id of the connection.
    """

    def __init__(self, *, tuya_ota_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tuya_ota_conn_id = tuya_ota_conn_id

    def open_client(self) -> TuyaOTAClient:
        """Open a client that reads the operator's connection and writes to the task's log; use it in a ``with``."""
        from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook  # noqa: PLC0415 - a parsed Dag needs no hook

        return TuyaOTAHook(self.tuya_ota_conn_id).get_conn(self.log)

    def delete(self, action: Action[None], entity: str, *, missing_ok: bool | str) -> None:
        """Delete something.

        :param entity: what is deleted, for the log.
        :param missing_ok: whether an entity that does not exist counts as deleted; after a lost answer it always does.
        :raises NotFoundError: it does not exist, and ``missing_ok`` is False.
        """
        from airflow_provider_tuya_ota.runtime.arguments import parse_bool  # noqa: PLC0415 - a parsed Dag needs no worker code

        may_be_missing = parse_bool("missing_ok", missing_ok, default=True)
        with self.open_client() as client:
            try:
                client.do(action)
            except NotFoundError as error:
                if not (may_be_missing or error.in_doubt):
                    raise
                self.log.warning("%s It counts as deleted.", error.sentence)
            else:
                self.log.info("Deleted %s", entity)


class TuyaOTAJobOperator(TuyaOTAOperator):
    """The base of the operators that create a job and wait for it.

    :ivar running: what a kill may stop now; None if there is nothing to stop.
    :ivar drained_by: deadline of the wait for a job from before a clear; None before such a wait.
    :ivar is_ended_from_outside: whether a person ended this task while its process ran; then it reports no outcome.
    """

    firmware_id: str
    product_key: str
    wait_for_completion: bool
    deferrable: bool
    poll_interval: float
    poll_error_tolerance: float
    timeout: float
    on_cancel: str
    on_failed_job: str
    notifiers: BaseNotifier | Sequence[BaseNotifier]
    operator_extra_links = (TuyaOTAJobLink(),)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.running: RunningJobs | None = None
        self.drained_by: datetime | None = None
        self.is_ended_from_outside = False

    def expected_devices(self) -> tuple[str, ...]:
        """Name the devices that a success must cover; empty if the platform chooses them."""
        raise NotImplementedError

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Continue after the deferral; if Airflow itself ended it, poll the job in this worker."""
        from airflow_provider_tuya_ota.runtime.resume import resume_without_event  # noqa: PLC0415 - a parsed Dag needs no worker code

        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except (TaskDeferralError, TaskDeferralTimeout) as error:
            return resume_without_event(self, context, error)

    def on_kill(self) -> None:
        """Cancel the device tasks that have not begun, if a person killed the task while it waited in a worker."""
        from airflow_provider_tuya_ota.runtime.kill import answer_kill  # noqa: PLC0415 - a parsed Dag needs no worker code

        if self.running is not None:
            self.is_ended_from_outside = answer_kill(self.running, self.log)
