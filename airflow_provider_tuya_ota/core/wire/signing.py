"""The RPC signature in stages; each stage can be compared with a documented vector.

Source: https://www.alibabacloud.com/help/en/marketplace/untitled-document-1740984134232 and, for the stages that the
page does not describe, https://help.aliyun.com/document_detail/30563.htm .
"""

from __future__ import annotations

import base64
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.wire.encoding import canonical_query, percent_encode, percent_encode_query

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.core.secret import Secret
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.wire.encoding import Wire

SIGNATURE_METHOD = "HMAC-SHA1"
SIGNATURE_VERSION = "1.0"


def common_parameters(settings: Settings, *, action: str, timestamp: datetime, nonce: str) -> dict[str, str | Secret]:
    """Give the parameters that every request has beside those of its operation, without the signature.

    ``Format``, ``Version`` and ``SignatureVersion`` are in the vendor's table and in none of its examples, so that a
    setting decides whether they are sent.
    """
    parameters: dict[str, str | Secret] = {
        "Action": action,
        "AccessKeyId": settings.credentials.access_key_id,
        "SignatureMethod": SIGNATURE_METHOD,
        "SignatureNonce": nonce,
        # The same as strftime gives, in a quarter of its time.
        "Timestamp": f"{timestamp.isoformat(timespec='seconds')[:19]}Z",
    }
    if settings.send_common_parameters:
        parameters |= {
            "Format": "JSON",
            "Version": settings.api_version,
            "SignatureVersion": SIGNATURE_VERSION,
        }
    return parameters


def string_to_sign(method: str, query: str) -> str:
    """Combine the method, the path ``/`` and the canonical query, which is thereby encoded a second time."""
    return f"{method}&%2F&{percent_encode_query(query)}"


def signature(secret: Secret, text: str) -> str:
    """Sign the text; the key is the AccessKey secret with a trailing ``&``."""
    signing = _keyed(secret).copy()
    signing.update(text.encode())
    return base64.b64encode(signing.digest()).decode("ascii")


@lru_cache(maxsize=16)
def _keyed(secret: Secret) -> hmac.HMAC:
    """Prepare the signing with a key, which takes three times as long as the signing of a text."""
    # The platform offers no other method than HMAC-SHA1.
    return hmac.new(f"{secret.reveal()}&".encode(), digestmod="sha1")


def signed_query(method: str, wire: Wire, secret: Secret) -> str:
    """Sign the parameters, and append the encoded signature to the canonical query."""
    query = canonical_query(wire)
    proof = signature(secret, string_to_sign(method, query))
    return f"{query}&Signature={percent_encode(proof)}"
