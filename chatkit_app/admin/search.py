"""The inbox's search: what was typed, which threads it means, and the words where they were found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat, Lower, StrIndex, Substr, Upper
from django.db.models.lookups import Contains
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from ..models import Thread, ThreadItem
from ..storable import storable_text
from .base import is_key
from .content import visible
from .filters import start_of_day

OPERATORS = ("user", "status", "label", "before", "after")
MAX_WORDS = 10
MESSAGES_SEARCHED = 1_000
"""Messages that a search looks at, of those that have the words: the newest, so that common words are quick too."""
ROWS_SEARCHED_FOR_SHORT_WORDS = 20_000
"""Messages, and titles, among which words are looked for that no index of trigrams knows."""
THREADS_SEARCHED = 2_000
"""Threads of which all messages are searched where the threads are filtered: the latest."""
EXCERPT_LENGTH = 160
EXCERPT_BEFORE = 20

_TOKEN = re.compile(rf'(?:({"|".join(OPERATORS)}):)?(?:"([^"]*)"?|(\S+))', re.IGNORECASE)
_QUOTES = str.maketrans("“”„«»", '"' * 5)
_LONG_WORD = re.compile(r"\w{3}")
_VISITOR_LENGTH = 20


@dataclass(frozen=True, kw_only=True)
class Search:
    """The content of the search box, taken apart.

    Attributes:
        words: words and phrases, all of which have to be in one message, or in the title.
        users: parts of users' names, or whole ids; any of them.
        statuses: any of them.
        labels: all of them.
        after: the thread's last activity is not before this.
        before: it is before this.
        misunderstood: what could not be taken for any of these, as it was typed.
    """

    words: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    misunderstood: tuple[str, ...] = ()

    @property
    def has_short_words_only(self) -> bool:
        return bool(self.words) and not any(map(_LONG_WORD.search, self.words))


@dataclass(frozen=True, kw_only=True)
class Found:
    """The result of a search for words.

    Attributes:
        keys: primary keys of the threads.
        is_capped: whether more messages or titles have the words than were looked at.
    """

    keys: tuple[Any, ...] = ()
    is_capped: bool = False


def parse(typed: str) -> Search:
    """Take apart what was typed: words, ``"phrases"`` and ``operator:value``."""
    values: dict[str, list[Any]] = {name: [] for name in (*OPERATORS, "words", "misunderstood")}
    # No text has a NUL, and PostgreSQL takes none in a question either.
    for match in _TOKEN.finditer(storable_text(typed, nul="\N{REPLACEMENT CHARACTER}").translate(_QUOTES)):
        operator, value = (match[1] or "").lower(), (match[2] or match[3] or "").strip()
        if not operator and value.lower().removesuffix(":") in OPERATORS and value.endswith(":"):
            values["misunderstood"].append(value)
        elif not operator:
            values["words"] += [value] if value else []
        elif (meant := _meaning(operator, value)) is not None:
            values[operator].append(meant)
        else:
            values["misunderstood"].append(match[0])
    return Search(
        words=tuple(values["words"][:MAX_WORDS]),
        users=tuple(values["user"]),
        statuses=tuple(values["status"]),
        labels=tuple(values["label"]),
        after=max(values["after"], default=None),
        before=min(values["before"], default=None),
        misunderstood=tuple(values["misunderstood"] + values["words"][MAX_WORDS:]),
    )


def _meaning(operator: str, value: str) -> Any:
    """Return the value of an operator, or None where it has no such value."""
    if operator in ("before", "after"):
        return start_of_day(value)
    if operator == "status":
        # Under its own name, or under the one that the list shows.
        names = {str(status.label).lower(): status.value for status in Thread.Status}
        return value.lower() if value.lower() in Thread.Status.values else names.get(value.lower())
    return value or None


# --- Finding ------------------------------------------------------------------------------------------------


def narrow(search: Search, threads: QuerySet[Thread]) -> QuerySet[Thread]:
    """Return those of the threads that the operators let through."""
    if search.users:
        threads = threads.filter(_owned_by(search.users))
    if search.statuses:
        threads = threads.filter(status__in=search.statuses)
    for label in search.labels:
        labelled = Thread.labels.through._default_manager.filter(label__name__iexact=label)
        threads = threads.filter(pk__in=labelled.values("thread"))
    if search.after is not None:
        threads = threads.filter(last_activity__gte=search.after)
    if search.before is not None:
        threads = threads.filter(last_activity__lt=search.before)
    return threads


def find(search: Search, threads: QuerySet[Thread], *, may_read: bool) -> Found:
    """Look for the words, in one query at most.

    However common the words are, this reads a bounded number of rows: of all messages with the words the newest
    ``MESSAGES_SEARCHED``, and where the threads are narrowed or filtered all messages of the latest
    ``THREADS_SEARCHED`` of these threads.

    Args:
        search: what to look for.
        threads: those among which to look: narrowed, filtered, and within the staff member's scope.
        may_read: whether titles and messages may be searched. Whole ids and names always are.
    """
    threads = threads.order_by().select_related(None)
    parts = [_part("whole", threads.filter(whole)) for whole in _names(search)]
    if may_read:
        messages = _newest(_with_words(search, ThreadItem.objects.all(), "text"))
        parts.append(_part("title", _newest(_with_words(search, threads, "title"))))
        if not threads.query.where:
            parts.append(_part("message", messages, "thread"))
        else:
            is_wanted = Exists(threads.filter(pk=OuterRef("thread")))
            latest = threads.order_by("-last_activity", "-pk").values("pk")
            of_latest = ThreadItem.objects.filter(thread__in=latest[:THREADS_SEARCHED]).filter(
                _has(search, "text")
            )
            parts += [
                _part("message", messages, "thread", is_wanted),
                _part("message of the latest", of_latest.order_by(), "thread").distinct(),
                _part(
                    "older threads",
                    Thread.objects.filter(pk__in=latest[THREADS_SEARCHED : THREADS_SEARCHED + 1]),
                    "pk",
                    Value(False),
                ),
            ]
    if not parts:
        return Found()
    rows = list(parts[0].union(*parts[1:], all=True))
    counts = Counter(part for _, part, _ in rows)
    is_capped = counts["message"] > MESSAGES_SEARCHED and (
        bool(counts["older threads"]) or not threads.query.where
    )
    return Found(
        keys=tuple({key for key, _, is_wanted in rows if is_wanted}),
        is_capped=is_capped or counts["title"] > MESSAGES_SEARCHED,
    )


def _part(name: str, rows: QuerySet[Any], thread: str = "pk", is_wanted: Any = None) -> QuerySet[Any]:
    return rows.values_list(thread, Value(name), Value(True) if is_wanted is None else is_wanted)


def _owned_by(names: Iterable[str]) -> Q:
    users = get_user_model()
    wanted = Q()
    for name in names:
        wanted |= Q(**{f"{users.USERNAME_FIELD}__icontains": name})
        if is_key(users._meta.pk, name):
            wanted |= Q(pk=name)
    of_users = Q(user__in=users._default_manager.filter(wanted).values("pk"))
    visitors = [name for name in names if len(name) >= _VISITOR_LENGTH]
    if not visitors:
        return of_users
    # A union: an OR of the two would go through all threads.
    found = Thread.objects.filter(of_users).values("pk")
    return Q(pk__in=found.union(Thread.objects.filter(visitor_id__in=visitors).values("pk")))


def _names(search: Search) -> list[Q]:
    """Return conditions on what a single word may name as a whole."""
    if len(search.words) != 1:
        return []
    word = search.words[0]
    return [
        Q(public_id=word),
        Q(visitor_id=word),
        Q(**{f"user__{get_user_model().USERNAME_FIELD}": word}),
    ]


def _with_words(search: Search, rows: QuerySet[Any], column: str) -> QuerySet[Any]:
    rows = rows.filter(_has(search, column))
    if search.has_short_words_only:
        keys = rows.model._default_manager.order_by("-pk").values("pk")
        rows = rows.filter(pk__gt=Coalesce(Subquery(keys[ROWS_SEARCHED_FOR_SHORT_WORDS:][:1]), 0))
    return rows


def _has(search: Search, column: str) -> Q:
    if search.has_short_words_only:
        # Not UPPER(), as icontains has it: PostgreSQL would read all of the index that can tell nothing of them.
        return Q(*(Contains(Lower(F(column)), word.lower()) for word in search.words))
    return Q(*(Q(**{f"{column}__icontains": word}) for word in search.words))


def _newest(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the newest of the rows, and one more where there are more; fit for a union on every database."""
    keys = rows.order_by("-pk").values("pk")[: MESSAGES_SEARCHED + 1]
    newest: QuerySet[Any] = rows.model._default_manager.filter(pk__in=keys).order_by()
    return newest


