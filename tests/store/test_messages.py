"""Messages are brought up to the store: claimed by one, shown again when the request moved on, retried with pauses."""

from bot.store import Message, Store
from tests.store.samples import NOW, after, approved, request, vote

LEASE = 30


async def one(store: Store, seconds: float, worker: str = "worker-1") -> Message | None:
    found = await store.messages.behind(after(seconds), worker, LEASE)
    assert len(found) <= 1
    return found[0] if found else None


async def wanted(store: Store) -> Message:
    await store.requests.create(request("r1", needed=3), NOW)
    await store.messages.want("r1", "approval", "C1", "17.0")
    message = await one(store, 0)
    assert message is not None
    return message


async def test_to_want_the_same_twice_makes_one_message(store: Store) -> None:
    message = await wanted(store)
    await store.messages.want("r1", "approval", "C1", "17.0")
    await store.messages.want("r1", "outcome", "C1", "17.0")
    assert (message.purpose, message.channel, message.thread_ts, message.ts) == ("approval", "C1", "17.0", "")
    assert (message.shown, message.claim) == (0, 1)
    assert [found.purpose for found in await store.messages.of("r1")] == ["approval", "outcome"]


async def test_a_message_is_behind_until_it_shows_the_present_version(store: Store) -> None:
    message = await wanted(store)
    assert await one(store, 1, "worker-2") is None  # claimed
    assert await store.messages.shown(message, ts="18.0", version=1)
    assert await one(store, 1) is None
    await store.requests.vote(vote("r1"), at=after(2))
    again = await one(store, 2, "worker-2")
    assert again is not None
    assert (again.ts, again.shown, again.claim) == ("18.0", 1, 2)


async def test_a_request_that_moved_on_meanwhile_is_shown_again(store: Store) -> None:
    message = await wanted(store)
    await store.requests.vote(vote("r1"), at=after(1))
    await store.messages.shown(message, ts="18.0", version=1)
    again = await one(store, 2)
    assert again is not None
    assert again.shown == 1


async def test_a_lapsed_claim_passes_on_and_says_that_it_was_tried(store: Store) -> None:
    await wanted(store)
    assert await one(store, LEASE - 1, "worker-2") is None
    second = await one(store, LEASE, "worker-2")
    assert second is not None
    assert (second.ts, second.claim) == ("", 2)


async def test_the_slower_of_two_posts_is_told_to_delete_its_own(store: Store) -> None:
    first = await wanted(store)
    second = await one(store, LEASE, "worker-2")
    assert second is not None
    assert await store.messages.shown(second, ts="19.0", version=1)
    assert not await store.messages.shown(first, ts="18.0", version=1)
    (message,) = await store.messages.of("r1")
    assert (message.ts, message.shown) == ("19.0", 1)


async def test_a_late_edit_with_an_old_version_is_mended(store: Store) -> None:
    first = await wanted(store)
    await store.messages.shown(first, ts="18.0", version=1)
    await store.requests.vote(vote("r1"), at=after(1))
    slow = await one(store, 2)
    fast = await one(store, 2 + LEASE, "worker-2")
    assert slow is not None
    assert fast is not None
    await store.messages.shown(fast, ts="18.0", version=2)
    await store.messages.shown(slow, ts="18.0", version=1)
    mended = await one(store, 3 + LEASE, "worker-2")
    assert mended is not None
    assert mended.shown == 1


async def test_pauses_double_and_a_success_forgets_them(store: Store) -> None:
    message = await wanted(store)
    seconds = 0.0
    for pause in (1, 2, 4, 8):
        await store.messages.failed(message, at=after(seconds), why="ratelimited")
        assert await one(store, seconds + pause - 0.1) is None
        seconds += pause
        again = await one(store, seconds)
        assert again is not None
        message = again
    assert (message.failures, message.error) == (4, "ratelimited")
    await store.messages.failed(message, at=after(seconds), why="ratelimited", retry_after=60)
    assert await one(store, seconds + 59) is None
    last = await one(store, seconds + 60)
    assert last is not None
    await store.messages.shown(last, ts="18.0", version=1)
    (stored,) = await store.messages.of("r1")
    assert (stored.failures, stored.error) == (0, "")


async def test_a_message_that_can_never_be_posted_is_left_alone(store: Store) -> None:
    message = await wanted(store)
    await store.messages.failed(message, at=NOW, why="channel_not_found", for_good=True)
    assert await one(store, 10_000) is None
    (stored,) = await store.messages.of("r1")
    assert (stored.given_up, stored.error) == (True, "channel_not_found")


async def test_a_failure_after_the_claim_was_lost_changes_nothing(store: Store) -> None:
    first = await wanted(store)
    second = await one(store, LEASE, "worker-2")
    assert second is not None
    await store.messages.failed(first, at=after(LEASE), why="timeout", for_good=True)
    assert (await store.messages.of("r1"))[0] == second


async def test_behind_hands_out_so_many_at_most(store: Store) -> None:
    await approved(store, "r1")
    for channel in "ABCDE":
        await store.messages.want("r1", "approval", channel)
    assert [m.channel for m in await store.messages.behind(NOW, "w", LEASE, limit=2)] == ["A", "B"]
    assert [m.channel for m in await store.messages.behind(NOW, "w", LEASE)] == ["C", "D", "E"]
