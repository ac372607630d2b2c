"""The element's icons: a drawing for every name of the client's, and a dot for all others."""

from typing import Any, get_args

import pytest
from chatkit.icons import IconName
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

WIDGET_NAMES: list[str] = list(get_args(get_args(IconName)[0]))
# `HeaderIcon` of npm's `@openai/chatkit`, without those that widgets have too.
HEADER_NAMES = [
    "back-large",
    "back-small",
    "chat-temporary",
    "close",
    "collapse-large",
    "collapse-left",
    "collapse-right",
    "collapse-small",
    "compose",
    "dark-mode",
    "dots-horizontal-circle",
    "dots-vertical-circle",
    "double-chevron-left",
    "double-chevron-right",
    "expand-large",
    "expand-small",
    "grid",
    "hamburger",
    "history",
    "home",
    "home-alt",
    "light-mode",
    "menu",
    "menu-inverted",
    "open-left",
    "open-right",
    "settings-cog",
    "share",
    "sidebar-collapse-left",
    "sidebar-collapse-right",
    "sidebar-floating-left",
    "sidebar-floating-open-left",
    "sidebar-floating-open-right",
    "sidebar-floating-right",
    "sidebar-left",
    "sidebar-open-left",
    "sidebar-open-left-alt",
    "sidebar-open-right",
    "sidebar-open-right-alt",
    "sidebar-right",
]


async def icons(bench: Page, script: str, argument: Any = None) -> Any:
    """What a function of the module's exports and an argument returns."""
    call = f"""async (argument) => {{
        await import(CLIENT + '/element/icon-drawings.js');
        return ({script})(await import(CLIENT + '/element/icons.js'), argument);
    }}"""
    return await bench.evaluate(call, argument)


async def test_every_name_of_the_client_has_a_drawing_of_its_own(bench: Page):
    # "write-alt" is the same thing as "compose".
    names = [name for name in WIDGET_NAMES + HEADER_NAMES if name != "write-alt"]
    assert len(names) > 100
    drawings = await icons(bench, "({icon}, names) => names.map((name) => icon(name).innerHTML)", names)
    assert len(set(drawings)) == len(names)
    assert await icons(bench, "({hasIcon}, names) => names.every(hasIcon)", [*names, "write-alt"])


async def test_unknown_name_is_a_dot(bench: Page):
    names = [
        "dot",
        "vendor:logo",
        "lucide:nothing",
        "constructor",
        "lucide:__proto__",
        "",
        None,
        7,
        ["bolt"],
        {"a": 1},
    ]
    script = "({icon}, names) => names.map((name) => [icon(name).dataset.icon, icon(name).innerHTML])"
    dot, *others = await icons(bench, script, names)
    assert others == [dot] * 9
    assert await icons(bench, "({hasIcon}, names) => names.filter(hasIcon)", names) == ["dot"]


async def test_name_of_lucide_s_is_what_we_have_for_it(bench: Page):
    names = {
        "lucide:settings": "settings-cog",
        "lucide:trash-2": "trash",
        "lucide:x": "close",
        "lucide:check": "check",
        "lucide:chevron-right": "chevron-right",
        "lucide:panel-right": "sidebar-right",
    }
    script = "({icon}, names) => names.map((name) => icon(name).innerHTML)"
    drawings = await icons(bench, script, ["dot", *names.values()])
    assert await icons(bench, script, ["dot", *names]) == drawings
    assert len(set(drawings)) == 7


async def test_filled_variant_is_filled(bench: Page):
    script = "({icon}, names) => names.map((name) => icon(name).firstChild.getAttribute('fill'))"
    assert await icons(bench, script, ["star", "star-filled", "thumbs-down", "thumbs-down-filled"]) == [
        None,
        "currentColor",
        None,
        "currentColor",
    ]


async def test_icon_that_points_along_the_line_can_be_mirrored(bench: Page):
    names = ["back", "chevron-right", "lucide:arrow-left", "sidebar-left", "chevron-down", "reload", "check"]
    script = "({icon}, names) => names.filter((name) => icon(name).classList.contains('directional'))"
    assert await icons(bench, script, names) == ["back", "chevron-right", "lucide:arrow-left", "sidebar-left"]


async def test_icon_is_nothing_to_screen_readers(bench: Page):
    assert await icons(bench, "({icon}) => icon('bolt').ariaHidden") == "true"
