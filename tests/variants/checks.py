"""What the docs require of a request, and what D13 calls plausible."""

from __future__ import annotations

import ipaddress
import re
from decimal import Decimal
from json import JSONDecodeError, loads
from typing import Any

INT64 = range(-(2**63), 2**63)
INT32 = range(-(2**31), 2**31)

TEXTS = ("name", "password", "auth_id", "outbound_server", "hostname")
NUMBERS = ("reregister_interval", "port", "outbound_server_port")
SWITCHES = ("require_register", "provider_in_lan", "single_via_header")
CHOICES = {
    "auth_mode": ("IP_AUTH", "REGISTER_AUTH"),
    "protocol": ("UDP", "TCP"),
    "status": ("ONLINE", "OFFLINE"),
}
LISTS = ("ips", "in_parameters", "out_parameters")

REQUIRED_BY_CREATE = (*TEXTS, *NUMBERS, *SWITCHES, *CHOICES, "ips")
REQUIRED_BY_UPDATE = (*REQUIRED_BY_CREATE, "in_parameters", "out_parameters")

DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(TEXTS, "unset"),
    **dict.fromkeys(NUMBERS, 5060),
    **dict.fromkeys(SWITCHES, False),
    **{name: values[0] for name, values in CHOICES.items()},
    **{name: [] for name in LISTS},
}

DEEPEST = 200

HOST_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


class ProblemError(Exception):
    """What is wrong with a request."""


class NotJsonError(ProblemError):
    """The body is no JSON object at all."""


def json_object(body: bytes) -> dict[str, Any]:
    """Read the JSON object that a body must be."""
    try:
        value = loads(body.decode("utf-8"), parse_constant=_refuse, parse_float=_exact)
    except (UnicodeDecodeError, JSONDecodeError, ValueError, RecursionError):
        raise NotJsonError("the body is no JSON that can be read") from None
    if not isinstance(value, dict):
        raise NotJsonError("the body is no JSON object")
    if _deeper_than(value, DEEPEST):
        raise ProblemError("the body is nested too deeply")
    return value


def whole(value: object, *, fractions: bool) -> int | None:
    """Return the integer that a JSON value is, if it is one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if fractions and isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return None


def right(name: str, value: object, *, fractions: bool) -> bool:
    """Say whether a documented property may have a value by its type and enum."""
    if name in TEXTS:
        return isinstance(value, str)
    if name in NUMBERS:
        return whole(value, fractions=fractions) is not None
    if name in SWITCHES:
        return isinstance(value, bool)
    if name in CHOICES:
        return isinstance(value, str) and value in CHOICES[name]
    return isinstance(value, list)


def check_documented(content: dict[str, Any], required: tuple[str, ...], *, fractions: bool) -> None:
    """Raise ProblemError unless everything required is there and has the right type."""
    for name in required:
        if name not in content:
            raise ProblemError(f"{name} is missing")
        if not right(name, content[name], fractions=fractions):
            raise ProblemError(f"{name} has a value that it cannot have")
    for name in LISTS:
        if name in content and not isinstance(content[name], list):
            raise ProblemError(f"{name} is no array")


def check_plausible(content: dict[str, Any]) -> None:
    """Raise ProblemError unless D13 calls all of a provider plausible."""
    for name in ("name", "password", "auth_id"):
        if not is_label(content[name]):
            raise ProblemError(f"{name} is not plausible")
    for name in ("hostname", "outbound_server"):
        if not (is_address(content[name]) or is_hostname(content[name])):
            raise ProblemError(f"{name} is no host")
    for name in ("port", "outbound_server_port"):
        if content[name] not in range(1, 65536):
            raise ProblemError(f"{name} is no port")
    if content["reregister_interval"] not in range(30, 86401):
        raise ProblemError("reregister_interval is too short or too long")
    check_addresses(content["ips"])
    if content.get("in_parameters") or content.get("out_parameters"):
        raise ProblemError("such parameters are not known")
    check_combination(content)


def check_combination(content: dict[str, Any]) -> None:
    """Raise ProblemError unless the values make sense together."""
    if content["require_register"] != (content["auth_mode"] == "REGISTER_AUTH"):
        raise ProblemError("require_register goes with REGISTER_AUTH")
    if content["auth_mode"] == "IP_AUTH" and not content["ips"]:
        raise ProblemError("IP_AUTH needs an address")


def check_addresses(ips: list[Any]) -> None:
    """Raise ProblemError unless all are IP addresses, up to 8, all different."""
    if len(ips) > 8 or not all(isinstance(ip, str) and is_address(ip) for ip in ips):
        raise ProblemError("ips are no addresses")
    if len({ipaddress.ip_address(ip) for ip in ips}) != len(ips):
        raise ProblemError("ips has an address twice")


def is_label(text: str) -> bool:
    """Say whether a text is 1 to 64 letters, digits, single inner spaces and . - _ @ + as D13 has it."""
    words = text.split(" ")
    return len(text) <= 64 and all(word and all(char.isalnum() or char in ".-_@+" for char in word) for word in words)


def is_address(text: str) -> bool:
    """Say whether a text is an IP address of either version."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_hostname(text: str) -> bool:
    """Say whether a text is a hostname by RFC 1123, which no number is."""
    labels = text.split(".")
    return len(text) <= 253 and all(map(HOST_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def number_in_query(text: str | None, *, fractions: bool, anything: bool) -> int:
    """Read an integer of a query."""
    if text is None:
        raise ProblemError("a parameter is missing")
    pattern = r"[+-]?[0-9]{1,30}(\.0{1,9})?" if fractions else r"-?(0|[1-9][0-9]{0,30})"
    if re.fullmatch(pattern, text, re.ASCII):
        return int(text.partition(".")[0])
    if anything:
        try:
            return int(text)
        except ValueError:
            pass
    raise ProblemError("a parameter is no integer")


def _refuse(_: str) -> float:
    raise ValueError("no number")


def _exact(text: str) -> float:
    """Read a fraction, unless it would be given back as something else."""
    number = float(text)
    if number in {float("inf"), float("-inf")} or Decimal(repr(number)) != Decimal(text):
        raise ValueError("too large or too exact")
    return number


def _deeper_than(value: object, levels: int) -> bool:
    if levels == 0:
        return True
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_deeper_than(child, levels - 1) for child in children)
