"""What of an answer is kept for those who read it later."""

import json

from chatkit.types import ProgressUpdateEvent, ThreadItemDoneEvent, ThreadItemRemovedEvent

from chatkit_app.runs.growing_frames import GrowingFrames
from tests.servers import added, assistant, delta


class Writing(GrowingFrames):
    """An answer that writes one message after another."""

    def begin(self, item_id: str) -> None:
        self.item = assistant("", item_id=item_id)
        self.add(added(self.item), pending_items={item_id: self.item})

    def say(self, text: str) -> None:
        self.item.content[0].text += text
        self.add(delta(self.item.id, text), pending_items={self.item.id: self.item})

    def end(self) -> None:
        self.add(ThreadItemDoneEvent(item=self.item), pending_items={})

    def types(self) -> list[str]:
        return [json.loads(frame[6:])["type"] for frame in self.frames if frame]


def screen(frames: list[bytes]) -> dict[str, str]:
    """What a client shows that has got these frames."""
    texts: dict[str, str] = {}
    for frame in frames:
        match json.loads(frame[6:]) if frame else {}:
            case {"item": {"id": item_id, "content": [{"text": text}]}}:
                texts[item_id] = text
            case {"type": "thread.item.updated", "item_id": item_id, "update": {"delta": text}}:
                texts[item_id] += text
    return texts


def test_short_answer_is_kept_as_it_was():
    run = Writing()
    run.begin("a")
    run.say("one ")
    run.say("two")
    run.end()
    assert run.types() == ["thread.item.added", *["thread.item.updated"] * 2, "thread.item.done"]


def test_steps_of_a_long_message_are_forgotten_when_it_is_done():
    run = Writing()
    run.begin("a")
    for _ in range(100):
        run.say("word ")
    run.end()
    assert run.types() == ["thread.item.added", "thread.item.done"]
    assert screen(run.frames) == {"a": "word " * 100}


def test_steps_of_a_removed_message_are_forgotten():
    run = Writing()
    run.begin("a")
    for _ in range(100):
        run.say("word ")
    run.add(ThreadItemRemovedEvent(item_id="a"), pending_items={})
    assert run.types() == ["thread.item.added", "thread.item.removed"]


def test_what_is_no_step_of_the_item_stays():
    run = Writing()
    run.begin("a")
    for _ in range(100):
        run.say("word ")
    run.add(ProgressUpdateEvent(text="Searching"), pending_items={})
    run.begin("b")
    run.end()
    assert run.types().count("thread.item.updated") == 100
    assert "progress_update" in run.types()


def test_long_message_in_the_making_is_kept_as_its_text():
    run = Writing()
    run.begin("a")
    for _ in range(20_000):
        run.say("word ")
    assert run.size < 400_000
    assert sum(map(len, run.frames)) == run.size
    assert screen(run.frames) == {"a": "word " * 20_000}


def test_reader_who_was_anywhere_sees_the_whole_text_in_the_end():
    run = Writing()
    run.begin("a")
    positions = [0, 1, 300, 450, 999]
    read: dict[int, list[bytes]] = {}
    for number in range(1_000):
        run.say(f"{number} ")
        if number in positions:
            read[number] = list(run.frames)
    run.end()
    whole = {"a": "".join(f"{number} " for number in range(1_000))}
    for before in read.values():
        assert screen(before + run.frames[len(before) :]) == whole
