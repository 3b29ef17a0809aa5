"""The unit of work that lists threads for people, and searches in what was said."""

import re
import string
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Text, bindparam, cast, func, or_, select
from sqlalchemy.sql.expression import literal_column

from ghostos.contracts.thread_search import FoundThread, FoundThreads, ThreadQuery
from ghostos.drivers.store.encoding import replace_surrogates
from ghostos.drivers.store.schema.tables import messages, tasks
from ghostos.drivers.store.schema.types import AnyText
from ghostos.drivers.store.statements import DriverConnection, Statement

__all__ = ["search_threads"]

_BEGINS_CHARS = 200
_READ_CHARS = 100_000
"""Of a message that has the words: that much is looked at for the excerpt."""
_BEFORE_CHARS = 30
_EXCERPT_CHARS = 100

_PATTERNS = ("pattern", "pattern_lower", "pattern_title", "pattern_upper")
_WILDCARD = re.compile("[%_!]")
_TO_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_is_text = messages.c.type == literal_column("'text'")


def search_threads(connection: DriverConnection, query: ThreadQuery) -> FoundThreads:
    """Return the threads that are wanted, the one whose last commit is the latest first."""
    words = replace_surrogates(query.words).strip()
    wanted: dict[str, Any] = {
        "target": query.target,
        "with_made": int(query.with_made),
        "limit": query.limit,
        "offset": query.offset,
    }
    rows = _search.mappings(connection, wanted | _patterns_for(words)) if words else _list.mappings(connection, wanted)
    total = rows[0]["total"] if rows else 0
    return FoundThreads([_thread_from_row(row, words=words) for row in rows], total)


def _thread_from_row(row: dict[str, Any], *, words: str) -> FoundThread:
    said = row.pop("said")
    del row["total"]
    return FoundThread(**row, excerpt=_cut_excerpt(said, words=words) if said else "")


def _cut_excerpt(said: str, *, words: str) -> str:
    """Return what is around the words, on one line; "" where they are not in what was read of the message."""
    found = re.search(re.escape(words), said, re.IGNORECASE)
    if found is None:
        return ""
    start = max(0, found.start() - _BEFORE_CHARS)
    end = max(found.end(), start + _EXCERPT_CHARS)
    line = " ".join(said[start:end].split())
    return f"{'…' if start else ''}{line}{'…' if end < len(said) else ''}"


def _patterns_for(words: str) -> dict[str, str | None]:
    """Return patterns of LIKE, which knows of ASCII alone that `a` is `A`; of other letters, how people write them.

    A pattern that would find the same as another one is None: comparing with that costs nothing.
    """
    forms: dict[str, str] = {}
    for form in (words, words.lower(), words.title(), words.upper()):
        forms.setdefault(form.translate(_TO_ASCII_LOWER), form)
    patterns = ["%" + _WILDCARD.sub(r"!\g<0>", form) + "%" for form in forms.values()]
    return dict(zip(_PATTERNS, patterns + [None] * (len(_PATTERNS) - len(patterns)), strict=True))


def _has_words(column: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(*(column.like(bindparam(name, type_=AnyText), escape="!") for name in _PATTERNS))


def _select_threads(*, is_search: bool) -> Select[Any]:
    """Return the statement; where nothing is searched, messages of the threads that are returned alone are touched."""
    # With an expression in the place of the column, SQLite reads the table in one go, in its own order: by the index
    # of the primary key each message would be looked up, which takes three times as long.
    of_task = cast(messages.c.task_id, Text).label("task_id")
    said = (
        select(of_task, func.max(messages.c.seq).label("seq"))
        .where(_is_text, _has_words(messages.c.content))
        .group_by(of_task)
        .cte("said")
    )
    names = ("id", "name", "target", "state", "parent_id", "turn", "updated_at")
    columns: list[ColumnElement[Any]] = [*(tasks.c[name] for name in names), func.count().over().label("total")]
    found: Select[Any] = select(*columns, literal_column("NULL").label("seq"))
    if is_search:
        found = select(*columns, said.c.seq).join_from(tasks, said, said.c.task_id == tasks.c.id, isouter=True)
        found = found.where(or_(_has_words(tasks.c.name), said.c.seq.is_not(None)))
    target, with_made = bindparam("target"), bindparam("with_made", type_=Integer)
    page = (
        found.where(or_(target.is_(None), tasks.c.target == target), or_(with_made == 1, tasks.c.parent_id.is_(None)))
        .order_by(tasks.c.updated_at.desc(), tasks.c.id.desc())
        .limit(bindparam("limit", type_=Integer))
        .offset(bindparam("offset", type_=Integer))
        .subquery("page")
    )
    count = select(func.count()).where(messages.c.task_id == page.c.id).scalar_subquery()
    begins = (
        select(func.substr(messages.c.content, 1, _BEGINS_CHARS))
        .where(messages.c.task_id == page.c.id, messages.c.role == "user", _is_text)
        .order_by(messages.c.seq)
        .limit(1)
        .scalar_subquery()
    )
    its_words = (
        select(func.substr(messages.c.content, 1, _READ_CHARS))
        .where(messages.c.task_id == page.c.id, messages.c.seq == page.c.seq)
        .scalar_subquery()
    )
    return select(
        *(page.c[name] for name in (*names, "total")),
        count.label("messages"),
        func.coalesce(begins, "").label("begins"),
        (its_words if is_search else literal_column("NULL")).label("said"),
    ).order_by(page.c.updated_at.desc(), page.c.id.desc())


_list = Statement(_select_threads(is_search=False))
_search = Statement(_select_threads(is_search=True))
