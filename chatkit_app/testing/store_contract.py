"""The contract of every store of the app, as tests."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from chatkit.types import (
    ActiveStatus,
    AssistantMessageContent,
    AssistantMessageItem,
    ClosedStatus,
    FileAttachment,
    HiddenContextItem,
    LockedStatus,
    ThreadItem,
    ThreadMetadata,
)

from ..context import RequestContext
from ..store.base import NoOwner, NotFoundError, OwnedStore
from ..store.state import StoreState
from .sample_items import HARD_JSON, HARD_TEXT, sample_attachments, sample_items

NOON = datetime(2025, 6, 1, 12, 0, 0, 123456)


def message(item_id: str, text: str = "Hello", *, created_at: datetime = NOON) -> AssistantMessageItem:
    """Return a short message of the assistant. Which thread it is in, the store decides."""
    content = [AssistantMessageContent(text=text)]
    return AssistantMessageItem(id=item_id, thread_id="t", created_at=created_at, content=content)


class StoreContract:
    """Tests of a store. Inherit from it, and say how to make yours::

        class TestRedisStore(StoreContract):
            def make_store(self):
                return RedisStore()

    Works with pytest (``asyncio_mode = "auto"``), and as a mixin with ``unittest.IsolatedAsyncioTestCase``.
    """

    _ids = itertools.count(1)

    def make_store(self) -> OwnedStore:
        """Return a new and empty store."""
        raise NotImplementedError

    async def make_user_id(self) -> Any:
        """Return the id of a user who exists."""
        return next(self._ids)

    # What the tests are written with

    async def make_context(self, *, namespace: str = "") -> RequestContext:
        return RequestContext(user_id=await self.make_user_id(), namespace=namespace)

    def again(self, context: RequestContext) -> RequestContext:
        """Return the context of the same owner's next request."""
        return RequestContext(
            user_id=context.user_id, visitor_id=context.visitor_id, namespace=context.namespace
        )

    async def make_thread(
        self, store: OwnedStore, context: RequestContext, thread_id: str = "t", **fields: Any
    ) -> ThreadMetadata:
        thread = ThreadMetadata(id=thread_id, created_at=fields.pop("created_at", NOON), **fields)
        await store.save_thread(thread, context)
        return thread

    async def make_messages(self, store: OwnedStore, context: RequestContext, ids: Sequence[str]) -> None:
        await self.make_thread(store, context)
        for item_id in ids:
            await store.add_thread_item("t", message(item_id), context)

    async def list_items(
        self, store: OwnedStore, context: RequestContext, after: str | None = None, limit: int = 100
    ) -> list[ThreadItem]:
        page = await store.load_thread_items("t", after, limit, "asc", self.again(context))
        return page.data

    async def refuses(self, error: type[Exception], call: Awaitable[Any]) -> None:
        try:
            result = await call
        except error:
            return
        raise AssertionError(f"{error.__name__} was expected, and the store gave {result!r}")

    # Threads

    async def test_thread_comes_back_as_it_was(self) -> None:
        store, context = self.make_store(), await self.make_context()
        thread = await self.make_thread(
            store,
            context,
            title="A title \U0001f600",
            status=LockedStatus(reason="Be kind"),
            allowed_image_domains=["example.com", HARD_TEXT],
            metadata=HARD_JSON,
        )
        assert await store.load_thread("t", self.again(context)) == thread

    async def test_thread_without_anything_comes_back_as_it_was(self) -> None:
        store, context = self.make_store(), await self.make_context()
        thread = await self.make_thread(store, context)
        assert await store.load_thread("t", self.again(context)) == thread

    async def test_empty_list_of_image_domains_stays_empty(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context, allowed_image_domains=[])
        assert (await store.load_thread("t", self.again(context))).allowed_image_domains == []

    async def test_status_goes_through_all_its_values(self) -> None:
        store, context = self.make_store(), await self.make_context()
        thread = await self.make_thread(store, context)
        for status in (LockedStatus(reason="Stop"), ClosedStatus(reason=None), ActiveStatus()):
            thread.status = status
            await store.save_thread(thread, context)
            assert (await store.load_thread("t", self.again(context))).status == status

    async def test_thread_is_changed_by_a_later_request(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context, title="Old", metadata={"a": 1})
        later = self.again(context)
        thread = await store.load_thread("t", later)
        thread.title, thread.metadata = None, {"b": [2]}
        await store.save_thread(thread, later)
        stored = await store.load_thread("t", self.again(context))
        assert (stored.title, stored.metadata) == (None, {"b": [2]})

    async def test_loaded_thread_is_a_copy(self) -> None:
        store, context = self.make_store(), await self.make_context()
        thread = await self.make_thread(store, context, metadata={"list": [1]})
        thread.metadata["list"].append(2)
        (await store.load_thread("t", self.again(context))).metadata["list"].append(3)
        assert (await store.load_thread("t", self.again(context))).metadata == {"list": [1]}

    async def test_deleted_thread_takes_everything_along(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a"])
        await store.save_attachment(sample_attachments(thread_id="t")[0], context)
        await store.save_feedback("t", ["a"], "positive", context)
        await store.delete_thread("t", self.again(context))
        await self.refuses(NotFoundError, store.load_thread("t", self.again(context)))
        await self.refuses(NotFoundError, store.load_item("t", "a", self.again(context)))
        await self.refuses(NotFoundError, store.load_attachment("atc_file", self.again(context)))
        await self.make_thread(store, self.again(context))
        assert await self.list_items(store, context) == []

    async def test_threads_come_in_the_order_in_which_they_were_made(self) -> None:
        store, context = self.make_store(), await self.make_context()
        for index, thread_id in enumerate(("one", "two", "three")):
            await self.make_thread(store, context, thread_id, created_at=NOON - timedelta(days=index))
        page = await store.load_threads(2, None, "desc", context)
        assert ([row.id for row in page.data], page.has_more, page.after) == (["three", "two"], True, "two")
        page = await store.load_threads(2, page.after, "desc", context)
        assert ([row.id for row in page.data], page.has_more, page.after) == (["one"], False, None)

    async def test_thread_page_holds_at_least_one_row(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context)
        assert len((await store.load_threads(0, None, "desc", context)).data) == 1

    # Items

    async def test_every_item_comes_back_as_it_was(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context)
        items = sample_items(thread_id="t")
        for item in items:
            await store.add_thread_item("t", item, context)
        for item, stored in zip(items, await self.list_items(store, context), strict=True):
            assert stored == item
            assert stored.model_dump(mode="json") == item.model_dump(mode="json")

    async def test_item_can_be_loaded_alone(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a", "b"])
        assert await store.load_item("t", "b", self.again(context)) == message("b")

    async def test_half_a_character_becomes_a_replacement_character(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context, title="a\ud83d", metadata={"key": "\udc00b"})
        await store.add_thread_item("t", message("a", "x\ud83dy"), context)
        thread = await store.load_thread("t", self.again(context))
        assert (thread.title, thread.metadata) == ("a\ufffd", {"key": "\ufffdb"})
        assert await self.list_items(store, context) == [message("a", "x\ufffdy")]

    async def test_deep_data_comes_back_as_it_was(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context)
        content: Any = "deep"
        for _ in range(100):
            content = {"deeper": [content]}
        item = HiddenContextItem(id="a", thread_id="t", created_at=NOON, content=content)
        await store.add_thread_item("t", item, context)
        assert await self.list_items(store, context) == [item]

    async def test_number_that_json_does_not_know_becomes_null(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context)
        content = [float("nan"), float("inf"), float("-inf"), 1.5]
        item = HiddenContextItem(id="a", thread_id="t", created_at=NOON, content=content)
        await store.add_thread_item("t", item, context)
        stored = await store.load_item("t", "a", self.again(context))
        assert isinstance(stored, HiddenContextItem)
        assert stored.content == [None, None, None, 1.5]

    async def test_naive_time_comes_back_naive_and_equal(self) -> None:
        store, context = self.make_store(), await self.make_context()
        now = datetime.now()
        await self.make_thread(store, context, created_at=now)
        await store.add_thread_item("t", message("a", created_at=now), context)
        assert (await store.load_thread("t", self.again(context))).created_at == now
        assert (await store.load_item("t", "a", self.again(context))).created_at == now

    async def test_aware_time_comes_back_as_naive_local_time(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context)
        aware = datetime(2025, 6, 1, 12, tzinfo=UTC)
        await store.add_thread_item("t", message("a", created_at=aware), context)
        stored = await store.load_item("t", "a", self.again(context))
        assert stored.created_at == aware.astimezone().replace(tzinfo=None)

    async def test_item_belongs_to_the_thread_it_was_added_to(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context, "other")
        await store.add_thread_item("other", message("a"), context)
        assert (await store.load_item("other", "a", context)).thread_id == "other"

    async def test_same_item_id_in_two_threads_is_two_items(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context, "other")
        await self.make_messages(store, context, ["a"])
        await store.add_thread_item("other", message("a", "Other"), context)
        assert await self.list_items(store, context) == [message("a")]

    async def test_adding_again_replaces_in_place(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a", "b"])
        await store.add_thread_item("t", message("a", "Changed"), context)
        assert await self.list_items(store, context) == [message("a", "Changed"), message("b")]

    async def test_adding_again_in_a_later_request_replaces_in_place(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a", "b"])
        await store.add_thread_item("t", message("a", "Changed"), self.again(context))
        assert await self.list_items(store, context) == [message("a", "Changed"), message("b")]

    async def test_saving_an_unknown_item_adds_it(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a"])
        await store.save_item("t", message("b"), context)
        assert await self.list_items(store, context) == [message("a"), message("b")]

    async def test_saving_a_known_item_replaces_in_place(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a", "b"])
        await store.save_item("t", message("a", "Changed"), self.again(context))
        assert await self.list_items(store, context) == [message("a", "Changed"), message("b")]

    async def test_loaded_item_is_a_copy(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context)
        item = message("a")
        await store.add_thread_item("t", item, context)
        item.content[0].text = "Changed outside"
        loaded = await store.load_item("t", "a", context)
        assert isinstance(loaded, AssistantMessageItem)
        loaded.content[0].text = "Changed outside"
        assert await self.list_items(store, context) == [message("a")]

    async def test_items_come_in_the_order_in_which_they_were_added(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context)
        for item_id, created_at in (("b", NOON), ("c", NOON), ("a", NOON - timedelta(hours=1))):
            await store.add_thread_item("t", message(item_id, created_at=created_at), context)
        assert [item.id for item in await self.list_items(store, context)] == ["b", "c", "a"]

    async def test_item_pages_end_where_the_next_begins(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a", "b", "c", "d"])
        for order, expected in (("asc", ["ab", "cd"]), ("desc", ["dc", "ba"])):
            first = await store.load_thread_items("t", None, 2, order, context)
            second = await store.load_thread_items("t", first.after, 2, order, context)
            assert ["".join(item.id for item in page.data) for page in (first, second)] == expected
            assert [(page.has_more, page.after) for page in (first, second)] == [
                (True, expected[0][1]),
                (False, None),
            ]

    async def test_page_after_the_last_item_is_empty(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a"])
        page = await store.load_thread_items("t", "a", 2, "asc", context)
        assert (page.data, page.has_more, page.after) == ([], False, None)

    async def test_unknown_cursor_gives_an_empty_page(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context, "other")
        await store.add_thread_item("other", message("elsewhere"), context)
        await self.make_messages(store, context, ["a"])
        for cursor in ("unknown", "elsewhere", "\x00", "\ud800", "x" * 1000, ""):
            for order in ("asc", "desc"):
                page = await store.load_thread_items("t", cursor, 2, order, context)
                assert (page.data, page.has_more) == ([], False)
                threads = await store.load_threads(2, cursor, order, context)
                assert (threads.data, threads.has_more) == ([], False)

    async def test_somebody_elses_thread_is_an_unknown_cursor(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, await self.make_context(), "foreign")
        await self.make_thread(store, context)
        for order in ("asc", "desc"):
            assert (await store.load_threads(2, "foreign", order, context)).data == []

    async def test_hidden_items_do_not_take_a_visible_pages_place(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a"])
        for index in range(5):
            hidden = HiddenContextItem(id=f"h{index}", thread_id="t", created_at=NOON, content="x")
            await store.add_thread_item("t", hidden, context)
        await store.add_thread_item("t", message("b"), context)
        first = await store.load_visible_items("t", None, 1, "asc", context)
        assert (first.data, first.has_more, first.after) == ([message("a")], True, "a")
        second = await store.load_visible_items("t", "a", 1, "asc", context)
        assert (second.data, second.has_more, second.after) == ([message("b")], False, None)
        assert len(await self.list_items(store, context)) == 7

    async def test_deleted_item_is_gone(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a", "b"])
        await store.delete_thread_item("t", "a", context)
        await self.refuses(NotFoundError, store.load_item("t", "a", context))
        assert await self.list_items(store, context) == [message("b")]

    async def test_deleting_an_unknown_item_changes_nothing(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a"])
        for item_id in ("unknown", "\x00"):
            await store.delete_thread_item("t", item_id, context)
        assert await self.list_items(store, context) == [message("a")]

    # Attachments

    async def test_attachment_comes_back_as_it_was(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context)
        for thread_id in (None, "t"):
            for attachment in sample_attachments(thread_id=thread_id):
                await store.save_attachment(attachment, self.again(context))
                assert await store.load_attachment(attachment.id, self.again(context)) == attachment

    async def test_deleted_attachment_is_gone(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await store.save_attachment(sample_attachments()[0], context)
        await store.delete_attachment("atc_file", self.again(context))
        await self.refuses(NotFoundError, store.load_attachment("atc_file", context))

    # Feedback

    async def test_feedback_names_the_items_a_user_can_see(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a", "b"])
        hidden = HiddenContextItem(id="h", thread_id="t", created_at=NOON, content="x")
        await store.add_thread_item("t", hidden, context)
        asked = ["b", "unknown", "h", "a", "b", "\x00"]
        assert await store.save_feedback("t", asked, "positive", context) == ["b", "a"]
        assert await store.save_feedback("t", asked, "negative", context) == ["b", "a"]

    async def test_feedback_is_remembered_with_the_items(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_messages(store, context, ["a", "b", "c"])
        await store.save_feedback("t", ["a"], "negative", context)
        await store.save_feedback("t", ["a", "c"], "positive", context)
        reader = self.again(context)
        await store.load_visible_items("t", None, 10, "asc", reader)
        assert reader.state(StoreState).feedback == {"a": "positive", "c": "positive"}

    async def test_feedback_on_nothing_visible_is_refused(self) -> None:
        store, context = self.make_store(), await self.make_context()
        await self.make_thread(store, context)
        hidden = HiddenContextItem(id="h", thread_id="t", created_at=NOON, content="x")
        await store.add_thread_item("t", hidden, context)
        await self.refuses(NotFoundError, store.save_feedback("t", ["h", "unknown"], "positive", context))

    # Owners

    async def _expect_nothing_of_t(self, store: OwnedStore, context: RequestContext, item_id: str) -> None:
        """Assert that for this context there is no thread "t", whatever it asks."""
        attachment = FileAttachment(id="new", name="n", mime_type="m", thread_id="t")
        for call in (
            store.load_thread("t", self.again(context)),
            store.load_thread_items("t", None, 10, "asc", self.again(context)),
            store.load_visible_items("t", None, 10, "asc", self.again(context)),
            store.load_item("t", item_id, self.again(context)),
            store.add_thread_item("t", message(item_id, "Changed"), self.again(context)),
            store.save_item("t", message(item_id, "Changed"), self.again(context)),
            store.delete_thread_item("t", item_id, self.again(context)),
            store.delete_thread("t", self.again(context)),
            store.save_feedback("t", [item_id], "positive", self.again(context)),
            store.save_attachment(attachment, self.again(context)),
            store.load_attachment("atc_file", self.again(context)),
            store.delete_attachment("atc_file", self.again(context)),
        ):
            await self.refuses(NotFoundError, call)
        assert (await store.load_threads(10, None, "desc", self.again(context))).data == []

    async def _expect_apart(self, owner: RequestContext, stranger: RequestContext) -> None:
        store = self.make_store()
        await self.make_messages(store, owner, ["a"])
        attachment = sample_attachments()[0]
        await store.save_attachment(attachment, owner)
        await self._expect_nothing_of_t(store, stranger, "a")
        stolen = ThreadMetadata(id="t", created_at=NOON, title="Stolen")
        await self.refuses(NotFoundError, store.save_thread(stolen, self.again(stranger)))
        stolen_file = attachment.model_copy(update={"name": "Stolen"})
        await self.refuses(NotFoundError, store.save_attachment(stolen_file, self.again(stranger)))
        assert (await store.load_thread("t", self.again(owner))).title is None
        assert await self.list_items(store, owner) == [message("a")]
        assert await store.load_attachment("atc_file", self.again(owner)) == attachment

    async def test_absent_is_refused(self) -> None:
        await self._expect_nothing_of_t(self.make_store(), await self.make_context(), "a")

    async def test_two_users_never_meet(self) -> None:
        await self._expect_apart(await self.make_context(), await self.make_context())

    async def test_two_visitors_never_meet(self) -> None:
        await self._expect_apart(RequestContext(visitor_id="one"), RequestContext(visitor_id="two"))

    async def test_user_and_visitor_with_the_same_id_never_meet(self) -> None:
        user = await self.make_context()
        await self._expect_apart(user, RequestContext(visitor_id=str(user.user_id)))

    async def test_visitor_and_user_with_the_same_id_never_meet(self) -> None:
        user = await self.make_context()
        await self._expect_apart(RequestContext(visitor_id=str(user.user_id)), user)

    async def test_two_namespaces_never_meet(self) -> None:
        owner = await self.make_context(namespace="one")
        await self._expect_apart(owner, RequestContext(user_id=owner.user_id, namespace="two"))

    async def test_nobody_reads_nothing(self) -> None:
        store = self.make_store()
        await self.make_messages(store, RequestContext(visitor_id="somebody"), ["a"])
        for nobody in (RequestContext(), RequestContext(visitor_id="")):
            await self.refuses(NotFoundError, store.load_thread("t", nobody))
            await self.refuses(NotFoundError, store.load_item("t", "a", nobody))
            assert (await store.load_threads(10, None, "desc", nobody)).data == []

    async def test_nobody_can_store_nothing(self) -> None:
        store = self.make_store()
        await self.refuses(NoOwner, self.make_thread(store, RequestContext()))
        await self.refuses(NoOwner, store.save_attachment(sample_attachments()[0], RequestContext()))

    # Ids

    async def test_ids_hold_128_random_bits(self) -> None:
        store, context = self.make_store(), await self.make_context()
        thread = ThreadMetadata(id="t", created_at=NOON)
        ids = [store.generate_thread_id(context) for _ in range(200)]
        ids += [store.generate_item_id("message", thread, context) for _ in range(200)]
        parts = [item_id.split("_") for item_id in ids]
        assert {prefix for prefix, _ in parts} == {"thr", "msg"}
        assert {len(digits) for _, digits in parts} == {32}
        assert len({digits for _, digits in parts}) == 400
        # Each bit is set in some ids and not in others.
        numbers = [int(digits, 16) for _, digits in parts]
        assert all(0 < sum(number >> bit & 1 for number in numbers) < 400 for bit in range(128))
