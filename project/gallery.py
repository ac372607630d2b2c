"""A gallery of every kind of widget there is, in a few roots: what "Show me every widget" shows."""

from collections.abc import Iterator
from typing import Any

from chatkit.widgets import DynamicWidgetRoot
from django.utils.translation import gettext as _

from .widgets import button, chart_card, make

Node = dict[str, Any]

COLOURS = ("primary", "secondary", "info", "discovery", "success", "caution", "warning", "danger")
VARIANTS = ("solid", "soft", "outline", "ghost")
PAGES = 3


def gallery(image: str) -> Iterator[tuple[DynamicWidgetRoot, str]]:
    """Yield the widgets and what is copied of each. ``image`` is the address of a picture of the site."""
    yield text_card(), _("Text")
    yield layout_card(image), _("Layout")
    yield button_card(), _("Buttons")
    yield input_card(), _("Fields")
    yield approval_card(), _("Approval")
    yield collapsed_card(), _("A folded card")
    yield list_view(image), _("A list")
    yield table_card(), _("A table")
    yield chart_card(), _("A chart")
    yield transition(1), _("Pages that change places")


def text_card() -> DynamicWidgetRoot:
    """Return titles, texts and captions of every size, Markdown, badges and icons."""
    sizes = ("xs", "sm", "md", "lg", "xl")
    return make(
        type="Card",
        size="lg",
        children=[
            *(
                {"type": "Title", "value": size, "size": size}
                for size in ("sm", "md", "lg", "xl", "2xl", "3xl")
            ),
            {"type": "Divider"},
            *({"type": "Text", "value": _("Text of size {}").format(size), "size": size} for size in sizes),
            {"type": "Text", "value": _("Bold"), "weight": "bold"},
            {"type": "Text", "value": _("Slanted and struck through"), "italic": True, "lineThrough": True},
            {"type": "Text", "value": _("In the middle"), "textAlign": "center", "color": "tertiary"},
            {"type": "Text", "value": _("Cut off after one line. ") * 12, "truncate": True},
            {"type": "Text", "value": _("Cut off after two lines. ") * 24, "maxLines": 2},
            {
                "type": "Text",
                "value": _("Red, or light red in the dark"),
                "color": {"light": "#a3241c", "dark": "#ffb4ab"},
            },
            {"type": "Caption", "value": _("A caption"), "size": "sm"},
            {
                "type": "Markdown",
                "value": _("Markdown with **bold**, `code` and a [link](https://www.djangoproject.com/)."),
            },
            {"type": "Divider", "spacing": 2, "flush": True},
            _row(
                {
                    "type": "Badge",
                    "label": colour,
                    "color": colour,
                    "variant": variant,
                    "pill": variant == "soft",
                }
                for variant in ("solid", "soft", "outline")
                for colour in ("secondary", "success", "danger", "warning", "info", "discovery")
            ),
            _row(
                {"type": "Icon", "name": name, "size": size, "color": "success"}
                for name, size in zip(("star", "cube", "bolt", "globe", "check-circle"), sizes, strict=True)
            ),
        ],
    )


def layout_card(image: str) -> DynamicWidgetRoot:
    """Return boxes, rows and columns, with pictures in them."""
    picture: Node = {"type": "Image", "src": image, "alt": _("A landscape"), "radius": "md"}
    box: Node = {"type": "Box", "padding": 3, "radius": "lg", "background": "surface-secondary"}
    return make(
        type="Card",
        size="md",
        children=[
            {**picture, "aspectRatio": "3 / 1", "fit": "cover", "flush": True},
            {
                "type": "Row",
                "gap": 3,
                "align": "center",
                "children": [
                    {**picture, "size": 64, "frame": True},
                    {
                        "type": "Col",
                        "gap": 1,
                        "children": [_text(_("A column")), _text(_("beside a picture"))],
                    },
                    {"type": "Spacer"},
                    {"type": "Badge", "label": _("At the end")},
                ],
            },
            {
                "type": "Row",
                "gap": 2,
                "align": "stretch",
                "children": [
                    {**box, "flex": 1, "border": 1, "children": [_text(_("One part"))]},
                    {
                        **box,
                        "flex": 2,
                        "border": {"size": 2, "style": "dashed", "color": "strong"},
                        "children": [_text(_("Two parts"))],
                    },
                ],
            },
            {**box, "direction": "row", "gap": 2, "justify": "end", "children": [_text(_("From the end"))]},
        ],
    )


