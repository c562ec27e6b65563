"""Turn the result of an operation, or a refusal, into the bytes of an answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator.gateway.check import VERSIONS
from airflow_provider_tuya_ota.emulator.gateway.encoding import to_json, to_xml
from airflow_provider_tuya_ota.emulator.messages import Response

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.messages import BusinessError, GatewayError
    from airflow_provider_tuya_ota.emulator.quirks import Quirks

Fields = dict[str, Any]
Rewording = Callable[[Fields], Fields]
_XML: Final = "application/xml"


def accept(wire: dict[str, str], request_id: str, fields: Fields, quirks: Quirks, reword: Rewording) -> Response:
    """Answer that the operation succeeded."""
    code = {} if quirks.success_code == "absent" else {"Code": ""}
    return _answer(wire, 200, reword({"RequestId": request_id, "Success": True} | code | fields), quirks)


def refuse(wire: dict[str, str], request_id: str, error: BusinessError, quirks: Quirks, reword: Rewording) -> Response:
    """Answer that the operation refuses the call."""
    return _answer(wire, quirks.error_status, reword(_refusal(request_id, error)), quirks)


def reject(
    wire: dict[str, str], request_id: str, error: GatewayError, quirks: Quirks, reword: Rewording = dict
) -> Response:
    """Answer that the gateway refuses the request, before any operation sees it."""
    by_quirk = f"{quirks.retry_after:g}" if quirks.retry_after and error.code.startswith("Throttling") else ""
    retry_after = error.retry_after or by_quirk
    headers = {"retry-after": retry_after} if retry_after else {}
    fields = {"RequestId": request_id, "Code": error.code, "Message": error.message}
    key_case = "pascal" if quirks.gateway_errors == "plain" else "lower_camel"
    if quirks.gateway_errors == "business":
        fields = _refusal(request_id, error)
    fields = reword(fields)
    if _format(wire, quirks) == "XML":
        return Response(error.status, to_xml("Error", fields, quirks), _XML, headers)
    return Response(error.status, to_json(fields, quirks.changed({"key_case": key_case})), headers=headers)


def _refusal(request_id: str, error: BusinessError | GatewayError) -> Fields:
    return {"RequestId": request_id, "Success": False, "Code": error.code, "ErrorMessage": error.message}


def _answer(wire: dict[str, str], status: int, fields: Fields, quirks: Quirks) -> Response:
    action = wire["Action"]
    if _format(wire, quirks) == "XML":
        # The newer version leaves out the operation's name; an XML document needs some root.
        root = f"{action}Response" if wire.get("Version", VERSIONS[0]) == VERSIONS[0] else "Response"
        return Response(status, to_xml(root, fields, quirks), _XML)
    body = to_json(fields, quirks)
    if action == "ListOTAModuleByProduct" and quirks.module_list == "invalid_json":
        # The vendor's example lacks a comma after the modules.
        body = re.sub(rb"([}\]]), (?=\"[A-Za-z]+\": [^{}]*}$)", rb"\1 ", body)
    return Response(status, body)


def _format(wire: dict[str, str], quirks: Quirks) -> str:
    return wire.get("Format", "").upper() or quirks.default_format
