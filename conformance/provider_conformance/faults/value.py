"""Faults with unusual values: VALUE-1 and HTTP-7."""

from __future__ import annotations

import html
import unicodedata
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Properties

_NUMBERS = ("port", "outbound_server_port", "reregister_interval")
_TEXTS = ("name", "hostname", "auth_id", "outbound_server")


class _StoresOtherwise(Reference):
    """Stores unusual values as something else, on create and update alike."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        return properties | self.altered(properties)

    def validate_update(self, content: Any) -> Properties:
        properties = super().validate_update(content)
        return properties | self.altered(properties)

    def altered(self, properties: Properties) -> Properties:
        """Return the properties that are stored otherwise."""
        raise NotImplementedError


# VALUE-1: an unusual number, combination or array is stored exactly or refused


class _Numbers(_StoresOtherwise):
    """Stores unusual numbers as others."""

    def altered(self, properties: Properties) -> Properties:
        return {name: self.number(name, properties[name]) for name in _NUMBERS}

    def number(self, name: str, value: int) -> int:
        """Return the number that is stored."""
        raise NotImplementedError


@fault("value-clamps-ports", "VALUE-1", kind="conditional")
class ClampsPorts(_Numbers):
    """Stores ports above 65535 as 65535."""

    def number(self, name: str, value: int) -> int:
        return min(value, 65535) if "port" in name else value


@fault("value-wraps-at-32-bits", "VALUE-1", kind="conditional")
class WrapsAtThirtyTwoBits(_Numbers):
    """Stores numbers in a signed 32-bit integer."""

    def number(self, name: str, value: int) -> int:  # noqa: ARG002
        return (value + 2**31) % 2**32 - 2**31


@fault("value-rounds-beyond-2-53", "VALUE-1", kind="conditional")
class RoundsLargeNumbers(_Numbers):
    """Stores numbers as floating point, which rounds them beyond 2**53."""

    def number(self, name: str, value: int) -> int:  # noqa: ARG002
        return min(int(float(value)), 2**63 - 1)


class _ReadsOtherwise(Reference):
    """Reads something else than was sent before it looks at what is documented."""

    def validate_create(self, content: Any) -> Properties:
        return super().validate_create(self.read(content) if isinstance(content, dict) else content)

    def validate_update(self, content: Any) -> Properties:
        return super().validate_update(self.read(content) if isinstance(content, dict) else content)

    def read(self, content: dict[str, Any]) -> dict[str, Any]:
        """Return what is read of an object."""
        raise NotImplementedError


@fault("value-ignores-points", "VALUE-1", kind="conditional")
class IgnoresPoints(_ReadsOtherwise):
    """Stores the digits of a number that is spelt with a fraction of zero as if there were no point."""

    def read(self, content: dict[str, Any]) -> dict[str, Any]:
        spelt = {name: value for name in _NUMBERS if isinstance(value := content.get(name), float)}
        return content | {name: int(value * 10) for name, value in spelt.items() if value.is_integer()}


class _Items(_ReadsOtherwise):
    """Stores text in ips otherwise."""

    def read(self, content: dict[str, Any]) -> dict[str, Any]:
        items = content.get("ips")
        if not isinstance(items, list):
            return content
        return content | {"ips": [self.text(item) if isinstance(item, str) else item for item in items]}

    def text(self, value: str) -> str:
        """Return the text that is stored."""
        raise NotImplementedError


@fault("value-drops-nul-in-items", "VALUE-1", kind="conditional")
class DropsNulInItems(_Items):
    """Drops NUL from text in ips."""

    def text(self, value: str) -> str:
        return value.replace("\0", "")


@fault("value-composes-letters-in-items", "VALUE-1", kind="conditional")
class ComposesLettersInItems(_Items):
    """Composes letters in text in ips."""

    def text(self, value: str) -> str:
        return unicodedata.normalize("NFC", value)


@fault("value-drops-signs", "VALUE-1", kind="conditional")
class DropsSigns(_Numbers):
    """Stores negative numbers without their sign."""

    def number(self, name: str, value: int) -> int:  # noqa: ARG002
        return min(abs(value), 2**63 - 1)


@fault("value-zero-means-default", "VALUE-1", kind="conditional")
class ZeroMeansDefault(_Numbers):
    """Stores 3600 for an interval of 0."""

    def number(self, name: str, value: int) -> int:
        return value or 3600 if name == "reregister_interval" else value


@fault("value-corrects-combination", "VALUE-1", kind="conditional")
class CorrectsCombination(_StoresOtherwise):
    """Stores require_register as auth_mode has it, whatever is sent."""

    def altered(self, properties: Properties) -> Properties:
        return {"require_register": properties["auth_mode"] == "REGISTER_AUTH"}


@fault("value-drops-duplicate-ips", "VALUE-1", kind="conditional")
class DropsDuplicateIps(_StoresOtherwise):
    """Stores each of the ips once."""

    def altered(self, properties: Properties) -> Properties:
        kept: list[Any] = []
        for ip in properties["ips"]:
            if not any(type(ip) is type(other) and ip == other for other in kept):
                kept.append(ip)
        return {"ips": kept}


@fault("value-items-become-text", "VALUE-1", kind="conditional")
class ItemsBecomeText(_StoresOtherwise):
    """Stores items of ips that are no strings as strings."""

    def altered(self, properties: Properties) -> Properties:
        return {"ips": [ip if isinstance(ip, str) else str(ip) for ip in properties["ips"]]}


@fault("value-drops-ninth-ip", "VALUE-1", kind="conditional")
class DropsNinthIp(_StoresOtherwise):
    """Stores the first eight ips only."""

    def altered(self, properties: Properties) -> Properties:
        return {"ips": properties["ips"][:8]}


# HTTP-7: text is returned exactly, or refused


class _Text(_StoresOtherwise):
    """Stores unusual text as other text."""

    def altered(self, properties: Properties) -> Properties:
        return {name: self.text(properties[name]) for name in _TEXTS}

    def text(self, value: str) -> str:
        """Return the text that is stored."""
        raise NotImplementedError


@fault("text-escapes-html", "HTTP-7", kind="conditional")
class EscapesHtml(_Text):
    """Stores text with HTML's characters escaped."""

    def text(self, value: str) -> str:
        return html.escape(value)


