"""Tags in the composer: "@", what it finds, and what becomes of it while the text is edited."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from .site import Site
from .test_composer import AFTER_SEARCH, box, button, configure, sent, set_value

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

PEOPLE = """[
    {id: "1", title: "Ada Lovelace", group: "People", icon: "user", interactive: true, data: {born: "1815"}},
    {id: "2", title: "Analytical Engine", group: "Machines"},
    {id: "3", title: "Adam Smith", group: "People"},
]"""
SEARCH = f"""(options) => {{
    window.queries = [];
    options.entities = {{
        showComposerMenu: true,
        onTagSearch: async (query) => {{
            queries.push(query);
            return {PEOPLE}.filter(({{title}}) => title.toLowerCase().includes(query.toLowerCase()));
        }},
    }};
}}"""


def options(page: Page) -> Locator:
    return page.get_by_role("option")


def nothing(page: Page) -> Locator:
    return page.locator("openai-chatkit .suggestions").get_by_text("Nothing found.")


async def type_tag(page: Page, before: str = "Ask @ada l", after: str = "about it") -> None:
    await box(page).press_sequentially(before)
    await expect(options(page)).to_have_text(["Ada Lovelace"])
    await box(page).press("Enter")
    await box(page).press_sequentially(after)


# Searching and picking


async def test_entity_picked_by_keyboard_is_sent_in_its_place(page: Page, pages: Site):
    await configure(page, SEARCH)
    await page.goto("/")
    await type_tag(page)
    await expect(box(page)).to_have_value("Ask @Ada Lovelace about it")
    await expect(options(page)).to_have_count(0)
    await box(page).press("Enter")
    assert (await sent(pages))["content"] == [
        {"type": "input_text", "text": "Ask "},
        {
            "type": "input_tag",
            "id": "1",
            "text": "Ada Lovelace",
            "group": "People",
            "data": {"born": "1815"},
            "interactive": True,
        },
        {"type": "input_text", "text": " about it"},
    ]
    await expect(box(page)).to_have_value("")


async def test_results_are_grouped_and_walked_through_with_the_arrows(page: Page):
    await configure(page, SEARCH)
    await page.goto("/")
    await box(page).press_sequentially("@a")
    await expect(options(page)).to_have_text(["Ada Lovelace", "Adam Smith", "Analytical Engine"])
    await expect(page.get_by_role("group", name="People").get_by_role("option")).to_have_count(2)
    await expect(page.locator("openai-chatkit [aria-live=polite]")).to_have_text("Suggestions: 3")
    for key, chosen in [("ArrowDown", 1), ("ArrowDown", 2), ("ArrowDown", 0), ("ArrowUp", 2)]:
        await box(page).press(key)
        await expect(page.get_by_role("option", selected=True)).to_have_count(1)
        await expect(options(page).nth(chosen)).to_have_attribute("aria-selected", "true")
        active = await options(page).nth(chosen).get_attribute("id")
        await expect(box(page)).to_have_attribute("aria-activedescendant", active or "none")
    await box(page).press("Tab")
    await expect(box(page)).to_have_value("@Analytical Engine ")
    await expect(box(page)).to_be_focused()


async def test_entity_can_be_picked_with_the_mouse(page: Page):
    await configure(page, SEARCH)
    await page.goto("/")
    await box(page).press_sequentially("@a")
    await page.get_by_role("option", name="Adam Smith").click()
    await expect(box(page)).to_have_value("@Adam Smith ")
    await expect(box(page)).to_be_focused()


async def test_escape_closes_the_list_and_enter_sends_what_is_written(page: Page, pages: Site):
    await configure(page, SEARCH)
    await page.goto("/")
    await box(page).press_sequentially("see @ad")
    await expect(options(page)).to_have_count(2)
    await box(page).press("Escape")
    await expect(options(page)).to_have_count(0)
    await box(page).press_sequentially("a")
    await page.wait_for_timeout(AFTER_SEARCH)
    await expect(options(page)).to_have_count(0)
    await box(page).press("Enter")
    assert (await sent(pages))["content"] == [{"type": "input_text", "text": "see @ada"}]


async def test_button_begins_a_search(page: Page):
    await configure(page, SEARCH)
    await page.goto("/")
    await box(page).fill("Ask")
    await button(page, "Mention").click()
    await expect(box(page)).to_have_value("Ask @")
    await expect(options(page)).to_have_count(3)
    assert await page.evaluate("queries") == [""]


@pytest.mark.parametrize("text", ["ada@ad", "no one", "a @ ad"])
async def test_at_sign_of_another_meaning_searches_nothing(page: Page, text: str):
    await configure(page, SEARCH)
    await page.goto("/")
    await box(page).press_sequentially(text)
    await page.wait_for_timeout(AFTER_SEARCH)
    assert await page.evaluate("queries.filter((query) => query.trim())") == []
    await expect(options(page)).to_have_count(0)


async def test_sentence_after_a_name_that_nobody_has_is_not_searched_for(page: Page):
    await configure(page, SEARCH)
    await page.goto("/")
    await box(page).press_sequentially("@bob")
    await expect(nothing(page)).to_be_visible()
    await box(page).press_sequentially(" is")
    await page.wait_for_timeout(AFTER_SEARCH)
    await expect(nothing(page)).to_be_hidden()
    await box(page).press_sequentially(" here")
    await page.wait_for_timeout(AFTER_SEARCH)
    assert (await page.evaluate("queries"))[-1] == "bob"


async def test_answer_to_an_older_query_is_dropped(page: Page):
    await configure(
        page,
        """(options) => {
            window.answers = {};
            options.entities = {onTagSearch: (query) => new Promise((resolve) => { answers[query] = resolve; })};
        }""",
    )
    await page.goto("/")
    await box(page).press_sequentially("@a")
    await page.wait_for_function("'a' in answers")
    await box(page).press_sequentially("b")
    await page.wait_for_function("'ab' in answers")
    await page.evaluate("answers.ab([{id: 'new', title: 'Newer'}])")
    await page.evaluate("answers.a([{id: 'old', title: 'Older'}])")
    await expect(options(page)).to_have_text(["Newer"])


@pytest.mark.parametrize(
    "result",
    [
        "Promise.reject(new Error('down'))",
        "null",
        "'text'",
        "[null, 5, 'x', {}, {title: 'no id'}, {id: {}}]",
    ],
)
async def test_search_that_fails_or_gives_nonsense_finds_nothing(page: Page, result: str):
    await configure(page, f"(options) => {{ options.entities = {{onTagSearch: () => {result}}}; }}")
    await page.goto("/")
    await box(page).press_sequentially("@a")
    await expect(nothing(page)).to_be_visible()
    logged = await page.evaluate("events.map(({name}) => name).filter((name) => name?.endsWith('failed'))")
    assert set(logged) == ({"composer.entities.search.failed"} if "reject" in result else set())


async def test_title_of_many_lines_and_directions_is_one_line(page: Page, pages: Site):
    title = "a\\u202e\\nb\\ud800 <b>c</b>" + "x" * 5000
    await configure(
        page, f"(o) => {{ o.entities = {{onTagSearch: async () => [{{id: 'x', title: '{title}'}}]}}; }}"
    )
    await page.goto("/")
    await box(page).press_sequentially("@a")
    await expect(options(page)).to_have_count(1)
    await box(page).press("Enter")
    await expect(options(page)).to_have_count(0)
    await box(page).press("Enter")
    [tag] = (await sent(pages))["content"]
    assert tag["id"] == "x"
    assert tag["text"].startswith("a b\ufffd <b>c</b>xxx")
    assert len(tag["text"]) <= 1000


# Editing


@pytest.mark.parametrize(("key", "caret"), [("Backspace", 17), ("Delete", 4)])
async def test_tag_is_removed_as_a_whole_and_undo_brings_it_back(
    page: Page, pages: Site, key: str, caret: int
):
    await configure(page, SEARCH)
    await page.goto("/")
    await type_tag(page)
    await box(page).evaluate(f"(node) => node.setSelectionRange({caret}, {caret})")
    await box(page).press(key)
    await expect(box(page)).to_have_value("Ask  about it")
    await box(page).press("Control+z")
    await expect(box(page)).to_have_value("Ask @Ada Lovelace about it")
    await box(page).press("Enter")
    assert [part["type"] for part in (await sent(pages))["content"]] == [
        "input_text",
        "input_tag",
        "input_text",
    ]


async def test_edit_inside_a_tag_makes_it_text(page: Page, pages: Site):
    await configure(page, SEARCH)
    await page.goto("/")
    await type_tag(page)
    await box(page).evaluate("(node) => node.setSelectionRange(8, 8)")
    await box(page).press("Backspace")
    await box(page).press("Enter")
    assert (await sent(pages))["content"] == [{"type": "input_text", "text": "Ask @Ad Lovelace about it"}]


async def test_text_before_and_after_a_tag_leaves_it_alone(page: Page, pages: Site):
    await configure(page, SEARCH)
    await page.goto("/")
    await type_tag(page, "@ada l", "")
    await box(page).press("Home")
    await box(page).press_sequentially("@@ ")
    await box(page).press("Escape")
    await box(page).press("End")
    await box(page).press_sequentially("@ada")
    await box(page).press("Enter")
    await box(page).press("Enter")
    assert [part["text"] for part in (await sent(pages))["content"]] == [
        "@@ ",
        "Ada Lovelace",
        " ",
        "Ada Lovelace",
    ]


async def test_tags_of_the_page_are_sent_as_they_are(page: Page, pages: Site):
    content = [
        {"type": "input_text", "text": "Tell "},
        {"type": "input_tag", "id": "7", "text": "Grace", "data": {"a": {"b": 1}}, "interactive": False},
        {"type": "input_text", "text": " so."},
    ]
    await page.goto("/")
    await set_value(page, {"content": content})
    await expect(box(page)).to_have_value("Tell @Grace so.")
    await button(page, "Send message").click()
    assert (await sent(pages))["content"] == content


async def test_tags_lie_behind_their_text(page: Page):
    await page.goto("/")
    tag = {"type": "input_tag", "id": "7", "text": "Grace"}
    text = {"type": "input_text", "text": "many words of which some wrap " * 12}
    await set_value(page, {"content": [text, tag, text]})
    found = await page.evaluate(
        """() => {
            const root = document.querySelector("openai-chatkit").shadowRoot;
            const [input, backdrop] = [root.querySelector("textarea"), root.querySelector(".backdrop")];
            input.scrollTop = 20;
            return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve({
                tag: backdrop.querySelector("span").textContent,
                scroll: [input.scrollTop, backdrop.scrollTop],
                width: input.clientWidth - backdrop.clientWidth,
                height: input.scrollHeight - backdrop.scrollHeight,
            }))));
        }"""
    )
    assert found == {"tag": "@Grace", "scroll": [20, 20], "width": 0, "height": 0}


@pytest.mark.parametrize(
    "content", ["5", "null", "[null, 5, {type: 'input_tag'}, {type: 'x', text: 3}, {text: {}}]"]
)
async def test_content_of_the_page_that_is_nonsense_breaks_nothing(page: Page, content: Any):
    await page.goto("/")
    await page.evaluate(
        f"document.querySelector('openai-chatkit').setComposerValue({{text: 'a', content: {content}}})"
    )
    await box(page).press_sequentially("b")
    assert "b" in await box(page).input_value()