# --- Showing ------------------------------------------------------------------------------------------------


def excerpt(search: Search) -> Subquery:
    """Return each thread's newest message with these words, cut to the part around the first of them."""
    at = StrIndex(Upper("text"), Upper(Value(search.words[0])))
    cut = Case(
        When(
            at__gt=EXCERPT_BEFORE + 1,
            then=Concat(Value("…"), Substr("text", F("at") - EXCERPT_BEFORE, EXCERPT_LENGTH)),
        ),
        default=Substr("text", 1, EXCERPT_LENGTH),
    )
    messages = ThreadItem.objects.filter(_has(search, "text"), thread=OuterRef("pk")).order_by("-pk")
    return Subquery(messages.annotate(at=at, cut=cut).values("cut")[:1])


def marked(text: str, words: Iterable[str]) -> str:
    """Return the text as HTML, with the words marked."""
    pattern = "|".join(re.escape(" ".join(word.split())) for word in sorted(words, key=len, reverse=True))
    line = " ".join(text.split())
    if not pattern:
        return visible(line)
    pieces = re.split(f"({pattern})", line, flags=re.IGNORECASE)
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<mark>{}</mark>", visible(piece)) if index % 2 else visible(piece),)
            for index, piece in enumerate(pieces)
            if piece
        ),
    )


def remarks(search: Search, found: Found, *, may_read: bool) -> list[str]:
    """Return what the user has to know of the result."""
    told = [_("“%(text)s” was not understood.") % {"text": visible(text)} for text in search.misunderstood]
    if search.words and not may_read:
        told.append(_("You may not read what threads say: only whole ids and names were looked for."))
    elif search.has_short_words_only:
        told.append(
            _("Words of one or two letters are looked for in the newest %(count)d messages only.")
            % {"count": ROWS_SEARCHED_FOR_SHORT_WORDS}
        )
    if found.is_capped:
        told.append(
            _(
                "More than %(count)d messages have these words; the newest were looked at. Add a word, a user or "
                "a date to find older ones."
            )
            % {"count": MESSAGES_SEARCHED}
        )
    return told
