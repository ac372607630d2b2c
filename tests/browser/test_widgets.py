"""Widgets of the bundled element: what they show, what of them stays when they change, and what they send."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from .site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

# A widget in a frame of its own, with a host that keeps what it is asked for in `acts` until `finish()`.
SETUP = """async ({ readOnly }) => {
  const names = ["widgets/index", "style-sheet", "strings", "items"];
  const load = (name) => import(`${CLIENT}/element/${name}.js`);
  const [{ WidgetView, renderRoot }, { styleSheet }, { STRINGS }, { updateItem }] = await Promise.all(names.map(load));
  const chart = await load("widgets/chart");
  await load("views/frame");
  const acts = [];
  const host = {
    acts,
    isReadOnly: readOnly,
    options: {},
    text: (key, values = {}) => STRINGS[key].replace(/{(\\w+)}/g, (_, name) => values[name]),
    part: (name) => (name === "chart" ? chart : null),
    load: (name) => load("parts").then(({ PARTS }) => PARTS[name].load()),
    mayLoad: (url) => String(url).startsWith("data:"),
    act: (action, item) => {
      acts.push(action);
      return new Promise((resolve) => (window.finish = resolve));
    },
    followLink() {},
  };
  const place = document.createElement("div");
  document.body.replaceChildren(place);
  place.id = "place";
  const shadow = place.attachShadow({ mode: "open" });
  shadow.adoptedStyleSheets = [styleSheet()];
  const frame = document.createElement("div");
  frame.className = "frame";
  frame.style.blockSize = "auto";
  shadow.append(frame);
  const view = new WidgetView(host);
  frame.append(view.node);
  let item = { id: "item_1", type: "widget" };
  window.acts = acts;
  window.show = (widget) => view.update((item = { ...item, widget }));
  window.change = (update) => view.update((item = updateItem(item, update)));
  window.preview = (root) => frame.replaceChildren(renderRoot(host, root));
  window.widgetOf = () => item.widget;
}"""

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
GO = {"type": "go"}


def text(value: str, **props: Any) -> dict[str, Any]:
    return {"type": "Text", "value": value, **props}


def card(*children: Any, **props: Any) -> dict[str, Any]:
    return {"type": "Card", "children": list(children), **props}


def button(label: str, **props: Any) -> dict[str, Any]:
    return {"type": "Button", "label": label, **props}


async def show(page: Page, widget: Any, *, read_only: bool = False) -> Locator:
    """Have this widget in a page, and return it."""
    await page.evaluate(SETUP, {"readOnly": read_only})
    await page.evaluate("(widget) => show(widget)", widget)
    return page.locator("#place .widget")


async def update(page: Page, widget: Any) -> None:
    await page.evaluate("(widget) => show(widget)", widget)


async def acts(page: Page) -> Any:
    return await page.evaluate("acts.map(({ type, payload }) => [type, payload])")


# What is shown


@pytest.mark.parametrize(
    ("node", "role", "name"),
    [
        ({"type": "Title", "value": "Trip"}, "heading", "Trip"),
        ({"type": "Button", "label": "Book"}, "button", "Book"),
        ({"type": "Button", "iconStart": "star-filled"}, "button", "star filled"),
        ({"type": "Image", "src": PIXEL, "alt": "A view"}, "img", "A view"),
        ({"type": "Input", "name": "city", "placeholder": "City"}, "textbox", "City"),
        ({"type": "Input", "name": "n", "inputType": "number"}, "spinbutton", "n"),
        ({"type": "Textarea", "name": "notes"}, "textbox", "notes"),
        ({"type": "Select", "name": "size", "options": []}, "combobox", "size"),
        ({"type": "Checkbox", "name": "c", "label": "I agree"}, "checkbox", "I agree"),
        ({"type": "RadioGroup", "name": "r", "ariaLabel": "How", "options": [GO]}, "radiogroup", "How"),
        ({"type": "Text", "value": "x", "editable": {"name": "title"}}, "textbox", "title"),
        ({"type": "Divider"}, "separator", None),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
async def test_node_has_its_role_and_name(bench: Page, node: dict[str, Any], role: Any, name: str | None):
    widget = await show(bench, card(node))
    await expect(widget.get_by_role(role, name=name, exact=True)).to_be_visible()


@pytest.mark.parametrize("kind", ["Text", "Caption", "Badge", "Markdown", "Label"])
async def test_text_is_shown(bench: Page, kind: str):
    node = {"type": kind, "value": "Said so", "label": "Said so", "fieldName": "x"}
    await expect(await show(bench, card(node))).to_have_text("Said so")


@pytest.mark.parametrize("kind", ["Box", "Row", "Col", "Form", "Transition", "Basic", "Card", "Hologram"])
async def test_container_shows_its_children(bench: Page, kind: str):
    widget = {"type": kind, "children": [text("one"), {"type": kind, "children": text("two")}]}
    await expect((await show(bench, widget)).locator("p")).to_have_text(["one", "two"])


async def test_unknown_root_without_children_says_so(bench: Page):
    await expect(await show(bench, {"type": "Hologram"})).to_have_text(
        "This part of the answer cannot be shown here."
    )


async def test_unknown_node_without_children_shows_nothing(bench: Page):
    await expect(await show(bench, card(text("a"), {"type": "Hologram"}))).to_have_text("a")


async def test_table_has_header_cells_and_spans(bench: Page):
    def cell(value: str, **props: Any) -> dict[str, Any]:
        return {"type": "Table.Cell", "children": [text(value)], **props}

    rows = [
        {"type": "Table.Row", "header": True, "children": [cell("Item"), cell("Price")]},
        {"type": "Table.Row", "children": [cell("Nothing", colSpan=2)]},
    ]
    widget = await show(bench, card({"type": "Table", "children": rows}))
    await expect(widget.get_by_role("columnheader")).to_have_text(["Item", "Price"])
    await expect(widget.get_by_role("cell")).to_have_attribute("colspan", "2")


async def test_chart_is_drawn(bench: Page):
    series = [{"type": "bar", "dataKey": "n", "label": "Visits"}]
    chart = {
        "type": "Chart",
        "data": [{"day": "Mon", "n": 3}],
        "series": series,
        "xAxis": "day",
        "height": 150,
    }
    widget = await show(bench, card(chart))
    await expect(widget.locator("svg .chart-bar")).to_have_count(1)
    assert await widget.locator(".chart").evaluate("(node) => node.offsetHeight") == 150


async def test_styles_are_those_of_the_tokens(bench: Page):
    box = {"type": "Box", "padding": {"x": 4, "top": "10px"}, "gap": 2, "radius": "lg", "width": 100}
    box |= {"border": {"bottom": 3}, "align": "center", "justify": "between", "children": [text("x")]}
    widget = await show(bench, {"type": "Basic", "children": [box]})
    style = await widget.locator(".w-box .w-box").evaluate(
        """(node) => {
          const s = getComputedStyle(node);
          return [s.padding, s.gap, s.borderRadius, s.width, s.borderBottomWidth, s.alignItems, s.justifyContent];
        }"""
    )
    assert style == ["10px 16px 0px", "8px", "10px", "100px", "3px", "center", "space-between"]


async def test_theme_of_a_card_is_its_own(bench: Page):
    widget = await show(bench, card(text("night"), theme="dark"))
    assert await widget.locator("p").evaluate("(node) => getComputedStyle(node).colorScheme") == "dark"


async def test_text_on_a_light_step_of_a_hue_is_dark_at_night(bench: Page):
    night = {"type": "Box", "background": "blue-50", "children": [text("legible")]}
    widget = await show(bench, card(night, theme="dark"))
    assert await widget.locator("p").evaluate("(node) => getComputedStyle(node).colorScheme") == "light"


async def test_image_from_elsewhere_waits_to_be_asked_for(bench: Page):
    requests: list[str] = []
    bench.on("request", lambda request: requests.append(request.url))
    status = {"text": "Shop", "favicon": "https://shop.example/favicon.ico"}
    widget = await show(
        bench, card({"type": "Image", "src": "https://shop.example/a.png", "alt": "A"}, status=status)
    )
    await expect(widget.get_by_role("button")).to_have_text("Show image from shop.example A")
    assert [url for url in requests if "shop.example" in url] == []


# Lists


def list_of(count: int, **props: Any) -> dict[str, Any]:
    items = [{"type": "ListViewItem", "children": [text(f"Item {n}")]} for n in range(count)]
    return {"type": "ListView", "children": items, **props}


async def test_list_shows_more_when_asked_and_goes_on_showing_it(bench: Page):
    widget = await show(bench, list_of(7, limit=2))
    await expect(widget.get_by_role("listitem")).to_have_text(["Item 0", "Item 1"])
    await widget.get_by_role("button", name="Show 5 more").press("Enter")
    await expect(widget.get_by_role("listitem")).to_have_count(7)
    await expect(widget.get_by_role("listitem").nth(2)).to_be_focused()
    await update(bench, list_of(8, limit=2))
    await expect(widget.get_by_role("listitem")).to_have_count(8)


async def test_item_of_a_list_is_a_button_around_its_controls(bench: Page):
    item = {
        "type": "ListViewItem",
        "onClickAction": {"type": "open", "payload": {"id": 7}},
        "children": [text("Trattoria"), button("Call", onClickAction={"type": "call"})],
    }
    widget = await show(bench, {"type": "ListView", "children": [item]})
    await widget.get_by_role("button", name="Call", exact=True).click()
    await bench.evaluate("finish()")
    await widget.get_by_role("button", name="Trattoria Call").press("Enter")
    await bench.evaluate("finish()")
    await widget.get_by_text("Trattoria").click(force=True)
    assert await acts(bench) == [["call", None], ["open", {"id": 7}], ["open", {"id": 7}]]


# Changes


async def test_field_keeps_text_and_focus_when_something_comes_before_it(bench: Page):
    field = {"type": "Input", "name": "city"}
    widget = await show(bench, card(text("gone"), field))
    await widget.get_by_role("textbox").press_sequentially("Lisbon")
    await update(bench, card({"type": "Title", "value": "New"}, text("a"), text("b"), dict(field)))
    await expect(widget.get_by_role("textbox")).to_have_value("Lisbon")
    await expect(widget.get_by_role("textbox")).to_be_focused()


async def test_field_of_another_key_is_another_field(bench: Page):
    widget = await show(bench, card({"type": "Input", "name": "city", "key": "1"}))
    await widget.get_by_role("textbox").fill("Lisbon")
    await update(bench, card({"type": "Input", "name": "city", "key": "2"}))
    await expect(widget.get_by_role("textbox")).to_have_value("")


async def test_streamed_text_grows_where_it_is(bench: Page):
    widget = await show(bench, card({"type": "Row", "children": text("Once ", id="story")}, text("still")))
    shown = await widget.locator("p").first.evaluate_handle("(node) => node.firstChild")
    before = await bench.evaluate_handle("widgetOf().children[1]")
    delta = {
        "type": "widget.streaming_text.value_delta",
        "component_id": "story",
        "delta": "upon",
        "done": False,
    }
    await bench.evaluate("(update) => change(update)", delta)
    await expect(widget.locator("p")).to_have_text(["Once upon", "still"])
    assert await widget.locator("p").first.evaluate("(node, text) => node.firstChild === text", shown)
    assert await bench.evaluate("(before) => widgetOf().children[1] === before", before)


async def test_component_is_replaced_by_its_update(bench: Page):
    widget = await show(bench, card({"type": "Row", "children": [text("old", id="a"), text("b")]}))
    update_ = {"type": "widget.component.updated", "component_id": "a", "component": button("new", id="a")}
    await bench.evaluate("(update) => change(update)", update_)
    await expect(widget.get_by_role("button")).to_have_text("new")
    await expect(widget.locator("p")).to_have_text(["b"])


async def test_update_of_no_component_changes_nothing(bench: Page):
    widget = await show(bench, card(text("kept")))
    for component_id in (None, "", "absent", ["kept"]):
        update_ = {
            "type": "widget.component.updated",
            "component_id": component_id,
            "component": text("lost"),
        }
        await bench.evaluate("(update) => change(update)", update_)
    await expect(widget).to_have_text("kept")


# Actions


async def test_busy_button_sends_once_and_can_be_used_again(bench: Page):
    widget = await show(bench, card(button("Go", onClickAction=GO)))
    go = widget.get_by_role("button")
    await go.dblclick()
    await expect(go).to_have_attribute("aria-busy", "true")
    await expect(go).to_be_focused()
    await bench.evaluate("finish()")
    await expect(go).not_to_have_attribute("aria-busy", "true")
    await go.click()
    assert len(await acts(bench)) == 2


async def test_busy_container_is_inert_and_gives_the_focus_back(bench: Page):
    widget = await show(bench, card(button("Go", onClickAction={**GO, "loadingBehavior": "container"})))
    await widget.get_by_role("button").press("Enter")
    await expect(widget).to_have_attribute("aria-busy", "true")
    assert await widget.evaluate("(node) => node.inert")
    await bench.evaluate("finish()")
    await expect(widget.get_by_role("button")).to_be_focused()
    assert not await widget.evaluate("(node) => node.inert")


async def test_action_without_loading_shows_nothing(bench: Page):
    widget = await show(bench, card(button("+1", onClickAction={**GO, "loadingBehavior": "none"})))
    await widget.get_by_role("button").dblclick()
    await expect(widget.locator("[aria-busy]")).to_have_count(0)
    assert len(await acts(bench)) == 2


async def test_card_folds_when_its_action_is_over(bench: Page):
    confirm = {"label": "Send", "action": {"type": "send", "payload": {"to": "Ada"}}}
    widget = await show(bench, card(text("Dear Ada"), collapsed=True, confirm=confirm))
    await widget.get_by_role("button", name="Send").click()
    await expect(widget).to_have_attribute("aria-busy", "true")
    await expect(widget.get_by_text("Dear Ada")).to_be_visible()
    await bench.evaluate("finish()")
    await expect(widget.get_by_text("Dear Ada")).to_be_hidden()
    await widget.get_by_role("button", name="Show details").click()
    await expect(widget.get_by_text("Dear Ada")).to_be_visible()
    await expect(widget.get_by_role("button", name="Hide details")).to_have_attribute("aria-expanded", "true")
    assert await acts(bench) == [["send", {"to": "Ada"}]]


async def test_card_that_comes_collapsed_without_actions_is_folded(bench: Page):
    widget = await show(bench, card(text("Dear Ada"), collapsed=True, status={"text": "Sent"}))
    await expect(widget.get_by_text("Sent")).to_be_visible()
    await expect(widget.get_by_text("Dear Ada")).to_be_hidden()


async def test_nothing_can_be_done_where_it_is_read_only(bench: Page):
    children = [
        {"type": "Input", "name": "a", "defaultValue": "kept"},
        {"type": "Select", "name": "b", "options": [{"value": "1", "label": "One"}], "clearable": True},
        {"type": "Checkbox", "name": "c"},
        {"type": "RadioGroup", "name": "d", "options": [{"value": "1", "label": "One"}]},
        button("Go", onClickAction=GO),
    ]
    confirm = {"label": "Send", "action": GO}
    widget = await show(bench, card(*children, confirm=confirm), read_only=True)
    await expect(widget.locator(":is(input, select, button):enabled:visible")).to_have_count(0)
    await expect(widget.get_by_role("textbox")).to_have_value("kept")


async def test_preview_has_no_actions(bench: Page):
    await show(bench, text(""))
    await bench.evaluate(
        "(root) => preview(root)", {"type": "Basic", "children": [button("Go", onClickAction=GO)]}
    )
    await expect(bench.locator("#place").get_by_role("button", name="Go")).to_be_disabled()


# Bad input


async def test_styles_cannot_load_or_leave(bench: Page):
    requests: list[str] = []
    bench.on("request", lambda request: requests.append(request.url))
    evil = "url(https://evil.example/x.png)"
    box = {
        "type": "Box",
        "width": "9999999px",
        "minWidth": 99999,
        "height": 1e9,
        "position": "fixed",
        "zIndex": 9,
    }
    box |= {
        "background": evil,
        "border": {"size": 1, "color": evil},
        "padding": f"1px; {evil}",
        "radius": evil,
    }
    box |= {"margin": "-500px", "flex": evil, "aspectRatio": evil, "children": [text("in", color=evil)]}
    await bench.set_viewport_size({"width": 320, "height": 600})
    widget = await show(bench, {"type": "Basic", "children": [box]})
    assert await bench.evaluate("document.documentElement.scrollWidth") == 320
    style = await widget.locator(".w-box .w-box").evaluate(
        "(node) => [getComputedStyle(node).position, node.offsetHeight, node.getAttribute('style').includes('evil')]"
    )
    assert style == ["static", 2000, False]
    assert [url for url in requests if "evil.example" in url] == []


async def test_deep_widget_is_cut_off(bench: Page):
    await show(bench, text(""))
    await bench.evaluate(
        """() => {
          let node = { type: "Text", value: "bottom", id: "bottom" };
          for (let depth = 0; depth < 10_000; depth += 1) node = { type: "Box", children: [node] };
          show(node);
          change({ type: "widget.streaming_text.value_delta", component_id: "bottom", delta: "!", done: true });
        }"""
    )
    await expect(bench.locator("#place .w-box")).to_have_count(50)


async def test_widget_of_too_many_nodes_is_cut_off(bench: Page):
    await show(bench, text(""))
    await bench.evaluate(
        """() => {
          const row = { type: "Row", children: Array(100).fill({ type: "Text", value: "x" }) };
          show({ type: "Card", children: Array(10_000).fill(row) });
        }"""
    )
    assert 4000 < await bench.locator("#place .widget *").count() < 6000


WRONG = [None, True, -1, 1e308, "", "\ud800 \u202e", "<img src=x onerror=alert(1)>", [], [[None]], {"a": [1]}]
KINDS = """
    Badge Basic Box Button Caption Card Chart Checkbox Col DatePicker Divider Form Icon Image Input Label ListView
    ListViewItem Markdown RadioGroup Row Select Spacer Table Table.Cell Table.Row Text Textarea Title Transition
    __proto__ constructor toString
