"""Features of ChatKit that need no model, one function each. "Show me a form" calls ``form()``.

Each function gets the ``Turn`` that it is to fill and yields the SDK's events, as ``respond()`` does.
"""

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin

from chatkit.icons import IconName
from chatkit.types import (
    Annotation,
    Attachment,
    ClientEffectEvent,
    ClosedStatus,
    CustomSummary,
    CustomTask,
    EndOfTurnItem,
    EntitySource,
    FileSource,
    FileTask,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    HiddenContextItem,
    ImageTask,
    NoticeEvent,
    ProgressUpdateEvent,
    SearchTask,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    Task,
    TaskItem,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    URLSource,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from chatkit.widgets import DynamicWidgetRoot
from django.template.defaultfilters import filesizeformat
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import widgets
from .gallery import gallery
from .prompts import EVERYTHING, WELCOME
from .turn import Events, Turn

Feature = Callable[[Turn], Events]

LONG_ANSWER = (Path(__file__).parent / "long_answer.md").read_text(encoding="utf-8")


def find(text: str) -> Feature | None:
    """Return the feature that a text asks for, if it does."""
    text = text.strip().rstrip(".!?").lower()
    if text in QUESTIONS:
        return QUESTIONS[text]
    wanted = re.fullmatch(r"show me (?:an? |the |some )?(.+)", text)
    return FEATURES.get(wanted[1]) if wanted else None


# What people ask in a café


async def order(turn: Turn) -> Events:
    """Answer with words and a widget."""
    async for event in turn.say(_("Order 1042 left our roastery this morning and is with the courier now.")):
        yield event
    async for event in widget(turn):
        yield event


async def table(turn: Turn) -> Events:
    """Answer with a form."""
    async for event in turn.say(_("With pleasure. Tell me when, and for how many:")):
        yield event
    async for event in form(turn):
        yield event


async def offer(turn: Turn) -> Events:
    """Say what can be asked, where nobody has understood what was."""
    text = _(
        "I am the demo’s offline model: I understand what is near these questions, and nothing else. With an "
        "OPENAI_API_KEY in the environment, a language model answers whatever you write."
    )
    async for event in turn.say(text):
        yield event
    async for event in turn.show(
        widgets.prompt_list(WELCOME, shows_words=False), copy_text=_("What the demo can show")
    ):
        yield event


# What ChatKit can do


async def more(turn: Turn) -> Events:
    """Show what else can be asked. A press sends the prompt in the user's name: see project/static/project/page.js."""
    text = _(
        "Each of these shows one thing that ChatKit can do, and how the demo does it stands in `project/`:"
    )
    async for event in turn.say(text):
        yield event
    async for event in turn.show(widgets.prompt_list(EVERYTHING), copy_text=_("What the demo can show")):
        yield event


async def widget(turn: Turn) -> Events:
    """Show a widget whose buttons send actions."""
    card = widgets.order_card(status=_("On its way"))
    async for event in turn.show(card, copy_text=_("Order {number}").format(number=1042)):
        yield event


async def streamed_widget(turn: Turn) -> Events:
    """Show a widget that grows while it is looked at."""
    text = _("This note is **a widget**. It is sent once, and then only what is new in it.")

    async def states() -> AsyncGenerator[DynamicWidgetRoot, None]:
        written = ""
        yield widgets.note_card(written, streaming=True)
        for word in re.findall(r"\S+\s*", text):
            await turn.pause(0.2)
            written += word
            yield widgets.note_card(written, streaming=True)
        yield widgets.note_card(text, streaming=False)

    async for event in turn.show(states(), copy_text=text):
        yield event


async def form(turn: Turn) -> Events:
    """Show a widget that is a form."""
    async for event in turn.show(widgets.booking_form(), copy_text=_("Book a table")):
        yield event


async def workflow(turn: Turn) -> Events:
    """Show steps that appear and are ticked off one after the other, with a summary in the end."""
    steps: list[Task] = [
        ThoughtTask(title=_("Thinking"), content=_("The user wants to see a workflow. I will plan a trip.")),
        SearchTask(
            title=_("Searching"),
            title_query=_("night trains"),
            queries=[_("night trains"), _("sleeper cars")],
            sources=[django_source()],
        ),
        FileTask(title=_("Reading"), sources=[FileSource(title=_("Timetable"), filename="timetable.pdf")]),
        ImageTask(title=_("Drawing a map")),
        CustomTask(title=_("Checking"), icon="check-circle", content=_("Every connection can be caught.")),
    ]
    item = turn.new(WorkflowItem, workflow=Workflow(type="custom", tasks=[], expanded=True))
    yield ThreadItemAddedEvent(item=item)
    for number, step in enumerate(steps):
        running = step.model_copy(update={"status_indicator": "loading"})
        item.workflow.tasks.append(running)
        yield ThreadItemUpdatedEvent(
            item_id=item.id, update=WorkflowTaskAdded(task_index=number, task=running)
        )
        await turn.pause()
        item.workflow.tasks[number] = step.model_copy(update={"status_indicator": "complete"})
        yield ThreadItemUpdatedEvent(
            item_id=item.id,
            update=WorkflowTaskUpdated(task_index=number, task=item.workflow.tasks[number]),
        )
    item.workflow.summary = CustomSummary(title=_("Planned the trip"), icon="check-circle")
    item.workflow.expanded = False
    yield ThreadItemDoneEvent(item=item)
    async for event in turn.say(_("The trip is planned.")):
        yield event


async def task(turn: Turn) -> Events:
    """Show a single step, outside of any workflow."""
    done = CustomTask(title=_("Saved the timetable"), icon="document", status_indicator="complete")
    yield ThreadItemDoneEvent(item=turn.new(TaskItem, task=done))


async def questions(turn: Turn) -> Events:
    """Ask for structured input, with and without choices. ``respond()`` is called again with the answers."""
    yield turn.server.text_event(_("Three questions about your trip:"))
    yield ThreadItemDoneEvent(
        item=turn.new(
            StructuredInputItem,
            inputs=[
                StructuredInputMultipleChoice(
                    id="when",
                    question=_("When would you like to go?"),
                    options=choices(_("Spring"), _("Autumn")),
                ),
                StructuredInputMultipleChoice(
                    id="how",
                    question=_("How would you like to travel?"),
                    options=choices(_("By train"), _("By bicycle"), _("On foot")),
                    multiple=True,
                ),
                StructuredInputFreeform(
                    id="where", question=_("Where to?"), description=_("A city, a country or a feeling.")
                ),
            ],
        )
    )


async def sources(turn: Turn) -> Events:
    """Show a message with annotations: a page, a file and an entity."""
    text = _("Django keeps your conversations [1], the demo explains itself [2], and this is a product [3].")
    entity = EntitySource(
        id="coffee",
        title=_("Coffee"),
        icon="cube",
        label=_("Product"),
        interactive=True,
        data={"price": "12"},
    )
    found: list[URLSource | FileSource | EntitySource] = [
        django_source(),
        FileSource(title=_("The demo's source"), filename="features.py"),
        entity,
    ]
    annotations = [
        Annotation(source=source, index=text.find(f"[{number}]") + len("[1]"))
        for number, source in enumerate(found, start=1)
    ]
    async for event in turn.say(text, *annotations):
        yield event


async def image(turn: Turn) -> Events:
    """Show a generated image, first as a sketch."""
    item = turn.new(GeneratedImageItem)
    yield ThreadItemAddedEvent(item=item)
    for progress, name in ((0.3, "sketch.png"), (1.0, "landscape.png")):
        await turn.pause(2)
        item.image = GeneratedImage(id=item.id, url=urljoin(turn.context.site, static(f"project/{name}")))
        update = GeneratedImageUpdated(image=item.image, progress=progress)
        yield ThreadItemUpdatedEvent(item_id=item.id, update=update)
    yield ThreadItemDoneEvent(item=item)


async def long_answer(turn: Turn) -> Events:
    """Show Markdown of every kind."""
    async for event in turn.say(LONG_ANSWER):
        yield event


async def progress(turn: Turn) -> Events:
    """Tell what is going on, for as long as it goes on: nothing of it is stored."""
    steps: list[tuple[str, IconName]] = [
        (_("Looking for beans…"), "search"),
        (_("Grinding…"), "settings-slider"),
    ]
    for text, icon in steps:
        yield ProgressUpdateEvent(text=text, icon=icon)
        await turn.pause(2)
    yield turn.server.text_event(_("The coffee is ready."))


async def chart(turn: Turn) -> Events:
    """Show a widget with a diagram."""
    async for event in turn.show(widgets.chart_card(), copy_text=_("Cups of coffee")):
        yield event


async def every_widget(turn: Turn) -> Events:
    """Show all widgets one after the other: project/gallery.py."""
    for card, text in gallery(urljoin(turn.context.site, static("project/landscape.png"))):
        async for event in turn.show(card, copy_text=text):
            yield event
        await turn.pause(0.2)


async def attachment(turn: Turn) -> Events:
    """Tell how to attach a file. A message that has some is answered by ``describe_files()``."""
    async for event in turn.say(
        _(
            "Attach a picture, a PDF document or a text to your next message, and I will tell you what has come."
        )
    ):
        yield event


async def describe_files(turn: Turn, files: Sequence[Attachment]) -> Events:
    """Tell what is known of the files of a message; a model, when there is one, reads them instead."""
    lines = [
        _("`{name}`: {size}, {type}").format(
            name=file.name.replace("`", "'"),
            size=filesizeformat((file.metadata or {}).get("size", 0)),
            type=file.mime_type,
        )
        for file in files
    ]
    heading = ngettext("You have sent me a file:", "You have sent me {count} files:", len(files))
    text = heading.format(count=len(files))
    async for event in turn.say(text + "\n\n" + "\n".join(f"- {line}" for line in lines)):
        yield event


async def notices(turn: Turn) -> Events:
    """Show a notice of each level, one after the other."""
    texts: list[tuple[Literal["info", "warning", "danger"], str, str]] = [
        ("info", _("New beans"), _("The coffee of the month has come.")),
        ("warning", _("Nearly sold out"), _("There are **3 bags** left.")),
        ("danger", _("Sold out"), _("Nothing is left. [Ask us](https://www.djangoproject.com/) for more.")),
    ]
    for level, title, text in texts:
        yield NoticeEvent(level=level, title=title, message=text)
        await turn.pause(2)
    yield turn.server.text_event(_("These were the three levels of a notice."))


async def notice(turn: Turn) -> Events:
    """Show a notice above the composer."""
    yield NoticeEvent(
        level="warning",
        title=_("Nearly used up"),
        message=_("You have **2 messages** left today. [More](https://www.djangoproject.com/)"),
    )
    yield turn.server.text_event(_("There is a notice for you."))


async def effect(turn: Turn) -> Events:
    """Let the page do something: project/static/project/page.js listens to ``chatkit.effect``."""
    yield ClientEffectEvent(name="celebrate", data={"colour": "#7c3aed"})
    yield turn.server.text_event(_("The page has been told to celebrate."))


async def hidden_context(turn: Turn) -> Events:
    """Keep something that the model reads later, and that is never sent to the browser."""
    content = _("The user has a gold card and is called by their first name.")
    yield ThreadItemDoneEvent(item=turn.new(HiddenContextItem, content=content))
    yield turn.server.text_event(
        _("I have made a note that only the model can read, and the site's staff, in the admin.")
    )


async def end_of_turn(turn: Turn) -> Events:
    """Tell the client that nothing more is coming, although the stream is still open."""
    yield turn.server.text_event(_("This is all I have to say."))
    yield ThreadItemDoneEvent(item=turn.new(EndOfTurnItem))


async def closed_conversation(turn: Turn) -> Events:
    """Close the conversation, as staff can do in the admin. It can be reopened there."""
    yield turn.server.text_event(_("Good-bye. This conversation is closed now."))
    turn.thread.status = ClosedStatus(reason=_("The demo has closed this conversation."))


async def failure(turn: Turn) -> Events:
    """Fail as a server may: the user can try again, and the message is kept."""
    yield ProgressUpdateEvent(text=_("Something is about to go wrong…"))
    await turn.pause()
    raise RuntimeError("The demo was asked to show a failure.")


def choices(*values: str) -> list[StructuredInputMultipleChoiceOption]:
    return [StructuredInputMultipleChoiceOption(value=value) for value in values]


def django_source() -> URLSource:
    return URLSource(
        title=_("The Django documentation"),
        url="https://docs.djangoproject.com/",
        description=_("Models, views, templates and everything else."),
        attribution="djangoproject.com",
    )


QUESTIONS: dict[str, Feature] = {
    "where is my order": order,
    "i would like to book a table": table,
    "plan a trip by night train": workflow,
}

FEATURES: dict[str, Feature] = {
    "more": more,
    "widget": widget,
    "streamed widget": streamed_widget,
    "form": form,
    "workflow": workflow,
    "task": task,
    "questions": questions,
    "sources": sources,
    "image": image,
    "long answer": long_answer,
    "chart": chart,
    "every widget": every_widget,
    "attachment": attachment,
    "progress": progress,
    "notice": notice,
    "notices": notices,
    "effect": effect,
    "hidden context": hidden_context,
    "end of a turn": end_of_turn,
    "closed conversation": closed_conversation,
    "failure": failure,
}
