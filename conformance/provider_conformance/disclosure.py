"""Finds in the text of an error what no client needs to know: stack traces, file paths, queries, tokens, others' data.

Everything here is careful to take nothing for a disclosure that the request itself has said: an error may repeat it.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from provider_conformance.masking import SHORTEST_SECRET, encodings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_SERVED = "m?js|php|pl"
"""Sources that a web site serves or runs under their own names."""

_SOURCES = "py|pyc|cjs|ts|java|jar|class|war|rb|go|rs|cs|dll|exe|pm|lua|ex|so|db|sqlite3?|log|conf|ini"
_COMPILED = "c|cc|cpp|cxx|h|hpp|swift|kt|scala|clj|erl|hrl|hs|ml|vb|fs"
_SCRIPTED = "[cm]?[jt]sx?|vue|svelte|coffee|wasm|html?"

_UNLIKE_DOMAINS = "go|rb|java|kt|scala|swift|php|c|h|cpp|cxx|hpp|clj|erl|hrl|exs?|lua|vue|svelte"
"""Sources whose names cannot be those of hosts, as py, rs, cc, pl and sh can, which have ports behind them."""

_IN_OBJECT = r"[^{}\n]{0,400}"

TRACES = (
    r"Traceback \(most recent call last\)",
    r"\bFile \"[^\"\n]+\", line \d+",
    r"\bat [\w.$<>/]+\((?:[\w$]+\.(?:java|kt|scala|groovy):\d+|Native Method|Unknown Source)\)",
    r"\bat (?:async )?(?:[^\s()][^\n()]{0,200} \()?(?:file://|node:)[^\s()]*:\d+:\d+\)?",
    # Not without a name of a source: a place in JSON may be told in the same way, and dates have slashes and colons.
    r"\bat (?:async )?(?:[^\s()][^\n()]{0,200} \()?(?:[A-Za-z]:\\|[\w.@+-]*/)"
    rf"[^\s()]*\.(?:{_SERVED}|{_SOURCES}|{_COMPILED}|{_SCRIPTED}):\d+:\d+\)?",
    r"\bat [\w.`<>\[\], ]+\([^()\n]*\) in [^\n]+:line \d+",
    r"(?:^|\n) {2,}at (?:System|Microsoft)\.[\w.`<>\[\]]+\(",
    r"\bgoroutine \d+ \[[a-z]",
    r"\.go:\d+ \+0x[0-9a-f]+",
    r"\.rb:\d+:in [`'\"]",
    r"#\d+ [^\n]*\.php\(\d+\)",
    r"#\d+ (?:\[internal function\]|\{main\})",
    r"\.php</b> on line|\.php on line \d+",
    r"\bthread '[^'\n]*' panicked at",
    r"\bstack (?:backtrace|traceback):",
    r"\.p[lm] line \d+\.",
    r"\.exs?:\d+: ",
    r"\{file, ?\"[^\"\n]+\.erl\"\}",
    # C++ and Rust; the name that begins with a capital, or goes on after a second pair of colons, is that of code.
    r"\bat (?:[A-Z]\w*|\w+::\w+)(?:::~?\w+)+\([^()\n]*\)",
    r"(?<![\w./:@-])[\w-]+\.go:\d+(?::\d+)?: ",
    r"(?<![\w./:@-])[A-Za-z][\w-]*\.(?:cpp|cxx|hpp|java|kt|swift|scala):\d+(?![\w.])",
    # A place in the code as an object; what is wrong in a request may be told in the same way, but not of a source.
    rf"\{{(?={_IN_OBJECT}\"line_?(?:no|[nN]umber)?\": ?\d)"
    rf"(?={_IN_OBJECT}\"file_?(?:[nN]ame)?\": ?\"[^\"\n]{{0,200}}\."
    rf"(?:{_SERVED}|py|rs|cs|cc|ml|[cm]?[jt]sx?|{_UNLIKE_DOMAINS})\")"
    rf"{_IN_OBJECT}",
)

_ENGLISH = (
    "the|this|that|these|those|a|an|one|any|each|every|some|only|either|exactly|at|your|our|its|their|what|which|here|"
    "there|it|them|both|other|another|among|between|above|below|within"
)
"""Words before a noun, or in its place, which no query has where it names what is read or written."""

_CHOICE = (
    "lists?|values|choices|menu|enum|enumeration|following|documented|documentation|listed|allowed|permitted|supported|"
    "available|possible|valid"
)
"""Words for what people choose from."""

_NO_TABLE = rf"(?!\s+(?i:{_ENGLISH}|{_CHOICE})\b)"

# Several words in a row, with nothing between them, are a sentence.
_NO_SENTENCE = (
    rf"(?!\s+(?i:{_ENGLISH})\s+(?!FROM\b)[A-Za-z])"
    r"(?!\s+(?:(?!(?:AS|DISTINCT|ALL|TOP|CASE|SQL_\w+)\b)[A-Za-z]{1,40}\s+){3,20}FROM\b)"
)

# What a query reads, up to what it reads from; small words are no part of it where others are in capitals.
_READ = r"(?:(?!\bSELECT\b|\sFROM\s|\s(?:of|or|and|that|with|to|for)\s)[^\n]){1,2000}"

QUERIES = (
    rf"\bSELECT{_NO_SENTENCE}\s{_READ}\sFROM{_NO_TABLE}\s+[\"'`\[\w]",
    # In small letters it may be plain English, unless it goes on as only a query does.
    rf"(?i:\bselect\s[^\n]{{1,2000}}?\sfrom{_NO_TABLE}\s+\S+\s(?:[^\n]{{0,200}}?\s)?where\s+\S+\s*"
    r"(?:=|<|>|in\s*\(|is null|like\s+'))",
    r"(?i:\bselect\s[^\n]{1,2000}?\sfrom\s+\S+\s(?:[^\n]{0,200}?\s)?limit\s+(?:\?|\$\d|:[a-z]|%s))",
    # The language of an object mapper, whose queries may begin with what they come from.
    r"(?i:\bfrom\s+\w+\s+(?:as\s+)?(?P<alias>\w+)\s+where\s+(?P=alias)\.\w+\s*(?:=|<|>|in\s*\(|is null|like\s))",
    # A command of a document database.
    r"\"find\": ?\"\w+\", ?\"filter\": ?\{[^\n]{0,200}?\"(?:_id|\$\w+)\":",
    r"\"aggregate\": ?\"\w+\", ?\"pipeline\": ?\[[^\n]{0,200}?\"\$\w+\":",
    r"\"(?:update|delete)\": ?\"\w+\", ?\"(?:updates|deletes)\": ?\[ ?\{ ?\"q\":",
    r"\bdb\.\w+\.(?:find|aggregate|count|distinct|insert|update|replace|delete)(?:One|Many|And\w+|Documents)?\(",
    rf"\bINSERT\s+INTO{_NO_TABLE}\s+[\"'`\[\w]",
    r"(?i:\binsert\s+into\s+\S+\s*\([^()\n]*\)\s*(?:values|select|returning)\b)",
    rf"\bUPDATE{_NO_TABLE}\s+\S+\s+SET\s+[\"'`\[\w(][^\n=]{{0,200}}=",
    r"(?i:\bupdate\s+\S+\s+set\s+\S+\s*=[^\n]{1,2000}?\swhere\s)",
    rf"\bDELETE\s+FROM{_NO_TABLE}\s+[\"'`\[\w]",
    r"(?i:\bnear \"[^\"\n]*\": syntax error)",
    r"(?i:\bsyntax error at or near\b)",
    r"(?i:\berror in your SQL syntax\b)",
    r"(?i:\bunrecognized token: \")",
    r"\b(?:UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed: \w+",
    r"(?i:\bviolates (?:unique|not-null|check|foreign key) constraint \")",
    r"\bSQLSTATE\b",
    r"\bORA-\d{5}\b",
    r"\bSQLITE_[A-Z]+\b",
    r"\b(?:sqlite3|psycopg2?|pymysql|MySQLdb|sqlalchemy|asyncpg|aiosqlite)\.\w",
    r"\b(?:PG::\w+|Mysql2::Error|ActiveRecord::\w+|SequelizeDatabaseError|QueryFailedError)\b",
    r"\b(?:org\.hibernate|java\.sql|com\.mysql|org\.postgresql|System\.Data\.\w+)\.\w",
)

_ROOTS = "usr|var|opt|etc|srv|root|tmp|proc|(?:home|Users)/[\\w.@+-]+"
_LINKING = ("href=", "src=", "action=", "data=", "poster=", "url=", "location: ", "report-uri ")
"""What an unquoted link comes right after: attributes of HTML (whatever the letter case), and headers."""

# A path right after a host, an attribute's quote or an angle bracket is part of a link, not of a file system.
_NO_LINK = r"(?=/)(?<![\w./<~-])(?<!=[\"'])" + "".join(rf"(?<!(?i:\b{before}))" for before in _LINKING)

_DOCUMENTS = "docs?|documentation|samples?|examples?|downloads?|manuals?|guides?|tutorials?"

# Where documents of a web site are: sources are samples there, to be read or downloaded.
_NO_DOCUMENT = rf"(?!(?:/[\w.@+-]+)*?/(?:{_DOCUMENTS})/|/(?:static|assets|public|help|media|sdk)/)"

_RELATIVE = rf"(?<![\w./:@~-])(?!(?:[\w.-]+/)*(?:{_DOCUMENTS}|static|assets|public|help|media|sdk)/)"

_END = r"(?=\.?(?:[\s:\"'`(),;\]]|$))"
"""What follows the name of a file, which may end a sentence."""

# What is said of a file, and not of a page: that it does not do, or has something wrong in it.
_OF_A_FILE = (
    r"(?i:\b(?:(?:cannot|can't|could not|couldn't|unable to|failed(?: to)?|error(?: while)?|while) "
    r"(?:open|stat|read|load|find|resolve|import|includ|requir|pars|execut|run|compil|writ)\w* (?:[\w-]+ ){0,2}"
    r"|(?:include|require)(?:_once)?\("
    r"|(?:file|file_?name|module|script|source)(?:: ?|=)"
    r"|(?:error|exception|warning|notice|failure|fault|thrown|raised|occurred|caught|crashed)[:,]? (?:in|at) ))"
)

PATHS = (
    rf"{_NO_LINK}/(?:{_ROOTS})(?:/[\w.@+-]+)+",
    rf"{_NO_LINK}{_NO_DOCUMENT}(?:/[\w.@+-]+)+/[\w@+-]+\.(?:{_SOURCES}){_END}",
    # With a line: by its name alone it may be a sample that is linked to, or a page.
    rf"{_NO_LINK}(?:/[\w.@+-]+)+/[\w@+-]+\.(?:{_COMPILED}|{_SERVED}|{_SOURCES})(?::|\(|[\"']?,? (?:on )?line )\d+",
    # The same below where it was built; what begins with the name of a host is a link, and hosts have ports.
    rf"{_RELATIVE}(?:\.{{1,2}}/)*(?:[\w-]+/)+[\w-]+\.(?:{_UNLIKE_DOMAINS}):\d+\b",
    rf"{_RELATIVE}(?:\.{{1,2}}/)*(?:src|lib|dist|source|internal|pkg|cmd)/(?:[\w-]+/)*[\w-]+\.(?:py|rs|cc|pl|pm|cs|ml|[cm]?[jt]sx?):\d+\b",
    rf"{_OF_A_FILE}[\"'`]?(?P<file>{_NO_LINK}(?:/[\w.@+-]+)+/[\w@+-]+\.(?:{_SERVED}|{_SOURCES})){_END}",
    # What the system says of a file that it cannot open.
    r"(?<=no such file or directory, (?:open|stat) ')/[^'\n]+",
    r"(?<=permission denied, (?:open|stat) ')/[^'\n]+",
    r"(?<=No such file or directory: ')/[^'\n]+",
    r"(?<=\bopen )/[^\s:]+(?=: no such file or directory)",
    r"\bfile://+[\w/.]+",
    r"\b[A-Z]:\\{1,2}[\w .()-]+\\{1,2}[\w .()-]+",
    r"\b(?:node_modules|site-packages|dist-packages)[/\\]\w",
)

A_PATH = "a file path"

KINDS: Mapping[str, re.Pattern[str]] = {
    kind: re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    for kind, patterns in {"a stack trace": TRACES, "a query": QUERIES, A_PATH: PATHS}.items()
}

_JSON_LINK = re.compile(rf'(?<!\\)"(?!/(?:{_ROOTS})/)(?:/[\w.@+-]+)++"')
"""A whole string of JSON, its escapes not undone, that is a path, and none below where files are: a link."""

_SCRIPT = re.compile(r"(?i)<script\b[^<>]*>[^<]*(?:<(?!/script)[^<]*)*")
_SCRIPT_LINK = re.compile(rf"([\"'`])(?!/(?:{_ROOTS})/)(?:/[\w.@+-]+)++\1")
"""A whole string in a script of a page, which is a link as one of JSON is."""

_ROOT = re.compile(rf"/(?:{_ROOTS})/")

PART = 16
"""Characters of a token that are a disclosure; fewer may be a hint that it gives to its owner."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def internals(text: str, said: str, base: str) -> tuple[str, str] | None:
    """Return what an error discloses of the implementation's inside, as its kind and an excerpt, or None.

    Paths below `base`, the path of the URL under which the API lives, are links.
    """
    own = _own(base)
    for kind, excerpt in _internals(text):
        if not _has(said, excerpt) and not (own and excerpt.startswith(own)):
            return kind, excerpt
    return None