"""
PROPERTIES = """
    align alt ariaLabel asForm aspectRatio autoFocus background block border cancel children clearable colSize colSpan
    collapsed color confirm data defaultChecked defaultValue direction disabled editable fieldName fit flex flush frame
    gap gutterSize header height iconEnd iconSize iconStart id inputType italic justify key label limit margin max
    maxLines maxRows min minLines minSize name onChangeAction onClickAction onSubmitAction options padding pattern
    placeholder position radius rowSpan rows series showLegend size src status style textAlign theme truncate vAlign
    value variant weight width wrap xAxis
"""


async def test_no_property_of_a_wrong_type_breaks_anything(bench: Page):
    await show(bench, text(""))
    failures = await bench.evaluate(
        """([kinds, properties, values]) => {
          const failures = [];
          for (const type of kinds) {
            for (const value of values) {
              const good = { type, children: [{ type: "Text", value: "x" }], value: "v", name: "n", label: "l" };
              const all = Object.fromEntries(properties.map((property) => [property, value]));
              const each = properties.map((property) => ({ ...good, [property]: value }));
              for (const node of [{ ...all, type }, ...each]) {
                try {
                  show({ type: "Card", children: [node] });
                  show(node);
                } catch (error) {
                  failures.push(`${type} ${JSON.stringify(node).slice(0, 99)} ${error.stack.slice(0, 300)}`);
                }
              }
            }
          }
          for (const root of values) show(root);
          return failures.slice(0, 5);
        }""",
        [KINDS.split(), PROPERTIES.split(), WRONG],
    )
    assert failures == []
    await update(bench, card(text("still there")))
    await expect(bench.locator("#place .widget")).to_have_text("still there")


async def test_long_words_stay_within_a_narrow_frame(bench: Page):
    await bench.set_viewport_size({"width": 320, "height": 600})
    word = "Donaudampfschifffahrt" * 9
    children = [
        {"type": "Row", "children": [text(word), {"type": "Badge", "label": word}, button("Go")]},
        {"type": "Title", "value": word, "size": "5xl"},
        {"type": "Checkbox", "name": "c", "label": word},
        {"type": "Select", "name": "s", "options": [{"value": "1", "label": word}], "defaultValue": "1"},
        button(word),
    ]
    widget = await show(bench, card(*children, confirm={"label": word, "action": GO}))
    overflowing = await widget.evaluate(
        """(widget) => [...widget.querySelectorAll("p, h3, span, button, select, label")]
          .filter((node) => node.getBoundingClientRect().right > 321).map((node) => node.className)"""
    )
    assert overflowing == []


# In a thread


async def test_widget_of_a_thread_sends_its_action_and_is_updated(page: Page, pages: Site):
    form = {
        "type": "Form",
        "onSubmitAction": {"type": "save", "payload": {"id": 7}},
        "children": [
            {"type": "Input", "name": "title"},
            button("Save", submit=True),
            text("Not saved", id="state"),
        ],
    }
    thread = pages.add_thread("A form", {"type": "widget", "id": "item_w", "widget": card(form)})
    saved = {
        "type": "widget.component.updated",
        "component_id": "state",
        "component": text("Saved", id="state"),
    }
    pages.script(
        "threads.custom_action", {"type": "thread.item.updated", "item_id": "item_w", "update": saved}, 0.2
    )
    pages.chats = [{"thread": thread}]
    await page.goto("/")
    widget = page.locator("openai-chatkit .widget")
    await widget.get_by_role("textbox").fill("Tea")
    await widget.get_by_role("textbox").press("Enter")
    await expect(widget.get_by_text("Saved", exact=True)).to_be_visible()
    await expect(widget.get_by_role("textbox")).to_have_value("Tea")
    await expect(widget).not_to_have_attribute("aria-busy", "true")
    await expect(widget.get_by_role("textbox")).to_be_focused()
    params = pages.params_of("threads.custom_action")
    assert params == {
        "thread_id": thread,
        "item_id": "item_w",
        "action": {"type": "save", "payload": {"id": 7, "title": "Tea"}},
    }
