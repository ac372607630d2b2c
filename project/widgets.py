"""The demo's widgets. A widget is JSON, written down here or exported from OpenAI's Widget Studio."""

from collections.abc import Mapping, Sequence
from typing import Any

from chatkit.widgets import DynamicWidgetRoot, WidgetTemplate
from django.utils.translation import gettext as _

# What the Widget Studio exports: a Jinja template and the schema of its data.
WEATHER = WidgetTemplate.from_file("weather.widget")

ACTION_FIELDS = ("payload", "handler", "streaming", "loadingBehavior")


def weather_card(*, city: str, degrees: int, sky: str) -> DynamicWidgetRoot:
    """Return what the tool has found, from a template."""
    return WEATHER.build({"city": city, "degrees": degrees, "sky": sky})


def order_card(*, status: str, favourite: bool = False, tracked: bool = False) -> DynamicWidgetRoot:
    """Return an order with three buttons: one for each way in which an action can travel."""
    return make(
        type="Card",
        size="md",
        children=[
            {
                "type": "Row",
                "justify": "between",
                "children": [
                    {"type": "Title", "value": _("Order {number}").format(number=1042), "size": "sm"},
                    {"type": "Badge", "label": status, "color": "success" if tracked else "info"},
                ],
            },
            {"type": "Text", "value": _("Two pounds of coffee, whole beans"), "color": "secondary"},
            {"type": "Divider"},
            {
                "type": "Row",
                "gap": 2,
                "wrap": "wrap",
                "children": [
                    # Answered by DemoServer.action(), with a stream of events.
                    button(_("Track"), "order.track", icon="map-pin", disabled=tracked),
                    # Answered by DemoServer.sync_action(), with the changed widget and nothing else.
                    button(
                        _("Favourite"),
                        "order.favourite",
                        payload={"favourite": not favourite},
                        icon="star-filled" if favourite else "star",
                        streaming=False,
                        variant="outline",
                    ),
                    # Answered by the page: see project/static/project/page.js.
                    button(
                        _("Copy the number"),
                        "order.copy",
                        payload={"number": "1042"},
                        handler="client",
                        variant="ghost",
                    ),
                ],
            },
        ],
    )


def prompt_list(prompts: Sequence[Mapping[str, str]], *, shows_words: bool = True) -> DynamicWidgetRoot:
    """Return prompts to be pressed; the page sends them in the user's name, in words that can stand beside them."""
    return make(
        type="ListView",
        limit=8,
        children=[
            {
                "type": "ListViewItem",
                "gap": 3,
                "align": "center",
                "onClickAction": {
                    "type": "prompt.send",
                    "payload": {"text": prompt["prompt"]},
                    "handler": "client",
                },
                "children": [
                    {"type": "Icon", "name": prompt["icon"]},
                    {"type": "Text", "value": prompt["label"]},
                    {"type": "Spacer"},
                    *(
                        [{"type": "Caption", "value": prompt["prompt"], "truncate": True}]
                        if shows_words
                        else []
                    ),
                ],
            }
            for prompt in prompts
        ],
    )


def booking_form() -> DynamicWidgetRoot:
    """Return a form: its values arrive in the payload of its action, under the names of its fields."""
    guests = [{"label": str(number), "value": str(number)} for number in (1, 2, 3, 4)]
    return make(
        type="Card",
        size="md",
        children=[
            {
                "type": "Form",
                "onSubmitAction": {"type": "table.book", "payload": {"restaurant": "Café Demo"}},
                "gap": 3,
                "direction": "col",
                "children": [
                    {"type": "Title", "value": _("Book a table"), "size": "sm"},
                    {"type": "Label", "value": _("Name"), "fieldName": "name"},
                    {"type": "Input", "name": "name", "required": True, "placeholder": _("Your name")},
                    {"type": "Label", "value": _("Guests"), "fieldName": "guests"},
                    {"type": "Select", "name": "guests", "options": guests, "defaultValue": "2"},
                    {"type": "Label", "value": _("Day"), "fieldName": "day"},
                    {"type": "DatePicker", "name": "day"},
                    {"type": "Label", "value": _("Wishes"), "fieldName": "wishes"},
                    {"type": "Textarea", "name": "wishes", "rows": 2},
                    {"type": "Checkbox", "name": "window", "label": _("By the window")},
                    {"type": "Button", "submit": True, "label": _("Book"), "style": "primary"},
                ],
            }
        ],
    )


def booked_card(*, name: str, guests: str) -> DynamicWidgetRoot:
    """Return what takes the place of the form."""
    text = _("A table for {guests}, in the name of {name}.").format(guests=guests, name=name)
    return make(
        type="Card",
        size="md",
        status={"text": _("Booked"), "icon": "check-circle"},
        children=[{"type": "Text", "value": text}],
    )


def note_card(text: str, *, streaming: bool) -> DynamicWidgetRoot:
    """Return a note that can grow while the user looks at it: text with an id is sent piece by piece."""
    return make(
        type="Card",
        size="md",
        children=[
            {"type": "Caption", "value": _("A note")},
            {"type": "Markdown", "id": "note", "value": text, "streaming": streaming},
        ],
    )


def chart_card() -> DynamicWidgetRoot:
    """Return bars, an area and a line over the same days."""
    sold = [("Mon", 12, 4, 7), ("Tue", 19, 6, 9), ("Wed", 8, 5, 12), ("Thu", 15, 9, 10), ("Fri", 24, 12, 16)]
    return make(
        type="Card",
        size="lg",
        children=[
            {"type": "Title", "value": _("Cups of coffee"), "size": "sm"},
            {
                "type": "Chart",
                "height": 240,
                "data": [
                    {"day": day, "espresso": espresso, "filter": filtered, "tea": tea}
                    for day, espresso, filtered, tea in sold
                ],
                "xAxis": {"dataKey": "day", "labels": {"Mon": _("Monday")}},
                "showYAxis": True,
                "showLegend": True,
                "showTooltip": True,
                "series": [
                    {"type": "bar", "label": _("Espresso"), "dataKey": "espresso", "stack": "coffee"},
                    {"type": "bar", "label": _("Filter"), "dataKey": "filter", "stack": "coffee"},
                    {"type": "area", "label": _("Tea"), "dataKey": "tea", "curveType": "natural"},
                    {"type": "line", "label": _("Filter, as a line"), "dataKey": "filter", "color": "purple"},
                ],
            },
        ],
    )


def button(label: str, action: str, **options: Any) -> dict[str, Any]:
    """Return a button; what belongs to its action goes there."""
    config = {name: options.pop(name) for name in ACTION_FIELDS if name in options}
    icon = options.pop("icon", None)
    button: dict[str, Any] = {
        "type": "Button",
        "label": label,
        "onClickAction": {"type": action, **config},
        **options,
    }
    return button if icon is None else {**button, "iconStart": icon}


def make(**definition: Any) -> DynamicWidgetRoot:
    """Return a widget from its JSON."""
    return DynamicWidgetRoot.model_validate(definition)