def token_disclosed(text: str, token: str, said: str) -> bool:
    """Tell whether an error gives the token, one of its encodings, or a good part of it, that the request did not."""
    return any(not _has(said, form) for form in _borne(text, token))


def value_disclosed(text: str, values: Iterable[str], said: str) -> str | None:
    """Return the first of others' values that an error gives and the request did not, or None."""
    texts = _readings(text)
    for value in values:
        if any(value in one for one in texts) and not _has(said, value):
            whole = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")
            if any(whole.search(one) for one in texts):
                return value
    return None


def sayings(*texts: str) -> str:
    """Put together all that a request says, in every spelling in which an error may repeat it."""
    forms = [form for text in texts for form in (text, unquote(text), unquote_plus(text))]
    return "\n".join(dict.fromkeys(reading for form in forms for reading in (form, *_readings(form))))


def _own(base: str) -> str:
    """Return how paths begin that are links, since those of the target do; where files are, too, all below are."""
    root = _ROOT.match(f"{base}/")
    return root[0] if root else base and f"{base}/"


@lru_cache(maxsize=1024)
def _internals(text: str) -> Sequence[tuple[str, str]]:
    """Find every candidate; the same error comes often."""
    return tuple(
        (kind, (found.groupdict().get("file") or found.group()).strip())
        for kind, pattern in KINDS.items()
        for reading in _readings(_unlinked(text) if kind == A_PATH else text)
        for found in pattern.finditer(reading)
    )