def button_card() -> DynamicWidgetRoot:
    """Return buttons of every variant, colour and size. Each tells the server which one it is."""
    return make(
        type="Card",
        size="lg",
        children=[
            *(
                _row(_press(colour, color=colour, variant=variant) for colour in COLOURS)
                for variant in VARIANTS
            ),
            {"type": "Divider"},
            _row(_press(size, size=size) for size in ("2xs", "xs", "sm", "md", "lg", "xl")),
            _row(
                (
                    _press(_("Primary"), style="primary", icon="sparkle"),
                    _press(_("Secondary"), style="secondary", iconEnd="chevron-right"),
                    _press(_("Pill"), pill=True),
                    _press(_("Not now"), disabled=True),
                )
            ),
            _press(_("As wide as the card"), block=True, style="primary", loadingBehavior="container"),
        ],
    )


def input_card() -> DynamicWidgetRoot:
    """Return a form of all fields. What is in them arrives in the payload of its action."""
    colours = [
        {"value": "red", "label": _("Red"), "description": _("Like a tomato")},
        {"value": "green", "label": _("Green")},
        {"value": "none", "label": _("Sold out"), "disabled": True},
    ]
    kinds = ("text", "email", "number", "password", "tel", "url")
    fields: list[Node] = []
    for kind in kinds:
        fields += [
            _label(kind, kind),
            {"type": "Input", "name": kind, "inputType": kind, "variant": "outline"},
        ]
    fields += [
        _label("notes", _("Notes")),
        {
            "type": "Textarea",
            "name": "notes",
            "rows": 2,
            "autoResize": True,
            "maxRows": 5,
            "defaultValue": "…",
        },
        _label("colour", _("Colour")),
        {
            "type": "Select",
            "name": "colour",
            "options": colours,
            "placeholder": _("Choose"),
            "clearable": True,
        },
        _label("shade", _("Shade")),
        {"type": "Select", "name": "shade", "options": colours, "searchable": True, "pill": True},
        _label("day", _("Day")),
        {
            "type": "DatePicker",
            "name": "day",
            "min": "2020-01-01T00:00:00Z",
            "max": "2039-12-31T00:00:00Z",
            "clearable": True,
        },
        {
            "type": "RadioGroup",
            "name": "pace",
            "ariaLabel": _("Pace"),
            "direction": "row",
            "defaultValue": "slow",
            "options": [
                {"value": "slow", "label": _("Slow")},
                {"value": "fast", "label": _("Fast")},
                {"value": "never", "label": _("Never"), "disabled": True},
            ],
        },
        {"type": "Checkbox", "name": "agreed", "label": _("I have read all of this"), "required": True},
        {
            "type": "Checkbox",
            "name": "letter",
            "label": _("Write to me"),
            "defaultChecked": True,
            "onChangeAction": {"type": "gallery.changed", "handler": "client"},
        },
        {"type": "Button", "submit": True, "label": _("Send"), "style": "primary"},
    ]
    form = {
        "type": "Form",
        "direction": "col",
        "gap": 2,
        "onSubmitAction": {"type": "gallery.sent", "loadingBehavior": "container"},
        "children": fields,
    }
    return make(type="Card", size="md", children=[form])