@fault("text-normalises", "HTTP-7", kind="conditional")
class Normalises(_Text):
    """Stores text in Unicode's composed form."""

    def text(self, value: str) -> str:
        return unicodedata.normalize("NFC", value)


@fault("text-drops-astral", "HTTP-7", kind="conditional")
class DropsAstral(_Text):
    """Stores ? for characters beyond the basic plane."""

    def text(self, value: str) -> str:
        return "".join(character if ord(character) < 2**16 else "?" for character in value)


@fault("text-drops-controls", "HTTP-7", kind="conditional")
class DropsControls(_Text):
    """Drops control characters."""

    def text(self, value: str) -> str:
        return "".join(character for character in value if character >= " " and character != "\x7f")


@fault("text-strips", "HTTP-7", kind="conditional")
class Strips(_Text):
    """Drops space before and after text."""

    def text(self, value: str) -> str:
        return value.strip()


@fault("text-cuts-at-255", "HTTP-7", kind="conditional")
class CutsAt255(_Text):
    """Cuts text after 255 characters."""

    def text(self, value: str) -> str:
        return value[:255]


@fault("text-doubles-quotes", "HTTP-7", kind="conditional")
class DoublesQuotes(_Text):
    """Doubles single quotes, as for SQL."""

    def text(self, value: str) -> str:
        return value.replace("'", "''")


@fault("text-drops-backslashes", "HTTP-7", kind="conditional")
class DropsBackslashes(_Text):
    """Drops backslashes, as some shells do."""

    def text(self, value: str) -> str:
        return value.replace("\\", "")
