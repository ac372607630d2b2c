"""The composer's command menu: "/", what the composer itself offers, and what the page adds."""

import pytest
from playwright.async_api import Locator, Page, expect

from .site import Site, assistant, user
from .test_composer import AFTER_SEARCH, MODELS, TOOLS, box, button, configure, sent

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

ENABLED = "(options) => { options.commands = {enabled: true}; }"
COMMANDS = """(options) => {
    window.selected = [];
    const commands = [
        {id: "who", label: "Customer", description: "Of this order", group: "Shop", icon: "user"},
        {id: "letters", label: "Letters", group: "Shop"},
        {id: "beep", label: "Beep", group: "Shop"},
        {id: "broken", label: "Broken", group: "Shop"},
    ];
    const results = {
        who: {type: "entity", entity: {id: "c7", title: "Ms Seven", group: "Customers"}},
        letters: {type: "menu", commands: [{id: "who", label: "Refund"}, {id: "more", label: "More"}]},
        more: {type: "menu", commands: [{id: "beep", label: "Apology"}]},
    };
    options.commands = {
        enabled: true,
        onSearch: async (query) => commands.filter(({label}) => label.toLowerCase().includes(query.toLowerCase())),
        onSelect: async ({id}) => {
            selected.push(id);
            if (id === "broken") throw new Error("broken");
            return results[id];
        },
    };
}"""


def options(page: Page) -> Locator:
    return page.get_by_role("option")


async def type_command(page: Page, query: str, first: str) -> None:
    await box(page).press_sequentially(query)
    await expect(options(page).first).to_contain_text(first)


async def test_menu_offers_what_the_composer_can_do(page: Page, pages: Site):
    composer = {"tools": TOOLS, "models": MODELS, "attachments": {"enabled": True}}
    thread = pages.add_thread("Earlier", user("hi"), assistant("hello"))
    pages.chats = [{"thread": thread, "options": {"composer": composer}}]
    await configure(
        page,
        """(options) => {
            options.commands = {enabled: true};
            options.api.uploadStrategy = {type: "two_phase"};
        }""",
    )
    await page.goto("/")
    await expect(page.get_by_text("hello")).to_be_visible()
    await type_command(page, "/", "Attach files")
    await expect(options(page)).to_have_text(
        [
            "Attach files",
            "Search the web",
            "Draw an image",
            "New chat",
            "Show conversations",
            "Small",
            "BigThinks longer",
        ]
    )


async def test_new_chat_offers_neither_itself_nor_a_history_that_is_off(page: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"tools": TOOLS[:1]}, "history": {"enabled": False}}}]
    await configure(page, ENABLED)
    await page.goto("/")
    await type_command(page, "/", "Search the web")
    await expect(options(page)).to_have_count(1)


async def test_typing_filters_and_enter_runs_a_command_of_the_composer(page: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"tools": TOOLS, "models": MODELS}}}]
    await configure(page, ENABLED)
    await page.goto("/")
    await type_command(page, "/web", "Search the web")
    await expect(options(page)).to_have_count(1)
    await box(page).press("Enter")
    await expect(button(page, "Web")).to_have_attribute("aria-pressed", "true")
    await expect(box(page)).to_have_value("")
    await type_command(page, "/BIG", "Big")
    await box(page).press("Enter")
    await expect(button(page, "Model: Big")).to_be_visible()
    assert pages.requests == []


async def test_history_is_shown_by_command(page: Page):
    await configure(page, ENABLED)
    await page.goto("/")
    await type_command(page, "/conv", "Show conversations")
    await box(page).press("Enter")
    await expect(page.get_by_text("No conversations yet.")).to_be_visible()


async def test_option_that_is_pressed_when_the_answer_comes_is_picked(page: Page):
    await configure(page, COMMANDS)
    await configure(
        page,
        """({commands}) => {
            const {onSearch} = commands;
            const answered = new Promise((resolve) => (window.answer = resolve));
            commands.onSearch = async (query) => {
                if (query === "be") await answered;
                return onSearch(query);
            };
        }""",
    )
    await page.goto("/")
    await type_command(page, "/b", "Beep")
    await expect(options(page)).to_have_count(2)
    await box(page).press_sequentially("e")
    await expect(options(page)).to_have_text(["Beep"])
    await options(page).hover()
    await page.mouse.down()
    await page.wait_for_timeout(AFTER_SEARCH)
    await page.evaluate("answer()")
    await page.mouse.up()
    await expect(box(page)).to_have_value("")
    assert await page.evaluate("selected") == ["beep"]


async def test_list_shows_what_has_come_once_a_press_elsewhere_is_over(page: Page):
    await configure(page, COMMANDS)
    await page.goto("/")
    await box(page).press_sequentially("/")
    await page.locator("openai-chatkit .suggestions").get_by_text("Shop").hover()
    await page.mouse.down()
    await box(page).press_sequentially("bee")
    await page.wait_for_timeout(AFTER_SEARCH)
    await expect(options(page)).not_to_have_count(1)
    await page.mouse.up()
    await expect(options(page)).to_have_text(["Beep"])


