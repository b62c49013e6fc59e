"""Stores providers in any database that SQLAlchemy speaks to.

Every method is one transaction. Decisions of the contract are made elsewhere, by `service.Reference`.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    column,
    create_engine,
    delete,
    event,
    func,
    insert,
    make_url,
    select,
    table,
    update,
)
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.pool import StaticPool

from provider_conformance.reference.messages import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine, Select
    from sqlalchemy.engine.interfaces import DBAPIConnection

    from provider_conformance.reference.messages import Properties

Order: TypeAlias = Literal["id", "name"]

METADATA = MetaData()

PROVIDERS = Table(
    "providers",
    METADATA,
    # SQLite numbers only a plain INTEGER key, and reuses numbers unless told AUTOINCREMENT (CREATE-3).
    Column("id", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("hostname", Text, nullable=False),
    Column("port", BigInteger, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("auth_mode", Text, nullable=False),
    Column("auth_id", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("require_register", Boolean, nullable=False),
    Column("reregister_interval", BigInteger, nullable=False),
    Column("outbound_server", Text, nullable=False),
    Column("outbound_server_port", BigInteger, nullable=False),
    Column("provider_in_lan", Boolean, nullable=False),
    Column("single_via_header", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("ips", JSON, nullable=False),
    Column("in_parameters", JSON, nullable=False),
    Column("out_parameters", JSON, nullable=False),
    # Else whoever asks for a page in the order of names waits until all of the table is read. Other databases set
    # bounds to what they index.
    Index("providers_by_name", "name", "id").ddl_if(dialect="sqlite"),
    sqlite_autoincrement=True,
)

COUNTED = (
    "CREATE TABLE IF NOT EXISTS counted (providers INTEGER NOT NULL)",
    "CREATE TRIGGER IF NOT EXISTS counts_created AFTER INSERT ON providers"
    " BEGIN UPDATE counted SET providers = providers + 1; END",
    "CREATE TRIGGER IF NOT EXISTS counts_destroyed AFTER DELETE ON providers"
    " BEGIN UPDATE counted SET providers = providers - 1; END",
    "INSERT INTO counted SELECT there FROM (SELECT count(*) AS there FROM providers)"
    " WHERE NOT EXISTS (SELECT 1 FROM counted)",
)
"""What lets SQLite tell the number of providers, which every list does, without going through them all each time."""

# Built once: composing them anew costs as much as running them.
_THIS = PROVIDERS.c.id == bindparam("this")
_INSERT = insert(PROVIDERS)
_UPDATE = update(PROVIDERS).where(_THIS)
_DELETE = delete(PROVIDERS).where(_THIS)
_COUNT = select(func.count()).select_from(PROVIDERS)
_KEPT_COUNT = select(column("providers", Integer)).select_from(table("counted"))
_ALL = select(PROVIDERS).order_by(PROVIDERS.c.id)
_ONE = select(PROVIDERS).where(_THIS)
_ORDERS = {"id": (PROVIDERS.c.id,), "name": (PROVIDERS.c.name, PROVIDERS.c.id)}
_PAGE = select(PROVIDERS).offset(bindparam("offset")).limit(bindparam("limit"))
_FROM_THE_START = {order: _PAGE.order_by(*columns) for order, columns in _ORDERS.items()}
_FROM_THE_END = {order: _PAGE.order_by(*[column.desc() for column in columns]) for order, columns in _ORDERS.items()}


class UnstorableError(Exception):
    """The database cannot hold a value, such as a number beyond its range."""


class Store:
    """Every provider there is, safe to be used by many threads at once."""

    def __init__(self, url: str = MEMORY) -> None:
        self._engine = _engine(url)
        # There is but one connection to a database in memory, which hence all threads have in turns.
        self.in_turns = isinstance(self._engine.pool, StaticPool)
        self._only = self._engine.connect() if self.in_turns else None
        self._turn = threading.Lock()
        with self._transaction() as connection:
            METADATA.create_all(connection)
            self._count = _count_of(connection)

    def insert(self, properties: Properties) -> int:
        """Add a provider and return its id, which is the one among its properties or else a new one."""
        with self._transaction() as connection:
            key = connection.execute(_INSERT, properties).inserted_primary_key
        return int(key[0]) if key else 0

    def get(self, provider_id: int) -> Properties | None:
        """Return a provider, or None if there is none of that id."""
        with self._transaction() as connection:
            row = connection.execute(_ONE, {"this": provider_id}).mappings().first()
        return None if row is None else dict(row)

    def replace(self, provider_id: int, properties: Properties) -> bool:
        """Change properties of a provider, all at once; tell whether there is one of that id (HTTP-8)."""
        with self._transaction() as connection:
            changed = connection.execute(_UPDATE, properties | {"this": provider_id})
        return bool(changed.rowcount)

    def delete(self, provider_id: int) -> bool:
        """Remove a provider; tell whether there was one of that id."""
        with self._transaction() as connection:
            gone = connection.execute(_DELETE, {"this": provider_id})
        return bool(gone.rowcount)

    def page(self, offset: int, limit: int, order: Order = "id") -> tuple[int, list[Properties]]:
        """Return how many providers there are, and some of them, both from the same moment."""
        with self._transaction(snapshot=True) as connection:
            count = connection.execute(self._count).scalar_one()
            limit = min(limit, count - offset)
            if limit <= 0:
                return count, []
            # What is skipped is read, too: from the nearer end that is less.
            behind = count - offset - limit
            backwards = behind < offset
            pages, skipped = (_FROM_THE_END, behind) if backwards else (_FROM_THE_START, offset)
            rows = connection.execute(pages[order], {"offset": skipped, "limit": limit}).mappings().all()
        return count, [dict(row) for row in (reversed(rows) if backwards else rows)]

    def all(self) -> list[Properties]:
        """Return every provider, by id."""
        with self._transaction() as connection:
            return [dict(row) for row in connection.execute(_ALL).mappings()]

    def close(self) -> None:
        """Give back every connection; a database in memory is gone then."""
        if self._only is not None:
            self._only.close()
        self._engine.dispose()

    @contextmanager
    def _transaction(self, *, snapshot: bool = False) -> Iterator[Connection]:
        try:
            if self._only is not None:
                with self._turn:
                    yield self._only
            else:
                with self._begun(snapshot=snapshot) as connection:
                    yield connection
        except (DataError, IntegrityError, OverflowError) as error:
            # From None: the statement and its values belong in no log (HTTP-6).
            raise UnstorableError(type(error).__name__) from None

    @contextmanager
    def _begun(self, *, snapshot: bool) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            if snapshot and connection.dialect.name != "sqlite":  # a transaction in SQLite always is one
                connection.execution_options(isolation_level="SERIALIZABLE")
            with connection.begin():
                yield connection


def _count_of(connection: Connection) -> Select[int]:
    """Return what tells how many providers a database has; SQLite is taught to keep their number."""
    if connection.dialect.name != "sqlite":
        return _COUNT
    for statement in COUNTED:
        connection.exec_driver_sql(statement)
    return _KEPT_COUNT


def _engine(url: str) -> Engine:
    """Return an engine for a database URL, with what SQLite needs to serve threads rightly."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, hide_parameters=True)
    settings = {"check_same_thread": False, "timeout": 30, "isolation_level": None}
    if parsed.database in {None, "", ":memory:"}:
        # Whoever has the turn is alone: transactions would change nothing, and take more than half of the time.
        return create_engine(
            parsed, hide_parameters=True, connect_args=settings, poolclass=StaticPool, isolation_level="AUTOCOMMIT"
        )
    engine = create_engine(parsed, hide_parameters=True, connect_args=settings)

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")  # readers need not wait for the writer
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver itself would begin a transaction at the first write only, and page() reads twice.
        connection.exec_driver_sql("BEGIN")

    return engine
