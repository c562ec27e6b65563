from __future__ import annotations

import time
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.settings import EXTRA_FIELDS, Credentials, Settings


def settings(**fields: Any) -> Settings:
    given: dict[str, Any] = {"host": "ota.example.com", "login": "key-id", "password": "key-secret", "extra": {}}
    return Settings.from_connection_fields(**given | fields)


def problem(**fields: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings(**fields)
    return str(caught.value)


def test_host_login_and_password_are_enough() -> None:
    made = settings()

    assert made.base_url == "https://ota.example.com:8686"
    assert made.credentials == Credentials(access_key_id="key-id", access_key_secret="key-secret")
    assert (made.verify_tls, made.allow_http, made.send_common_parameters) == (True, False, True)
    assert (made.connect_timeout, made.read_timeout) == (10.0, 30.0)
    assert (made.requests_per_second, made.cancels_per_second) == (10.0, 5.0)


@pytest.mark.parametrize(
    ("fields", "base_url"),
    [
        ({"host": " ota.example.com "}, "https://ota.example.com:8686"),
        ({"host": "OTA.Example.com"}, "https://ota.example.com:8686"),
        ({"host": "ota.example.com."}, "https://ota.example.com.:8686"),
        ({"host": "https://ota.example.com/"}, "https://ota.example.com:8686"),
        ({"host": "ota.example.com:1234"}, "https://ota.example.com:1234"),
        ({"host": "ota.example.com:1234", "port": 1234}, "https://ota.example.com:1234"),
        ({"port": 1}, "https://ota.example.com:1"),
        ({"port": 65535}, "https://ota.example.com:65535"),
        ({"port": 0}, "https://ota.example.com:8686"),
        ({"schema": "https"}, "https://ota.example.com:8686"),
        ({"host": "http://127.0.0.1:80"}, "http://127.0.0.1:80"),
        ({"host": "http://localhost"}, "http://localhost:8686"),
        ({"host": "http://[::1]"}, "http://[::1]:8686"),
        ({"host": "localhost", "schema": "http"}, "http://localhost:8686"),
        ({"host": "https://localhost", "schema": "http"}, "https://localhost:8686"),
        ({"host": "http://ota", "extra": {"allow_http": True}}, "http://ota:8686"),
        ({"host": "si_1-a.b--c"}, "https://si_1-a.b--c:8686"),
    ],
)
def test_the_address_is_read_from_host_port_and_schema(fields: dict[str, Any], base_url: str) -> None:
    assert settings(**fields).base_url == base_url


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"host": None}, "API host is empty"),
        ({"host": "  "}, "API host is empty"),
        ({"host": "https://"}, "is not a host name"),
        ({"host": "a b"}, "is not a host name"),
        ({"host": "-a"}, "is not a host name"),
        ({"host": "a..b"}, "is not a host name"),
        ({"host": "ota.example.com/path"}, "no path"),
        ({"host": "ota.example.com?x=1"}, "no query"),
        ({"host": "ota.example.com#x"}, "no path, no query"),
        ({"host": "ota.example.com:99999"}, "cannot be read as an address"),
        ({"host": "ota.example.com:abc"}, "cannot be read as an address"),
        ({"host": "[::1"}, "cannot be read as an address"),
        ({"host": "ota.example.com:1", "port": 2}, "API host names port 1 but API port says 2"),
        ({"port": 65536}, "Allowed: 1 to 65535"),
        ({"port": -1}, "Allowed: 1 to 65535"),
        ({"host": "ftp://ota"}, "the scheme must be https"),
        ({"host": "ota", "schema": "ftp"}, "the scheme must be https"),
        ({"host": "http://ota.example.com"}, "allow_http"),
        ({"host": "http://10.0.0.1"}, "allow_http"),
        ({"host": "http://ota", "extra": {"allow_http": False}}, "allow_http"),
        ({"login": None}, "AccessKey ID (login) is empty"),
        ({"login": " "}, "AccessKey ID (login) is empty"),
        ({"password": None}, "AccessKey secret (password) is empty"),
        ({"password": " "}, "AccessKey secret (password) is empty"),
    ],
)
def test_a_bad_field_is_refused_with_what_to_do(fields: dict[str, Any], words: str) -> None:
    assert words in problem(**fields)