@pytest.mark.parametrize("text", ["and/or", " /"])
async def test_slash_elsewhere_is_a_slash(page: Page, text: str):
    await configure(page, COMMANDS)
    await page.goto("/")
    await box(page).press_sequentially(text)
    await page.wait_for_timeout(AFTER_SEARCH)
    await expect(options(page)).to_have_count(0)


async def test_slash_is_a_slash_without_commands(page: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"tools": TOOLS}}}]
    await page.goto("/")
    await box(page).press_sequentially("/web")
    await box(page).press("Enter")
    assert (await sent(pages))["content"] == [{"type": "input_text", "text": "/web"}]


async def test_command_that_gives_an_entity_puts_it_into_the_text(page: Page, pages: Site):
    await configure(page, COMMANDS)
    await page.goto("/")
    await box(page).fill(" was angry")
    await box(page).press("Home")
    await type_command(page, "/cust", "Customer")
    await box(page).press("Enter")
    await expect(box(page)).to_have_value("@Ms Seven was angry")
    await box(page).press("Enter")
    assert (await sent(pages))["content"] == [
        {
            "type": "input_tag",
            "id": "c7",
            "text": "Ms Seven",
            "group": "Customers",
            "data": {},
            "interactive": False,
        },
        {"type": "input_text", "text": " was angry"},
    ]


async def test_command_that_gives_a_menu_opens_it_and_escape_goes_back(page: Page):
    await configure(page, COMMANDS)
    await page.goto("/")
    await type_command(page, "/lett", "Letters")
    await box(page).press("Enter")
    await expect(options(page)).to_have_text(["Refund", "More", "Back"])
    await type_command(page, "mo", "More")
    await box(page).press("Enter")
    await expect(options(page)).to_have_text(["Apology", "Back"])
    await box(page).press("Escape")
    await expect(options(page)).to_have_text(["Refund", "More", "Back"])
    await page.get_by_role("option", name="Back").click()
    await expect(options(page).nth(1)).to_have_text("CustomerOf this order")
    await box(page).press("Escape")
    await expect(options(page)).to_have_count(0)
    await expect(box(page)).to_have_value("/")
    assert await page.evaluate("selected") == ["letters", "more"]


async def test_command_without_a_result_leaves_nothing_behind(page: Page):
    await configure(page, COMMANDS)
    await page.goto("/")
    await type_command(page, "/beep", "Beep")
    await options(page).first.click()
    await expect(box(page)).to_have_value("")
    await expect(page.locator("openai-chatkit .suggestions")).to_be_hidden()
    assert await page.evaluate("selected") == ["beep"]


async def test_command_that_fails_is_told(page: Page):
    await configure(page, COMMANDS)
    await page.goto("/")
    await type_command(page, "/brok", "Broken")
    await box(page).press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("Something went wrong.")
    assert await page.evaluate("events.map(({name}) => name)") == ["composer.command.failed"]


@pytest.mark.parametrize(
    "result", ["Promise.reject(new Error('down'))", "5", "[null, 5, {}, {label: 'no id'}]"]
)
async def test_search_that_fails_leaves_the_composer_s_own_commands(page: Page, pages: Site, result: str):
    pages.chats = [{"options": {"composer": {"tools": TOOLS[:1]}, "history": {"enabled": False}}}]
    await configure(page, f"(o) => {{ o.commands = {{enabled: true, onSearch: () => {result}}}; }}")
    await page.goto("/")
    await type_command(page, "/", "Search the web")
    await expect(page.locator("openai-chatkit [aria-live=polite]")).to_have_text("Suggestions: 1")
    await expect(options(page)).to_have_count(1)


@pytest.mark.parametrize("result", ["5", "{type: 'menu'}", "{type: 'entity', entity: {}}", "{type: 'new'}"])
async def test_result_of_a_command_that_is_nonsense_breaks_nothing(page: Page, result: str):
    await configure(
        page,
        f"""(o) => {{
            o.commands = {{
                enabled: true,
                onSearch: () => [{{id: "x", label: "Odd"}}],
                onSelect: () => {{ window.selected = true; return {result}; }},
            }};
        }}""",
    )
    await page.goto("/")
    await type_command(page, "/odd", "Odd")
    await box(page).press("Enter")
    await page.wait_for_function("window.selected")
    await box(page).press("Escape")
    await box(page).fill("still here")
    await expect(box(page)).to_have_value("still here")


async def test_choice_stays_when_more_commands_arrive(page: Page, pages: Site):
    pages.chats = [{"options": {"composer": {"tools": TOOLS}}}]
    await configure(
        page,
        """(options) => {
            const found = new Promise((resolve) => { window.find = resolve; });
            options.commands = {enabled: true, onSearch: () => found};
        }""",
    )
    await page.goto("/")
    await type_command(page, "/", "Search the web")
    await box(page).press("ArrowDown")
    await page.evaluate("find([{id: 'late', label: 'Late'}])")
    await expect(options(page).last).to_have_text("Late")
    await expect(page.get_by_role("option", selected=True)).to_have_text("Draw an image")
