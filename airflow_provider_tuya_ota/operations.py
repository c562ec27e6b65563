"""Every operation as a method; clients and hook share these definitions.

What each does, its limits and its result are described in :mod:`airflow_provider_tuya_ota.core.actions`; a method takes
the same parameters by keyword. The hook is imported where Dags are parsed, so nothing of the protocol is loaded before
a method is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, Self, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from airflow_provider_tuya_ota.core import actions
    from airflow_provider_tuya_ota.core.actions import Action
else:

    class _Late:
        """The module of actions, imported at the first use."""

        def __getattr__(self, name: str) -> Any:
            return getattr(importlib.import_module("airflow_provider_tuya_ota.core.actions"), name)

    actions = _Late()

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Blocking(Protocol):
    """Carries an action out before it returns."""

    def do(self, action: Action[Result]) -> Result:
        """Carry it out."""


class InLoop(Protocol):
    """Carries an action out in an event loop."""

    async def do(self, action: Action[Result]) -> Result:
        """Carry it out."""


class InLoopToo(Protocol):
    """Carries an action out in an event loop, and has ``do`` as well."""

    async def ado(self, action: Action[Result]) -> Result:
        """Carry it out in an event loop."""


class Method(Generic[Parameters, Result]):
    """One operation as a method, blocking or not as the object is that has it.

    :param load: gives the action, which builds the request, checked, from keyword arguments.
    """

    def __init__(self, load: Callable[[], Callable[Parameters, Action[Result]]]) -> None:
        self._load = load

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Blocking, owner: type) -> Callable[Parameters, Result]: ...
    @overload
    def __get__(self, instance: InLoop, owner: type) -> Callable[Parameters, Coroutine[Any, Any, Result]]: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        """Bind it."""
        return self if instance is None else _bound(self._load(), instance.do)


class AsyncMethod(Generic[Parameters, Result]):
    """One operation as a coroutine of an object that has it both ways.

    :param load: as for :class:`Method`.
    """

    def __init__(self, load: Callable[[], Callable[Parameters, Action[Result]]]) -> None:
        self._load = load

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: InLoopToo, owner: type) -> Callable[Parameters, Coroutine[Any, Any, Result]]: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        """Bind it."""
        return self if instance is None else _bound(self._load(), instance.ado)


def _bound(action: Callable[..., Action[Any]], do: Callable[[Action[Any]], Any]) -> Any:
    def carry_out(**parameters: Any) -> Any:
        return do(action(**parameters))

    carry_out.__doc__ = action.__doc__
    return carry_out


class Operations:
    """The platform's operations."""

    generate_upload_url = Method(lambda: actions.GenerateOTAUploadURL)
    create_firmware = Method(lambda: actions.CreateOTAFirmware)
    modify_firmware = Method(lambda: actions.ModifyOTAFirmware)
    delete_firmware = Method(lambda: actions.DeleteOTAFirmware)
    list_firmware = Method(lambda: actions.ListOTAFirmware)
    query_firmware = Method(lambda: actions.QueryOTAFirmware)
    create_module = Method(lambda: actions.CreateOTAModule)
    update_module = Method(lambda: actions.UpdateOTAModule)
    delete_module = Method(lambda: actions.DeleteOTAModule)
    list_modules_by_product = Method(lambda: actions.ListOTAModuleByProduct)
    create_verify_job = Method(lambda: actions.CreateOTAVerifyJob)
    create_static_upgrade_job = Method(lambda: actions.CreateOTAStaticUpgradeJob)
    query_job = Method(lambda: actions.QueryOTAJob)
    cancel_tasks_by_job = Method(lambda: actions.CancelOTATaskByJob)
    cancel_tasks_by_device = Method(lambda: actions.CancelOTATaskByDevice)
    confirm_tasks = Method(lambda: actions.ConfirmOTATask)
    list_jobs_by_firmware = Method(lambda: actions.ListOTAJobByFirmware)
    list_jobs_by_device = Method(lambda: actions.ListOTAJobByDevice)
    list_tasks_by_job = Method(lambda: actions.ListOTATaskByJob)
    list_unfinished_tasks_by_device = Method(lambda: actions.ListOTAUnfinishedTaskByDevice)
    list_module_versions_by_device = Method(lambda: actions.ListOTAModuleVersionsByDevice)
    query_devices = Method(lambda: actions.QueryDevice)
    batch_get_device_state = Method(lambda: actions.BatchGetDeviceState)
    query_product = Method(lambda: actions.QueryProduct)
    query_product_list = Method(lambda: actions.QueryProductList)


class AsyncOperations:
    """The same for an event loop, of an object that has both."""

    agenerate_upload_url = AsyncMethod(lambda: actions.GenerateOTAUploadURL)
    acreate_firmware = AsyncMethod(lambda: actions.CreateOTAFirmware)
    amodify_firmware = AsyncMethod(lambda: actions.ModifyOTAFirmware)
    adelete_firmware = AsyncMethod(lambda: actions.DeleteOTAFirmware)
    alist_firmware = AsyncMethod(lambda: actions.ListOTAFirmware)
    aquery_firmware = AsyncMethod(lambda: actions.QueryOTAFirmware)
    acreate_module = AsyncMethod(lambda: actions.CreateOTAModule)
    aupdate_module = AsyncMethod(lambda: actions.UpdateOTAModule)
    adelete_module = AsyncMethod(lambda: actions.DeleteOTAModule)
    alist_modules_by_product = AsyncMethod(lambda: actions.ListOTAModuleByProduct)
    acreate_verify_job = AsyncMethod(lambda: actions.CreateOTAVerifyJob)
    acreate_static_upgrade_job = AsyncMethod(lambda: actions.CreateOTAStaticUpgradeJob)
    aquery_job = AsyncMethod(lambda: actions.QueryOTAJob)
    acancel_tasks_by_job = AsyncMethod(lambda: actions.CancelOTATaskByJob)
    acancel_tasks_by_device = AsyncMethod(lambda: actions.CancelOTATaskByDevice)
    aconfirm_tasks = AsyncMethod(lambda: actions.ConfirmOTATask)
    alist_jobs_by_firmware = AsyncMethod(lambda: actions.ListOTAJobByFirmware)
    alist_jobs_by_device = AsyncMethod(lambda: actions.ListOTAJobByDevice)
    alist_tasks_by_job = AsyncMethod(lambda: actions.ListOTATaskByJob)
    alist_unfinished_tasks_by_device = AsyncMethod(lambda: actions.ListOTAUnfinishedTaskByDevice)
    alist_module_versions_by_device = AsyncMethod(lambda: actions.ListOTAModuleVersionsByDevice)
    aquery_devices = AsyncMethod(lambda: actions.QueryDevice)
    abatch_get_device_state = AsyncMethod(lambda: actions.BatchGetDeviceState)
    aquery_product = AsyncMethod(lambda: actions.QueryProduct)
    aquery_product_list = AsyncMethod(lambda: actions.QueryProductList)
