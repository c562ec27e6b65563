"""The gateway: checks that a request is complete, fresh and signed by the known key."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from airflow_provider_tuya_ota.emulator.gateway.quotas import Meter
from airflow_provider_tuya_ota.emulator.gateway.signing import rpc_signature, same
from airflow_provider_tuya_ota.emulator.gateway.tables import ACTIONS
from airflow_provider_tuya_ota.emulator.messages import GatewayError, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.emulator.clock import Clock
    from airflow_provider_tuya_ota.emulator.gateway.quotas import Quotas
    from airflow_provider_tuya_ota.emulator.quirks import Quirks

TOLERANCE = 15 * 60
"""Seconds that a timestamp may differ from the gateway's clock."""
NONCE_LIFE = 2 * TOLERANCE
"""Seconds that a used nonce is kept: a timestamp ahead by the tolerance stays valid for this long."""
VERSIONS = ("2018-01-20", "2022-01-01")
_ALWAYS = ("Action", "AccessKeyId", "SignatureMethod", "SignatureNonce", "Timestamp")
_SOMETIMES = ("Format", "Version", "SignatureVersion")
"""Parameters in the table of common parameters, but in no example."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """The key pair that the emulator accepts."""

    access_key_id: str
    access_key_secret: str = field(repr=False)


def parse_wire(request: Request) -> dict[str, str]:
    """Read the parameters of query and form body.

    :raises GatewayError: a parameter is given twice, or the method is neither GET nor POST.
    """
    if request.method not in {"GET", "POST"}:
        raise GatewayError("UnsupportedHTTPMethod", "Only GET and POST are served.", 405)
    pairs = parse_qsl(request.query, keep_blank_values=True)
    if request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        pairs += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    wire: dict[str, str] = {}
    for name, value in pairs:
        if name in wire:
            raise GatewayError("InvalidParameter", f"{name} is given twice.")
        wire[name] = value
    return wire


class Gateway:
    """Checks every request, in the order in which a gateway can.

    :param key: the accepted key pair.
    :param clock: timestamps are compared with its gateway time.
    """

    def __init__(self, key: AccessKey, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self._nonces: OrderedDict[str, float] = OrderedDict()
        self._meter = Meter(clock)

    def admit(self, request: Request, wire: dict[str, str], quirks: Quirks, quotas: Quotas) -> str:
        """Check a request.

        :returns: the operation's name.
        :raises GatewayError: with the documented code for the mistake.
        """
        if quirks.methods not in {"both", request.method}:
            raise GatewayError("UnsupportedHTTPMethod", f"Only {quirks.methods} is served.", 405)
        self._require_common(wire, _ALWAYS + (_SOMETIMES if quirks.common_parameters == "required" else ()))
        action = wire["Action"]
        if action not in ACTIONS:
            raise GatewayError("InvalidAction.NotFound", f"The action {action[:64]!r} is not found.", 404)
        self._check_timestamp(wire["Timestamp"])
        if not same(wire["AccessKeyId"], self._key.access_key_id):
            raise GatewayError("InvalidAccessKeyId.NotFound", "The specified AccessKey ID is not found.", 404)
        if not same(wire["Signature"], rpc_signature(request.method, wire, self._key.access_key_secret)):
            raise GatewayError(
                "SignatureDoesNotMatch", "The request signature does not conform to the signing rules.", 403
            )
        if quirks.nonce_replay == "refused":
            self._use_nonce(wire["SignatureNonce"])
        self._meter.admit(action, quotas)
        return action

    def reset(self) -> None:
        """Forget the used nonces and the counted calls."""
        self._nonces.clear()
        self._meter.reset()

    def remember(self, nonces: Iterable[tuple[str, float]]) -> None:
        """Add nonces that were used before, the oldest first, with the time of each."""
        self._nonces.update(nonces)

    def _require_common(self, wire: dict[str, str], mandatory: tuple[str, ...]) -> None:
        for name in mandatory:
            if not wire.get(name):
                raise GatewayError(f"Missing{name}", f"{name} is mandatory for this action.")
        if not wire.get("Signature"):
            raise GatewayError("IncompleteSignature", "The request has no Signature.")
        allowed = {
            "SignatureMethod": ("HMAC-SHA1",),
            "SignatureVersion": ("1.0",),
            "Format": ("JSON", "XML"),
        }
        for name, choices in allowed.items():
            given = wire.get(name, choices[0])
            # The vendor's own SDK sends ``json``.
            if (given.upper() if name == "Format" else given) not in choices:
                raise GatewayError("InvalidParameter", f"{name} is one of {', '.join(choices)}.")
        if wire.get("Version", VERSIONS[0]) not in VERSIONS:
            raise GatewayError("InvalidVersion", f"Version is one of {', '.join(VERSIONS)}.")

    def _check_timestamp(self, text: str) -> None:
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text, re.ASCII):
            raise GatewayError("IllegalTimestamp", "Timestamp has the form YYYY-MM-DDThh:mm:ssZ.")
        try:
            moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise GatewayError("IllegalTimestamp", "Timestamp is no date.") from None
        if abs(moment - self._clock.gateway()) > TOLERANCE:
            raise GatewayError("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")

    def _use_nonce(self, nonce: str) -> None:
        now = self._clock.gateway()
        while self._nonces and next(iter(self._nonces.values())) < now - NONCE_LIFE:
            self._nonces.popitem(last=False)
        if nonce in self._nonces:
            raise GatewayError("SignatureNonceUsed", "Specified signature nonce was used already.")
        self._nonces[nonce] = now
