"""Text that the docs allow and no operator would send: given back exactly as it was sent, or refused (HTTP-7).

Some of it means something to databases, shells and browsers. None of it does any harm where it is taken for what it
looks like: no text has both what ends a quotation and what cuts off the rest of a query (`--`, `#`, `;`, `/*`), since a
server that pastes it into an UPDATE would then lose the condition and change the providers of others; commands are
`id` at most.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypothesis.strategies import SearchStrategy

PROPERTIES = ("name", "auth_id", "hostname", "outbound_server", "password")
"""The properties that hold free text; a password may be masked, so that it is sent and not compared (D10)."""

LONGEST = 10_000


@dataclass(frozen=True)
class Text:
    """A text and what is special about it; an `escaped` one is sent in JSON's escapes, as half a surrogate must be."""

    what: str
    text: str
    escaped: bool = False


def _counting(length: int) -> str:
    """Return text of which no part is like another, so that any loss shows where it is."""
    return "".join(f"{number:04d}." for number in range(length // 5 + 1))[:length]


TEXTS = (
    # Quotations and queries
    Text("a single quote", "O'Neil"),
    Text("two single quotes", "O''Neil"),
    Text("double quotes", 'the "Main" trunk'),
    Text("double quotes around it", '"Main"'),
    Text("a backtick and an acute accent", "a`b\u00b4c"),
    Text("typographic quotes", "\u201ca\u201d \u2018b\u2019 \u00abc\u00bb"),
    Text("a condition in single quotes", "x' AND '1'='2"),
    Text("a condition in double quotes", 'x" AND "1"="2'),
    Text("an SQL comment", "a -- b /* c */ # d"),
    Text("a semicolon", "a;b; c"),
    Text("SQL wildcards", "100%_a*?"),
    # Shells and templates
    Text("shell metacharacters", "a|b&c$(id)`id`~!^{x}[y]"),
    Text("variables", "$HOME ${HOME} %PATH% $1"),
    Text("format directives", "%s %d %x %(name)s {0} {} {name}"),
    Text("template expressions", "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>"),
    Text("a spreadsheet formula", "=1+1"),
    # Markup
    Text("HTML", '<b class="x">bold</b><br/>'),
    Text("a script element", "<script>1</script>"),
    Text("a script in a link", "javascript:void(0)"),
    Text("HTML's characters", "a & b < c > d"),
    Text("what looks like HTML entities", "&amp; &lt; &#39; &eacute; &nbsp;"),
    Text("JSON", '{"a":[1,null]}'),
    Text("a URL", "https://www.example.com/a%20b?c=d&e=%C3%A9#f"),
    Text("a SIP address", "<sip:a@example.com;transport=udp?b=c>"),
    Text("parent folders", "../../a/./b"),
    Text("a SIP URI with a port", "sip:gw.example.com:5060"),
    Text("a slash at the end", "gw.example.com/"),
    Text("a host and a port", "gw.example.com:5060"),
    Text("a host with a dot at the end", "gw.example.com."),
    Text("an IPv6 address in capitals", "2001:DB8::A"),
    # Escapes
    Text("a backslash", "a\\b"),
    Text("two backslashes", "a\\\\b"),
    Text("a backslash at the end", "a\\"),
    Text("what looks like escapes", "\\n \\t \\x41 \\u0041 \\101 \\'"),
    Text("what looks like percent-encoding", "%20 %00 %C3%A9 %u0041 a+b %"),
    Text("what looks like MIME encoding", "=?utf-8?Q?=41?= =41"),
    # Control characters
    Text("a line feed", "a\nb"),
    Text("a carriage return and a line feed", "a\r\nb: c"),
    Text("a carriage return", "a\rb"),
    Text("a tab", "a\tb"),
    Text("the character NUL", "a\0b"),
    Text("control characters", "".join(map(chr, (*range(0x01, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20)))) + "\x1b[31m"),
    Text("the character DEL", "a\x7fb"),
    Text("control characters of Latin-1", "a\x80\x85\x9fb"),
    Text("separators of lines and paragraphs", "a\u2028b\u2029c"),
    # Halves of surrogate pairs
    Text("the first half of a surrogate pair", "a\ud83db", escaped=True),
    Text("the second half of a surrogate pair", "a\ude00b", escaped=True),
    Text("a surrogate pair the wrong way round", "a\ude00\ud83db", escaped=True),
    # Forms that normalisation and folding would change
    Text("a composed letter", "caf\u00e9"),
    Text("a decomposed letter", "cafe\u0301"),
    Text("combining marks out of their order", "a\u0301\u0323 e\u0323\u0301"),
    Text("a combining mark at the beginning", "\u0301a"),
    Text("signs that are also letters", "\u212b \u2126 \u212a \u1e9b\u0323"),
    Text("composed and decomposed Hangul", "\ud55c \u1112\u1161\u11ab"),
    Text("ligatures, full width and superscripts", "\ufb01 \uff21\uff42\uff11 x\u00b2 \u2460 \u2122"),
    Text("letters in both cases", "aBc \u00e4\u00c4 \u01c4\u01c5\u01c6"),
    Text("the Turkish letters i", "\u0131I i\u0130"),
    Text("sharp s and final sigma", "\u00df \u1e9e SS \u03c3\u03c2\u03a3"),
    # Beyond the basic plane, and what is no character
    Text("an astral character", "a\U0001f4deb"),
    Text("an astral character in JSON's escapes", "c\U0001f4ded", escaped=True),
    Text("Latin letters in JSON's escapes", "d\u00e9j\u00e0 vu", escaped=True),
    Text("signs of HTML and a slash in JSON's escapes", "a & b < c > d/e", escaped=True),
    Text("astral letters", "\U0001d518\U00010400\U00020000"),
    Text("an emoji family", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
    Text("emoji modifiers, flags and keycaps", "\U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea 1\ufe0f\u20e3"),
    Text("private use and noncharacters", "\ue000\ufffe\uffff\ufdd0\U000f0000\U0010ffff"),
    Text("the replacement character", "a\ufffdb"),
    # What is not seen
    Text("right-to-left letters", "abc \u05e9\u05dc\u05d5\u05dd \u0633\u0644\u0627\u0645 123"),
    Text("bidirectional controls", "a\u202eb\u202c\u2066c\u2069\u200e\u200f"),
    Text("characters without width", "a\u200bb\u200cc\u2060d\u00ade"),
    Text("a byte order mark", "a\ufeffb"),
    Text("a byte order mark at the beginning", "\ufeffa"),
    # Blanks
    Text("a leading blank", " a"),
    Text("a trailing blank", "a "),
    Text("a double blank", "a  b"),
    Text("tabs and line feeds around it", "\t\na\n\t"),
    Text("other blanks", "\u00a0a\u2003b\u3000"),
    Text("no character", ""),
    Text("only a blank", " "),
    Text("only blanks", " \t \u00a0 "),
    # Words
    Text("the word null", "null"),
    Text("the word undefined", "undefined"),
    Text("the word None", "None"),
    Text("the word true", "true"),
    Text("a decimal with a zero at the end", "1.10"),
    Text("a point in time", "2020-01-02T03:04:05.000Z"),
    # Lengths
    Text("65 characters", _counting(65)),
    Text("255 characters", _counting(255)),
    Text("256 characters", _counting(256)),
    Text("255 characters of two bytes", "\u00e9\u00ea" * 127 + "\u00e9"),
    Text("1,000 characters", _counting(1000)),
    Text("10,000 characters", _counting(LONGEST)),
    Text("5,000 characters of two bytes", "\u00e9\u00ea" * (LONGEST // 4)),
    Text("emoticons and Markdown", "a :-) b ;) <3 (c) [d](e) **f**"),
    Text("the euro sign and Latin letters", "\u20ac \u0153 \u0161 \u00ff"),
)

_BREAKS = "'\"\\`"
_CUTS = "-#;/*"
_SPECIAL_APART = frozenset("\u2018\u2019\u201c\u201d\u00b4\u00ab\u00bb\ud83d\ude00")


def mixtures() -> Iterator[tuple[Text, ...]]:
    """Put the texts together in fives, one for each property.

    In none of them are quotations with what cuts off queries, nor escapes with what is sent without; and halves of
    surrogate pairs, which many refuse, are on their own.
    """
    halves = [text for text in TEXTS if any("\ud800" <= character <= "\udfff" for character in text.text)]
    ending = [text for text in TEXTS if set(_BREAKS) & set(text.text)]
    cutting = [text for text in TEXTS if set(_CUTS) & set(text.text) and text not in ending and not text.escaped]
    escaped = [text for text in TEXTS if text.escaped and text not in halves]
    others = [text for text in TEXTS if text not in (*halves, *ending, *cutting, *escaped)]
    for some in (ending, cutting, escaped):
        while len(some) % len(PROPERTIES):
            some.append(others.pop(0))
    for kind in (ending, cutting, escaped, others, halves):
        for start in range(0, len(kind), len(PROPERTIES)):
            yield tuple(kind[start : start + len(PROPERTIES)])


def dealt(texts: Sequence[Text], turn: int) -> dict[str, Text]:
    """Deal texts out among the properties; five turns bring each text to each property."""
    return {PROPERTIES[(index + turn) % len(PROPERTIES)]: text for index, text in enumerate(texts)}


@cache
def strategy() -> SearchStrategy[dict[str, str]]:
    """Search text for every property at once; what ends quotations and what cuts off queries do not go together."""
    from hypothesis import strategies as st  # noqa: PLC0415 - slow to import, and listing requirements needs none of it

    letters = string.ascii_letters + string.digits + " .,:<>&%$@!?()[]{}|^~_+=\n\r\t\0\x1b\x7f"
    # Without the quotation marks that some servers turn into plain ones.
    special = sorted({character for text in TEXTS for character in text.text if character > "\x7f"} - _SPECIAL_APART)
    anything = st.integers(0x80, 0xD7FF) | st.integers(0xE000, 0x10FFFF)
    common = st.sampled_from(letters) | st.sampled_from(special) | anything.map(chr)

    def texts(more: str) -> SearchStrategy[dict[str, str]]:
        text = st.lists(common | st.sampled_from(more), max_size=40).map("".join)
        return st.fixed_dictionaries(dict.fromkeys(PROPERTIES, text))

    return texts(_BREAKS) | texts(_CUTS)