def _unlinked(text: str) -> str:
    """Return a text without the strings that are links: those of JSON, whose slashes may be escaped, and of scripts."""
    if _is_json(text):
        return _JSON_LINK.sub('""', text.replace("\\/", "/"))
    return _SCRIPT.sub(lambda script: _SCRIPT_LINK.sub('""', script[0]), text)


@lru_cache(maxsize=1024)
def _readings(text: str) -> tuple[str, ...]:
    """Return a text without the escapes of JSON, if it is any, and of HTML."""
    plain = _ESCAPE.sub(_unescaped, text) if _is_json(text) and "\\" in text else text
    return tuple(dict.fromkeys((plain, html.unescape(plain))))


def _is_json(text: str) -> bool:
    return text.lstrip().startswith(("{", "[", '"'))


def _unescaped(escape: re.Match[str]) -> str:
    code, letter = escape.groups()
    return chr(int(code, 16)) if code else _ESCAPED.get(letter, letter)


@lru_cache(maxsize=1024)
def _borne(text: str, token: str) -> Sequence[str]:
    """Return the forms of a token that a text bears; the same error comes often."""
    texts = (text, *_readings(text))
    return tuple(form for form in _forms(token) if any(form in one for one in texts))


@lru_cache(maxsize=4)
def _forms(token: str) -> Sequence[str]:
    """Return a token in its encodings, and parts of it; one that might be a word is found everywhere."""
    telling = len(token) >= SHORTEST_SECRET and (any(map(str.isdigit, token)) or len(token) >= 2 * PART)
    return (*(encodings(token) if telling else ()), *parts_of(token))


def parts_of(token: str) -> Iterator[str]:
    """Return the parts of a token that cannot be there by chance: words are left out, as many a token has them."""
    for start in range(len(token) - PART + 1):
        part = token[start : start + PART]
        if sum(map(str.isdigit, part)) >= 3 and any(map(str.isalpha, part)) and len(set(part)) >= PART // 2:
            yield part


def _has(said: str, excerpt: str) -> bool:
    """Tell whether the request has said the same, be it in another letter case or with other blanks."""
    return " ".join(excerpt.split()).strip("\"'(): ,").lower() in said.lower()
