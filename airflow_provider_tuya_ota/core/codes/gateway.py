"""Codes of the gateway, which checks every request before its operation does.

Source: common codes of the RPC gateway of Alibaba Cloud, the upstream API; the vendor's own page is not public.
"""

from __future__ import annotations

from typing import Final

from airflow_provider_tuya_ota.core.codes.meaning import CHECK_KEY, LATER, SLOWER, Meaning
from airflow_provider_tuya_ota.core.errors import (
    AuthenticationError,
    InvalidRequestError,
    PermissionDeniedError,
    ThrottledError,
    UnavailableError,
)

_CLOCK = "Set this machine's clock by NTP."
_SEND_COMMON = "Set send_common_parameters of the connection to true."
_NOT_OURS = "This package sends it with every request; a proxy may have changed the request."

GATEWAY: Final[dict[str, Meaning]] = {
    "SignatureDoesNotMatch": Meaning(AuthenticationError, f"The AccessKey secret is wrong. {CHECK_KEY}"),
    "IncompleteSignature": Meaning(AuthenticationError, f"{_NOT_OURS} {CHECK_KEY}"),
    "InvalidAccessKeyId": Meaning(AuthenticationError, f"This AccessKey ID is not known. {CHECK_KEY}"),
    # No two requests have the same nonce: a used one shows that this request has arrived before.
    "SignatureNonceUsed": Meaning(
        UnavailableError,
        "A proxy has sent this request twice, and the platform may have carried out the first copy. Set the proxy so"
        " that it repeats no request.",
    ),
    "InvalidTimeStamp": Meaning(AuthenticationError, _CLOCK),
    "IllegalTimestamp": Meaning(AuthenticationError, _CLOCK),
    "Forbidden": Meaning(PermissionDeniedError, "Ask the owner of the account to permit this operation."),
    "Missing": Meaning(InvalidRequestError, "Give the parameter that the message names."),
    "MissingFormat": Meaning(InvalidRequestError, _SEND_COMMON),
    "MissingSignatureVersion": Meaning(InvalidRequestError, _SEND_COMMON),
    "MissingVersion": Meaning(InvalidRequestError, _SEND_COMMON),
    "MissingParameter": Meaning(InvalidRequestError, "Give the parameter that the message names."),
    "InvalidParameter": Meaning(InvalidRequestError, "Correct the parameter that the message names."),
    "InvalidVersion": Meaning(InvalidRequestError, "Choose the other api_version in the connection."),
    "InvalidAction": Meaning(InvalidRequestError, "Check the operation's name and api_version of the connection."),
    "UnsupportedOperation": Meaning(InvalidRequestError, "This service instance does not offer the operation."),
    "UnsupportedHTTPMethod": Meaning(InvalidRequestError, "Choose the other http_method in the connection."),
    "Throttling": Meaning(ThrottledError, SLOWER),
    "ServiceUnavailable": Meaning(UnavailableError, LATER),
    "InternalError": Meaning(UnavailableError, LATER),
}
