"""The usual causes of failures, by the rule that found them: what people who have seen many would look at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGES = "off by one: the offset is computed from the wrong page number, or limit and offset are mixed up"
STALE = "an answer from before the change: a cache, a replica that lags, or a transaction that is not committed"
GONE = f"the row is only marked as destroyed, and not everywhere looked at for that; or {STALE}"
LATE = "what was sent is stored before all of it is checked, and not rolled back"
WIDE = "a change reaches providers that it does not name: a condition that is missing or too wide, or shared rows"
COERCED = "the framework coerces values of another type: use strict types"
TURNED_AWAY = (
    "the valid token is not found or not known there: another header is read, one instance of several knows another "
    "token, or a proxy drops names with an underscore (nginx: underscores_in_headers on)"
)
STRICTER = "the server checks more than is documented: a limit, a pattern or a combination of its own"
ALIKE = "values of one provider are held against each other, though they may well be alike"
UNIQUE = "something is taken to be unique that providers may share, or that a destroyed one has given up"
UNFOUND = "the provider is looked up elsewhere than it was stored, or by more than its id: a cache, a replica, a filter"
TEXT_NUMBERS = "a text column, or a serializer that quotes numbers"
SHARED = "handlers share state between requests: a global, a cached object, a connection"
OWN_ERRORS = "errors show the text of the exception, or what was looked at inside: a debug mode, or a handler for all"

TEXTS = (
    ("; ", ""),  # of several texts, the values tell which
    ("quote", "quotes are escaped by hand and not read back: bind parameters instead of building statements"),
    ("backslash", "backslashes are escaped or unescaped once too often, on the way into the store or out of it"),
    ("escapes", "backslashes are escaped or unescaped once too often, on the way into the store or out of it"),
    ("percent-encoding", "text of the body is percent-decoded, as only that of a URL is"),
    ("HTML", "escaped for HTML where it is stored; that belongs where a page is made"),
    ("script", "sanitized for HTML where it is stored; that belongs where a page is made"),
    ("astral", "a character set of three bytes, such as MySQL's utf8: utf8mb4 holds all"),
    ("emoji", "a character set of three bytes, such as MySQL's utf8: utf8mb4 holds all"),
    ("surrogate", "half a character is replaced where text becomes UTF-8: it can only be refused"),
    ("NUL", "the text ends at NUL, or loses it: a C string on the way; it can be refused"),
    ("composed", "normalised: Unicode forms are folded into each other"),
    ("ligatures", "normalised: Unicode forms are folded into each other"),
    ("combining", "normalised: Unicode forms are folded into each other"),
    ("letters in both cases", "letter case is changed: lower() or upper() on the way in"),
    ("line feed", "line ends are translated, or removed"),
    ("carriage return", "line ends are translated, or removed"),
    ("blank", "blanks are removed or joined, on the way in or out"),
    ("characters of two bytes", "the column counts bytes, and cuts what does not fit where it should be refused"),
    ("characters", "the column is too short, and cuts what does not fit where it should be refused"),
    ("null", "words are taken for what they mean in a program"),
    ("true", "words are taken for what they mean in a program"),
    ("", "text is filtered, replaced or encoded in another character set on its way"),
)

CAUSES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "accepted": (
        (
            "answered with 201",
            "frameworks answer a create with 201 by default; the documented success is 200 (D12)",
        ),
        ("answered with 20", "frameworks answer with another success by default; the only documented one is 200 (D12)"),
        ("under way", SHARED),
        ("valid token", TURNED_AWAY),
        ("answered with 401", TURNED_AWAY),
        ("answered with 403", TURNED_AWAY),
        (
            "destroy is answered with 4",
            "destroying depends on more than the id: its status, what uses it, what changed",
        ),
        ("that were refused", "what was refused leaves something behind: a lock, a version, an open transaction"),
        (", too", ALIKE),
        ("among ips", ALIKE),
        ("answered with 409", UNIQUE),
        ("answered with 404", UNFOUND),
        ("answered with 415", "the media type is compared as a whole, so that its spelling or a parameter decides"),
        ("sort_by", "sort_by is required, or one of its two documented values is not known (D14)"),
        ("was refused", "a create that was refused leaves its names behind"),
        ("in another order", "properties are read by their place, not by their name"),
        ("several lines", "the body is read as one line, or as a form"),
        (
            "after its headers",
            "one read of the socket is taken for the whole request: Content-Length says how much it is",
        ),
        ("no User-Agent", "headers are required, or checked, that no client has to send"),
        ("Accept-Encoding gzip", "whoever takes compressed answers is served otherwise: by a cache, or another layer"),
        ("Connection close", "a connection that is not to be kept is closed before it is answered, or while it is"),
        ("answered with 4", STRICTER),
    ),
    "token_served": (("", TURNED_AWAY),),
    "kept_from_strangers": (("", "what asks for the token knows a path by fewer spellings than what serves it"),),
    "refused": (
        ("from 127.0.0.1", "an address that a header names is trusted: X-Forwarded-For and its like can be made up"),
        ("cookies that it set", "a session that a request with the token began is enough without it"),
        ("Bearer", "the value is read like that of Authorization"),
        ("_ for its", "the token is looked up by LIKE, in which _ and % stand for anything"),
        ("NAME for name", "names of properties are compared without regard to letter case"),
        ("the token in ", "the token is also read from elsewhere than the header access_token"),
        ("in the query", "properties of the body are read from the query, too"),
        ("no token", "the token is not checked on this operation, or not on every way to it"),
        ("id of a destroyed provider", "nobody looks whether there is a row before the request is answered"),
        ("update with no ", "update takes what is missing from what is stored, as PATCH does: an update is complete"),
        ("an empty token", "an empty token counts as none being asked for"),
        ("letter case", "compared without regard to letter case: a case-insensitive collation, or lower()"),
        ("differs from the valid one", "only a part of the token is compared, or none of it on this operation"),
        ("half of the valid token", "the token is compared as far as it was sent: a prefix is enough"),
        ("before it", "the token is searched in what was sent, not compared with it"),
        ("after it", "the token is compared as far as the valid one goes, or searched in what was sent"),
        ("token", "the token is not compared as a whole, or not checked on this operation"),
        (" in a string", "the framework coerces text into numbers: use strict types"),
        (" as text", "the framework coerces text into numbers: use strict types"),
        ("with charset", "another media type or charset is read by another, laxer parser"),
        ("true", "the framework coerces booleans into numbers, or the other way round: use strict types"),
        ("false", "the framework coerces booleans into numbers, or the other way round: use strict types"),
        (" as 0", "the framework coerces numbers into booleans: use strict types"),
        (" as 1", "the framework coerces numbers into booleans: use strict types"),
        ("null", "null is taken for a missing value, and a default for that"),
        ("just short of", "fractions are rounded instead of refused"),
        ("a fraction", "fractions are cut off instead of refused"),
        ("as a number", "the framework coerces numbers into text: use strict types"),
        ("lower case", "values of the enum are compared without regard to letter case"),
        ("mixed case", "values of the enum are compared without regard to letter case"),
        ("a blank", "blanks around the value are removed before it is checked"),
        ("not in its enum", "the enum is not checked: any text is stored, or replaced by a default"),
        ("too large", "the number wraps, or is cut, before it is checked"),
        ("int32 wraps", "the number wraps before it is checked"),
        ("is empty", "a parameter without a value counts as missing, and a default for that"),
        ("sort_by", "an unknown value is not refused but taken for the default"),
        ("digits and a letter", "the number is read as far as it goes, as atoi() and parseInt() do"),
        (" with no ", "the property has a default, or is optional, in the server's model"),
        ("after the document", "the parser stops where the document ends, and does not look at what follows"),
        ("array around", "an array of one is taken for what is in it"),
        ("string of JSON", "a body that is a string is parsed once more"),
        ("missing", "a lenient parser repairs what is no JSON"),
        ("comma", "a lenient parser repairs what is no JSON, or its error is taken for an empty body"),
        ("an empty object", "nobody looks whether there is an id, and what to do without one is left to chance"),
        ("with an empty array", "nobody looks whether the body is an object"),
        ("with a number", "nobody looks whether the body is an object"),
        ("cut off", "a lenient parser repairs what is no JSON"),
        ("empty body", "an empty body counts as an empty object, and defaults fill it"),
        ("an array", COERCED),
        ("an empty string", COERCED),
        ("an object", COERCED),
        ("update", "the row is not looked for before it is answered, or the check is missing on this operation"),
    ),
    "documented_types": (
        ("string, not integer", f"numbers come back as text: {TEXT_NUMBERS}"),
        ("string, not boolean", "booleans come back as text: a text column, or a serializer that quotes"),
        ("integer, not boolean", "booleans come back as numbers: a column without a boolean type"),
        ("integer, not string", "text of digits is read as a number: a column or a serializer that guesses types"),
        ("number, not integer", "a floating-point column, or a division that is not rounded"),
        ("null, not array", "an empty array is null: an empty relation, or a column that was never written"),
        ("string, not array", "the array is stored as text, and not read back as an array"),
        (
            "object, not array",
            "arrays become objects, as PHP and Lua make of empty ones and of those with gaps",
        ),
        ("null, not", "the value is not stored, or left out where it is serialized"),
        ("none of", "the enum is spelt otherwise inside, and not translated where it is serialized"),
    ),
    "answers_object": (
        ("array", "the object is put into an array, as a query gives rows"),
        ("", "the answer is no JSON object: a bare value, text, or no body at all"),
    ),
    "gives_id": (
        ("array", "the object is put into an array, as a query gives rows"),
        (", string", f"the id comes as text: {TEXT_NUMBERS}"),
        (", number", "the id passes through floating point"),
        (", null", "the id is read before the row is stored, or from a connection that did not store it"),
        ("without the new provider's id", "the id stands in an envelope, under another name, or only in a header"),
        ("", "the id comes without an object around it, or in another one"),
    ),
    "gives_listed_id": (("", "the id in the answer is not the stored one: a counter of its own, or a rounded number"),),
    "id_is_new": (
        ("", "ids are reused, or computed: the highest plus one, the count plus one, a clock, a lock that is missing"),
    ),
    "id_is_nobody_s": (("", "the id in the answer is not that of the row that was stored"),),
    "ids_differ": (("", "ids are computed (highest + 1) without a lock: two requests compute the same"),),
    "not_stored": (("", LATE),),
    "stored_nothing": (("", LATE),),
    "refused_without_change": (("", LATE),),
    "unchanged": (
        ("token", "the change is made before the token is checked"),
        ("the same update again", "update adds to what is stored, or toggles it, where it should replace it"),
        ("refused", LATE),
        ("invalid", LATE),
        ("overlapping", SHARED),
        (
            "reading",
            "reading writes: what is stored is altered where it is made ready to be shown",
        ),
        ("", WIDE),
    ),
    "list_unchanged": (("", "what was refused is not undone, or stays in a cache of the list"),),
    "shows_asked": (
        ("answered with 404", UNFOUND),
        ("answered with 400", "the request is refused for what is no matter: a header that a GET may have"),
        ("without an id", "the provider stands in an envelope, or its id is left out where it is serialized"),
        ("with the id", "the id of another row, a counter, or a rounded number is shown"),
        ("array", "the object is put into an array, as a query gives rows"),
        ("answered with 20", "the only documented success is 200 (D12)"),
    ),
    "gives_nobody": (
        (
            "",
            "the id is not compared as a whole: 32 bits of it, without its sign, by prefix, or the nearest is taken",
        ),
    ),
    "unknown_refused": (("", "nobody looks whether there is a row: what is empty is answered with 200"),),
    "shows_values": (
        ("", "the value is changed or replaced on its way: where it is read, stored, or made ready to be shown"),
    ),
    "shows_update": (
        ("still gives the old value", "update does not write it, takes it for unchanged, or show reads an older copy"),
        ("", "update stores this property otherwise than create does, or makes it follow another one"),
    ),
    "lists_update": (("", STALE),),
    "id_kept": (("", "update stores a new row in place of the old one"),),
    "creates_nobody": (("", "update is an upsert: where no row has the id, it stores one"),),
    "listed_alike": (("", "an update that changes nothing is told to the list's cache or index as another provider"),),
    "name_listed_once": (("", "create stores two rows, or update a second one instead of changing the first"),),
    "in_one_state": (
        ("still gives", "an update that meets another request is dropped, or undone by what that had read before"),
        ("as none of them", SHARED),
        ("", "concurrent updates write property by property, without a transaction"),
    ),
    "every_one_once": (
        ("=100", "a filter, a join or DISTINCT in the query of the list, or one row for several"),
        ("", f"{PAGES}; or the order differs from page to page"),
    ),
    "at_most_pagesize": (("", "pagesize is not used as the limit of the query, or the limit is one too many"),),
    "counts_all": (("", "the count is kept apart from the rows, or taken from the page, and not from all providers"),),
    "counts_chosen": (
        ("", "the count is kept apart from the rows, or taken from the page, and not from all providers"),
    ),
    "counts_what_follows": (("", "the count is taken from the page, and not from all providers"),),
    "same_order": (
        ("from the last", "a page is what follows the one given before: a cursor that is kept between requests"),
        ("", "no order is given to the query, so that the database is free to choose one each time"),
    ),
    "items_bear_ids": (("", "list numbers its items, or leaves their ids out where it serializes them"),),
    "listed_once": (
        (
            "not at all",
            "a filter or a join of the list leaves it out, or the list comes from before the create",
        ),
        ("", "a join of the list's query gives a row for each of several, or create stores it twice"),
    ),
    "list_agrees": (("", "list makes its items by another query or another serializer than show"),),
    "reports_default": (("", "sort_by is given back as it came, as an internal name, or as the last one used (D14)"),),
    "reports_asked": (("", "a constant, a default or the corrected value is given back, not what was asked for"),),
    "page_count_fits": (("", "the pages are counted by rounding down, or with another page size"),),
    "no_longer_shown": (("", GONE),),
    "not_listed": (("", GONE),),
    "refused_as_invalid_id": (
        ("answered with 422", "the framework's own validation answers 422 before the handler is asked"),
        ("answered with 404", "404 is what frameworks have for a missing row; the documentation names 400 (D11)"),
        ("answered with 200", "the id is coerced, or nobody looks whether a row was destroyed"),
        ("", "the documentation names 400, whatever else would suit"),
    ),
    "served_alike": (("", "the media type is compared as a whole, so that its spelling or a parameter decides"),),
    "served_as_usual": (("", "the body is read whole, or parsed, before its size is looked at"),),
    "name_spelt_freely": (("", "the header is looked up by its exact spelling; names of headers have no letter case"),),
    "method_refused": (
        ("no Allow header", "405 is answered by hand, without the header that belongs to it"),
        ("and Allow: ", "Allow is the same for every path, not what the operation has"),
        ("", "the route takes every method, or the framework answers a wrong method with 404"),
    ),
    "path_not_found": (("", "a route for all paths, as for single-page applications, answers in place of 404"),),
    "media_type_refused": (("", "the body is parsed as JSON whatever its Content-Type says"),),
    "text_kept": TEXTS,
    "text_listed": TEXTS,
    "discloses_nothing": (("", OWN_ERRORS),),
    "forbids_storing": (("", "Cache-Control is left to the framework, which sends none"),),
    "json_well_formed": (
        ("Content-Type", "the answer is sent as text, and the framework names that type"),
        ("", "the answer is put together by hand, or encoded in another character set than UTF-8"),
    ),
}
"""Pairs of what the summary says and the usual cause, by rule; the first that fits is told, "" fits all."""