def approval_card() -> DynamicWidgetRoot:
    """Return a card that is a form itself: its text can be edited, and it is confirmed or cancelled."""
    required = {"name": "subject", "required": True, "placeholder": _("Subject")}
    return make(
        type="Card",
        size="md",
        asForm=True,
        status={"text": _("A letter"), "icon": "mail"},
        confirm={"label": _("Send"), "action": {"type": "gallery.sent", "payload": {"letter": True}}},
        cancel={
            "label": _("Discard"),
            "action": {"type": "gallery.pressed", "payload": {"button": "discard"}},
        },
        children=[
            {"type": "Text", "value": _("Your order"), "weight": "semibold", "editable": required},
            {"type": "Divider", "flush": True},
            {
                "type": "Text",
                "value": _("Dear customer,\nyour coffee is on its way."),
                "minLines": 4,
                "editable": {"name": "body"},
            },
        ],
    )


def collapsed_card() -> DynamicWidgetRoot:
    """Return a card of which only the status can be seen."""
    return make(
        type="Card",
        size="sm",
        collapsed=True,
        status={"text": _("The letter was sent"), "icon": "check-circle"},
        children=[_text(_("To twelve customers, this morning."))],
    )


def list_view(image: str) -> DynamicWidgetRoot:
    """Return seven entries, three of which are shown until the user asks for more."""
    return make(
        type="ListView",
        limit=3,
        status={"text": _("Our coffees"), "favicon": image, "frame": True},
        children=[
            {
                "type": "ListViewItem",
                "gap": 3,
                "align": "center",
                "onClickAction": {"type": "gallery.pressed", "payload": {"button": f"coffee {number}"}},
                "children": [
                    {"type": "Icon", "name": "cube"},
                    _text(_("Coffee number {}").format(number)),
                    {"type": "Spacer"},
                    {"type": "Caption", "value": f"{number * 3} €"},
                ],
            }
            for number in range(1, 8)
        ],
    )


def table_card() -> DynamicWidgetRoot:
    """Return a table with a head, and a cell that spans two columns."""

    def cell(value: str, **fields: Any) -> Node:
        return {"type": "Table.Cell", "children": [_text(value)], **fields}

    rows = [("Yirgacheffe", 12, 30), ("Sidamo", 11, 4), ("Limu", 9, 0)]
    return make(
        type="Card",
        size="md",
        children=[
            {
                "type": "Table",
                "children": [
                    {
                        "type": "Table.Row",
                        "header": True,
                        "children": [
                            cell(_("Coffee"), colSize="lg"),
                            cell(_("Price"), align="end"),
                            cell(_("In stock"), align="end"),
                        ],
                    },
                    *(
                        {
                            "type": "Table.Row",
                            "children": [
                                cell(name),
                                cell(f"{price} €", align="end"),
                                cell(str(stock), align="end"),
                            ],
                        }
                        for name, price, stock in rows
                    ),
                    {
                        "type": "Table.Row",
                        "children": [cell(_("Bags altogether"), colSpan=2), cell("34", align="end")],
                    },
                ],
            }
        ],
    )


def transition(page: int) -> DynamicWidgetRoot:
    """Return a plain root whose one part changes places with the next when its button is pressed."""
    page = page if page in range(1, PAGES + 1) else 1
    title = _("Page {page} of {pages}").format(page=page, pages=PAGES)
    turned = {"page": page % PAGES + 1}
    return make(
        type="Basic",
        direction="col",
        gap=2,
        children=[
            {
                "type": "Transition",
                "children": {"type": "Title", "key": f"page-{page}", "value": title, "size": "sm"},
            },
            button(_("Turn the page"), "gallery.turned", payload=turned, streaming=False, variant="outline"),
        ],
    )


def _text(value: str) -> Node:
    return {"type": "Text", "value": value}


def _label(name: str, value: str) -> Node:
    return {"type": "Label", "value": value, "fieldName": name}


def _row(children: Any) -> Node:
    return {"type": "Row", "gap": 2, "wrap": "wrap", "align": "center", "children": list(children)}


def _press(label: str, **options: Any) -> Node:
    return button(label, "gallery.pressed", payload={"button": label}, **options)