@pytest.mark.parametrize("host", ["https://me:canary@ota", "me:canary@ota:99999", "https://canary@[x", "canary@"])
def test_a_password_in_the_host_is_refused_and_not_repeated(host: str) -> None:
    text = problem(host=host)

    assert "no user or password" in text
    assert "canary" not in text


def test_a_hostile_host_is_refused_at_once() -> None:
    began = time.process_time()
    problem(host="a" * 5000 + "!")

    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("verify_tls", False, False),
        ("verify_tls", "False", False),
        ("allow_http", "true", True),
        ("send_common_parameters", False, False),
        ("ca_bundle", "/etc/ca.pem", "/etc/ca.pem"),
        ("proxy", "http://proxy:3128", Secret("http://proxy:3128")),
        ("proxy", "https://u:p@proxy", Secret("https://u:p@proxy")),
        ("connect_timeout", 0.1, 0.1),
        ("connect_timeout", 600, 600.0),
        ("read_timeout", "30", 30.0),
        ("requests_per_second", 0.1, 0.1),
        ("requests_per_second", 1000, 1000.0),
        ("cancels_per_second", 5, 5.0),
        ("api_version", "2022-01-01", "2022-01-01"),
        ("http_method", "POST", "POST"),
        ("console_url", "https://{host}/job/{job_id}", "https://{host}/job/{job_id}"),
        ("console_url", "https://c/{product_key}/{firmware_id}", "https://c/{product_key}/{firmware_id}"),
    ],
)
def test_an_extra_is_read(name: str, value: Any, read: Any) -> None:
    assert getattr(settings(extra={name: value}), name) == read


@pytest.mark.parametrize("name", EXTRA_FIELDS)
@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_extra_means_the_default(name: str, empty: str | None) -> None:
    assert settings(extra={name: empty}) == settings()


SWITCH = "Allowed: true, false"
SECONDS = "Allowed: 0.1 to 600"
RATE = "Allowed: 0.1 to 1000"
PROXY = "Allowed: http://host:port"
PAGE = "Allowed: an http(s) address"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("verify_tls", "yes", SWITCH),
        ("verify_tls", 1, SWITCH),
        ("allow_http", 0, SWITCH),
        ("send_common_parameters", [], SWITCH),
        ("connect_timeout", 0, SECONDS),
        ("connect_timeout", 600.1, SECONDS),
        ("connect_timeout", "soon", SECONDS),
        ("read_timeout", True, SECONDS),
        ("read_timeout", float("nan"), SECONDS),
        ("read_timeout", float("inf"), SECONDS),
        ("read_timeout", 10**400, SECONDS),
        ("read_timeout", [30], SECONDS),
        ("requests_per_second", 0, RATE),
        ("requests_per_second", 1001, RATE),
        ("cancels_per_second", -1, RATE),
        ("api_version", "2019-01-01", "Allowed: 2018-01-20, 2022-01-01"),
        ("api_version", 2018, "Allowed: 2018-01-20, 2022-01-01"),
        ("http_method", "post", "Allowed: GET, POST"),
        ("ca_bundle", True, "a text is needed, not bool"),
        ("proxy", "socks5://proxy", PROXY),
        ("proxy", "proxy:3128", PROXY),
        ("proxy", "http://", PROXY),
        ("proxy", "http://[x", PROXY),
        ("proxy", "http://proxy:99999", PROXY),
        ("proxy", 3128, "a text is needed, not int"),
        ("console_url", "javascript:alert(1)", PAGE),
        ("console_url", "https://c/{user}", PAGE),
        ("console_url", "https://c/{0}", PAGE),
        ("console_url", "https://c/{", PAGE),
        ("console_url", "https://c/{host.nothing}", PAGE),
        ("console_url", "https://[c/", PAGE),
        ("console_url", 7, "a text is needed, not int"),
    ],
)
def test_a_bad_extra_is_refused_with_its_name_and_what_is_allowed(name: str, value: Any, allowed: str) -> None:
    text = problem(extra={name: value})

    assert name in text
    assert allowed in text


def test_a_proxy_that_is_refused_is_not_repeated() -> None:
    assert "canary" not in problem(extra={"proxy": "ftp://me:canary@proxy"})


