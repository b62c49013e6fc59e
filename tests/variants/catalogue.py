"""The variants by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from variants.freedoms import (
    Beyond,
    Busy,
    Freedoms,
    Large,
    Layout,
    Listed,
    Lockout,
    Malformed,
    Optional,
    Order,
    Paging,
    Password,
    Unfound,
    Unknown,
    ascending,
    descending,
    drawn,
)
from variants.stacks import closing, flasks, handmade, looping
from variants.stacks.handmade import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from variants.service import Service

TOKEN = "9fK2" * 16
SHORT_TOKEN = "4DFCF1D4C30B4D798ECE3AE43769F008"


@dataclass(frozen=True)
class Variant:
    """An implementation, the highest level that it conforms to, and what a run of that level may say of it."""

    name: str
    level: str
    serve: Callable[[Service, str, Callable[[str, int], None]], None]
    freedoms: Freedoms = field(default_factory=Freedoms)
    token: str = TOKEN
    base_path: str = "/api/providers"
    verdicts: tuple[str, ...] = ("conformant",)
    untested: str = ""
    """What the reason must say of each requirement that could not be tested, as a regular expression."""
    keeps: bool = False
    """The run cannot destroy what it created, since it is locked out."""
    part: tuple[str, ...] = ()
    """What of the suite is run when time is short; all of it when this is empty."""


VARIANTS = (
    Variant(
        "closing-first-page-0",
        "hardened",
        closing.serve,
        Freedoms(
            first_page=0,
            refused=422,
            unfound=404,
            denied=403,
            listed=Listed.NAME,
            password=Password.STARS,
            ids=drawn(1, 2**63 - 1),
            own_status=True,
            order=Order.NEWEST,
            past=Beyond.NEAREST,
            error_type=None,
            json_type="application/json;charset=UTF-8",
            done=("text/plain", b"OK"),
        ),
    ),
    Variant(
        "closing-wraps-pages-around",
        "hardened",
        closing.serve,
        Freedoms(
            before=Beyond.AROUND,
            past=Beyond.AROUND,
            order=Order.NAME,
            listed=Listed.ID,
            password=Password.ABSENT,
            unfound=410,
            ids=descending(-1),
            optional=Optional.SHUFFLED,
            optional_spelt=True,
            unknown=Unknown.STORED,
            done=("application/json", b'{"success":true}'),
            busy=(Busy(613, 503, "1"), Busy(1201, 429, None)),
            foreign=21,
        ),
        base_path="",
        token=SHORT_TOKEN,
        part=("show", "list", "destroy"),
    ),
    Variant(
        "flask-choosy-with-cap",
        "hardened",
        flasks.serve,
        Freedoms(
            choosy=True,
            repeated=409,
            cap=8,
            unknown=Unknown.REFUSED,
            past=Beyond.REFUSED,
            largest_page=100,
            large=Large.REFUSED,
            order=Order.NAME,
            own_status=True,
            done=("application/json", b"null"),
            error_type="text/html",
            optional=Optional.PARTIAL,
        ),
        token="0123456789" * 6 + "0000",
    ),
    Variant(
        "flask-first-page-0-nearest",
        "hardened",
        flasks.serve,
        Freedoms(
            first_page=0,
            before=Beyond.NEAREST,
            past=Beyond.NEAREST,
            choosy=True,
            repeated=422,
            refused=409,
            denied=404,
            order=Order.CHANGED,
            listed=Listed.CHANGING,
            extras=True,
            created_whole=True,
            password=Password.RANDOM,
            largest_page=100,
            large=Large.CAPPED,
            optional=Optional.EMPTY,
            ids=ascending(0),
            foreign=9,
            at_once=2,
            error_type="application/problem+json",
            done=("application/octet-stream", b"\xff\xfe\x00"),
        ),
        token="eyJhbGciOiJIUzI1NiJ9.e30.Zm9v-_~+/=" + "x" * 100,
    ),
    Variant(
        "looping-among-strangers",
        "hardened",
        looping.serve,
        Freedoms(
            foreign=60,
            fractions_given=True,
            fractions_taken=True,
            before=Beyond.NEAREST,
            past=Beyond.EMPTY,
            order=Order.SCATTERED,
            password=Password.EMPTY,
            layout=Layout.INDENTED,
            json_type="Application/JSON",
            ids=drawn(-(2**63), 2**63 - 1),
            optional=Optional.PARTIAL,
            busy=(Busy(900, 429, "date"), Busy(701, 429, "0")),
            repeated=409,
        ),
    ),
    Variant(
        "looping-in-a-crowd",
        "strict",
        looping.serve,
        Freedoms(
            foreign=1500,
            listed=Listed.CHANGING,
            largest_page=100,
            large=Large.CAPPED,
            past=Beyond.REFUSED,
            optional=Optional.EMPTY,
            json_type='application/json; charset="utf-8"',
        ),
        part=("list",),
    ),
    Variant(
        "handmade-restless",
        "strict",
        partial(handmade.serve, wire=Wire(chunks=(1, 7, 2, 64, 3), hangs_up_on_nonsense=True)),
        Freedoms(foreign=20, restless=True, before=Beyond.NEAREST, order=Order.SCATTERED, ids=drawn(0, 2**31)),
        verdicts=("conformant", "incomplete"),
        untested="others|meanwhile|chang",
    ),
    Variant(
        "handmade-restless-crowd",
        "strict",
        partial(handmade.serve, wire=Wire(chunks=(5000,))),
        Freedoms(foreign=98, restless=True, order=Order.NAME, repeated=409, past=Beyond.NEAREST),
        verdicts=("conformant", "incomplete"),
        untested="others|meanwhile|chang",
        part=("create", "list"),
    ),
    Variant(
        "looping-in-a-restless-town",
        "hardened",
        looping.serve,
        Freedoms(
            foreign=3000, restless=True, order=Order.NEWEST, listed=Listed.NAME, past=Beyond.REFUSED, first_page=0
        ),
        verdicts=("conformant", "incomplete"),
        untested="others|meanwhile|chang",
        part=("create", "list", "destroy"),
    ),
    Variant(
        "handmade-hangs-up",
        "strict",
        partial(
            handmade.serve,
            wire=Wire(requests_per_connection=7, chunks=(100, 1), interim=True, reasons=False, packing="deflate gzip"),
        ),
        Freedoms(
            before=Beyond.EMPTY,
            past=Beyond.NEAREST,
            layout=Layout.ESCAPED,
            extras=True,
            own_status=True,
            ids=descending(2**63 - 1),
            done=("text/html; charset=iso-8859-1", b"<p>\xe4"),
            foreign=12,
            refused=404,
            denied=403,
            unfound=422,
        ),
        base_path="/My%20PBX/v1.0/~providers",
    ),
    Variant(
        "handmade-slow",
        "strict",
        partial(
            handmade.serve,
            wire=Wire(idle=0.02, closes_after_errors=True, trickle=True, waits_for_the_end=True, packing="deflate"),
        ),
        Freedoms(pauses=(0.02, 0.05), pause_every=6, past=Beyond.BARE, busy=(Busy(800),), ids=descending(5)),
        part=("show", "update", "destroy"),
    ),
    Variant(
        "handmade-unfriendly-extras",
        "strict",
        partial(handmade.serve, wire=Wire(chunks=(4096,), packing="")),
        Freedoms(extras=True, unfriendly_extras=True, created_whole=True, password=Password.STARS),
        part=("show", "list"),
    ),
    Variant(
        "looping-forbids-everything",
        "hardened",
        looping.serve,
        Freedoms(
            choosy=True,
            refused=403,
            repeated=403,
            denied=403,
            unfound=403,
            past=Beyond.REFUSED,
            before=Beyond.WHOLE,
            order=Order.HASHED,
            ids=drawn(-(2**31), -1),
            tells_names=True,
        ),
    ),
    Variant(
        "hasty-unauthorized-everything",
        "hardened",
        partial(closing.serve, hasty=True),
        Freedoms(
            refused=401,
            repeated=401,
            unfound=401,
            past=Beyond.TEXT,
            before=Beyond.CORRECTED,
            error_type="text/plain",
            foreign=95,
        ),
        part=("create", "update", "destroy", "AUTH-2", "AUTH-3", "VALUE-1", "LIST-7"),
    ),
    Variant(
        "flask-hoards-what-it-does-not-know",
        "hardened",
        flasks.serve,
        Freedoms(unknown=Unknown.STORED, largest_body=16_000_000, past=Beyond.WHOLE, first_page=0),
        part=("list", "HTTP-2", "HTTP-5"),
    ),
    Variant(
        "looping-with-room-for-three",
        "hardened",
        looping.serve,
        Freedoms(cap=3, past=Beyond.UNCOUNTED),
        part=("list", "CREATE-3", "SHOW-4", "DESTROY-3"),
    ),
    Variant(
        "closing-with-room-for-two",
        "hardened",
        closing.serve,
        Freedoms(cap=2, first_page=0, past=Beyond.CORRECTED, order=Order.NEWEST),
        verdicts=("incomplete",),
        untested="providers at a time",
        part=("list",),
    ),
    Variant(
        "core-lax",
        "core",
        looping.serve,
        Freedoms(
            malformed=Malformed.MADE_UP_FOR,
            missing=Unfound.CREATED,
            paging=Paging.WRONG,
            unfound_body=b"{}",
            any_number=True,
            fractions_taken=True,
            unknown=Unknown.STORED,
            past=Beyond.NEAREST,
            before=Beyond.AROUND,
            own_status=True,
            foreign=17,
        ),
    ),
    Variant(
        "core-terse",
        "core",
        closing.serve,
        Freedoms(
            malformed=Malformed.SERVER_ERROR,
            missing=Unfound.IGNORED,
            paging=Paging.ABSENT,
            unfound_body=b'{"error": "there is no such provider", "code": 17}',
            any_number=True,
            first_page=0,
            before=Beyond.NEAREST,
            past=Beyond.BARE,
            listed=Listed.ID,
            password=Password.ABSENT,
            order=Order.NEWEST,
            optional=Optional.EMPTY,
            refused=403,
        ),
        token="k",
        part=("show", "list", "DESTROY-4"),
    ),
    Variant(
        "core-null",
        "core",
        flasks.serve,
        Freedoms(
            missing=Unfound.IGNORED,
            paging=Paging.WRONG,
            unfound_body=b"null",
            past=Beyond.AROUND,
            before=Beyond.AROUND,
            foreign=30,
            order=Order.NEWEST,
            repeated=409,
            choosy=True,
            unknown=Unknown.REFUSED,
        ),
        token=SHORT_TOKEN,
        part=("show", "list", "UPDATE-1"),
    ),
    Variant(
        "lockout-for-hours",
        "hardened",
        looping.serve,
        Freedoms(lockout=Lockout(5, 429, "7200")),
        verdicts=("incomplete",),
        untested="7200|locked out|ended before",
        keeps=True,
        part=("AUTH-2", "AUTH-3"),
    ),
    Variant(
        "lockout-without-a-word",
        "hardened",
        looping.serve,
        Freedoms(lockout=Lockout(5, 403)),
        verdicts=("incomplete",),
        untested="7200|locked out|ended before",
        keeps=True,
        part=("AUTH-2", "AUTH-3"),
    ),
    Variant(
        "lockout-for-seconds",
        "hardened",
        looping.serve,
        Freedoms(lockout=Lockout(5, 403, seconds=4)),
        verdicts=("incomplete",),
        untested="locked out|ended before",
        part=("AUTH-2", "AUTH-3"),
    ),
    Variant(
        "lockout-by-another-status",
        "hardened",
        looping.serve,
        Freedoms(lockout=Lockout(7, 423)),
        verdicts=("incomplete",),
        untested="locked out|ended before",
        keeps=True,
        part=("AUTH-2", "AUTH-3"),
    ),
    Variant(
        "lockout-that-hides",
        "hardened",
        looping.serve,
        Freedoms(lockout=Lockout(20, 404)),
        verdicts=("incomplete",),
        untested="locked out|ended before",
        keeps=True,
        part=("AUTH-2", "AUTH-3"),
    ),
)


def find_variant(name: str) -> Variant:
    """Return the variant of that name."""
    return next(variant for variant in VARIANTS if variant.name == name)
