"""What Airflow reads about this provider; it imports nothing, because Airflow loads it at every start."""

from __future__ import annotations

from typing import Any

from airflow_provider_tuya_ota import __version__


def get_provider_info() -> dict[str, Any]:
    """Describe the provider: its connection type with the form that the UI shows, its modules and its links."""
    return {
        "package-name": "airflow-provider-tuya-ota",
        "name": "Tuya OTA",
        "description": "Release device firmware safely through Tuya's OTA API.",
        "versions": [__version__],
        "connection-types": [
            {
                "connection-type": "tuya_ota",
                "hook-class-name": "airflow_provider_tuya_ota.hooks.tuya_ota.TuyaOTAHook",
                "hook-name": "Tuya OTA",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "extra"],
                    "relabeling": {
                        "host": "API host",
                        "port": "API port",
                        "login": "AccessKey ID",
                        "password": "AccessKey secret",
                    },
                    "placeholders": {
                        "host": "si-0123.tuyacloud.com",
                        "port": "8686",
                        "login": "from the console's key management",
                    },
                },
                "conn-fields": _CONNECTION_FIELDS,
            }
        ],
        "integrations": [
            {
                "integration-name": "Tuya OTA",
                "external-doc-url": "https://developer.tuya.com/en/docs/tuya-iot/how-to-call-the-api?id=Keybtfkjzdvk9",
                "tags": ["service"],
            }
        ],
        "hooks": [_modules("hooks.tuya_ota")],
        "operators": [
            _modules(
                "operators.control",
                "operators.firmware",
                "operators.job",
                "operators.landed",
                "operators.module",
                "operators.task",
                "operators.upgrade",
            )
        ],
        "sensors": [_modules("sensors.device", "sensors.firmware", "sensors.job")],
        "triggers": [_modules("triggers.condition", "triggers.job", "triggers.job_set")],
        "notifications": ["airflow_provider_tuya_ota.notifications.webhook.TuyaOTAWebhookNotifier"],
        "extra-links": ["airflow_provider_tuya_ota.links.TuyaOTAJobLink"],
    }


def _modules(*names: str) -> dict[str, Any]:
    return {
        "integration-name": "Tuya OTA",
        "python-modules": [f"airflow_provider_tuya_ota.{name}" for name in names],
    }


def _field(label: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": schema}


_CONNECTION_FIELDS = {
    "verify_tls": _field(
        "Verify TLS", "Check the server's certificate. Keep it on.", type=["boolean", "null"], default=True
    ),
    "ca_bundle": _field(
        "CA bundle",
        "Path of a PEM file with the authorities to trust, on every worker and triggerer; empty for the usual ones.",
        type=["string", "null"],
    ),
    "proxy": _field("Proxy", "http://host:port. Proxies from the environment are not used.", type=["string", "null"]),
    "connect_timeout": _field(
        "Connect timeout (s)",
        "0.1 to 600; 10 when empty.",
        type=["number", "null"],
        minimum=0.1,
        maximum=600,
    ),
    "read_timeout": _field(
        "Read timeout (s)",
        "0.1 to 600 without a byte; 30 when empty.",
        type=["number", "null"],
        minimum=0.1,
        maximum=600,
    ),
    "requests_per_second": _field(
        "Requests per second",
        "0.1 to 1000 for each process; 10 when empty.",
        type=["number", "null"],
        minimum=0.1,
        maximum=1000,
    ),
    "cancels_per_second": _field(
        "Cancels per second",
        "0.1 to 1000 for each process; 5 when empty.",
        type=["number", "null"],
        minimum=0.1,
        maximum=1000,
    ),
    "api_version": _field(
        "API version",
        "Version sent with each request.",
        type=["string", "null"],
        enum=["2018-01-20", "2022-01-01"],
        default="2018-01-20",
    ),
    "send_common_parameters": _field(
        "Send common parameters",
        "Send Format, Version and SignatureVersion. Switch off if the service refuses them.",
        type=["boolean", "null"],
        default=True,
    ),
    "http_method": _field(
        "HTTP method",
        "GET, as in every example of the vendor, or POST. Where one is refused, the other is tried.",
        type=["string", "null"],
        enum=["GET", "POST"],
        default="GET",
    ),
    "allow_http": _field(
        "Allow plain http",
        "Permit http to hosts other than this machine. Firmware and requests can then be read on the way.",
        type=["boolean", "null"],
        default=False,
    ),
    "console_url": _field(
        "Console address",
        "Page of a job in the vendor's console, with {job_id}, {firmware_id}, {product_key} and {host} filled in.",
        type=["string", "null"],
    ),
}