CANARY = "cAnary4711sEcret0815aBcDeFgHiJ"


@pytest.mark.parametrize("name", sorted(set(EXTRA_FIELDS) - {"ca_bundle"}))
@pytest.mark.parametrize("value", [CANARY, f"https://{CANARY}@[x/{{", [CANARY], {CANARY: 1}])
def test_a_secret_in_the_wrong_extra_is_not_repeated(name: str, value: Any) -> None:
    text = problem(extra={name: value})

    assert name in text
    assert CANARY not in text


@pytest.mark.parametrize(
    "fields",
    [
        {"host": f"http://{CANARY}"},
        {"host": f"{CANARY}://host"},
        {"host": f"https://{CANARY}/x"},
        {"host": f"https://host/{CANARY}"},
        {"host": f"https://host?token={CANARY}"},
        {"host": f"https://host#{CANARY}"},
        {"host": f"host:{CANARY}"},
        {"host": f"https://[{CANARY}"},
        {"host": f"https://[{CANARY}]"},
        {"host": f"a {CANARY}"},
        {"host": f"{CANARY}!"},
        {"host": f"{CANARY}@host"},
        {"schema": CANARY},
        {"extra": {CANARY: True}},
        {"extra": {CANARY: True, "endpoint": CANARY}},
        {"extra": {"read_timeout": 4711 * 10**400}},
        {"login": CANARY, "password": ""},
        {"login": "", "password": CANARY},
    ],
)
def test_a_secret_in_the_wrong_field_is_not_repeated(fields: dict[str, Any]) -> None:
    text = problem(**fields)

    assert CANARY.lower() not in text.lower()
    assert "4711" not in text
    assert text.endswith(".")


def test_unknown_extras_are_refused_with_the_known_ones() -> None:
    text = problem(extra={"endpoint": "canary", "verify": False})

    assert "'endpoint', 'verify'" in text
    assert all(name in text for name in EXTRA_FIELDS)
    assert "canary" not in text


@pytest.mark.parametrize(
    "secret",
    ["canarySecretWord", "CANARY", "canaryhorsebattery", "canary-token", "canary_" * 5, "canary7", "canary\n"],
)
def test_the_name_of_an_unknown_extra_is_shown_only_where_it_looks_like_a_known_one(secret: str) -> None:
    text = problem(extra={secret: "x"})

    assert "canary" not in text.lower()
    assert "(1 not shown, because the name could be a secret)" in text[:100]
    assert problem(extra={secret: "x", "verify_tsl": True}).startswith(
        "Unknown connection extra 'verify_tsl', (1 not shown"
    )


def test_the_name_of_every_known_extra_would_be_shown_with_a_slip() -> None:
    slips = [f"{name}s" for name in EXTRA_FIELDS]

    assert all(repr(slip) in problem(extra=dict.fromkeys(slips)) for slip in slips)


def test_blanks_around_the_key_pair_do_not_count() -> None:
    made = settings(login=" key-id\n", password="\tkey-secret ").credentials

    assert (made.access_key_id.reveal(), made.access_key_secret.reveal()) == ("key-id", "key-secret")


@pytest.mark.parametrize(
    ("key_id", "masked"),
    [("LTAI5tabcdefgh", "LTAI***"), ("LTAI5tabcdef", "LTAI***"), ("LTAI5tabcde", "L***"), ("x", "x***")],
)
def test_the_key_id_is_shown_only_masked(key_id: str, masked: str) -> None:
    assert Credentials(access_key_id=key_id, access_key_secret="s").masked_id == masked


def test_settings_show_neither_key_nor_secret_nor_proxy_password() -> None:
    made = settings(login="canary-id", password="canary-secret", extra={"proxy": "http://me:canary@proxy"})

    assert "canary" not in f"{made!r} {made} {made.credentials!r}"


@pytest.mark.parametrize(("key_id", "secret"), [("canary\ud800", "s"), ("k", "canary\ud800"), ("k", "canary\x00")])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(key_id: str, secret: str) -> None:
    said = "The AccessKey pair contains characters that cannot be sent"
    with pytest.raises(ConfigurationError, match=said) as caught:
        Credentials(key_id, secret)
    assert "canary" not in str(caught.value)
