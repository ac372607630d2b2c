"""The theme option: its colours can be read, its fonts are loaded, and its mistakes are passed over."""

import json
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from .site import Site, assistant, user

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

FRAME = "document.querySelector('openai-chatkit').shadowRoot.querySelector('.frame')"

# The contrast of two custom properties of the frame, as WCAG 2 defines it.
CONTRASTS = (
    """(pairs) => {
      const frame = """
    + FRAME
    + """;
      const probe = frame.appendChild(document.createElement("i"));
      const luminance = (name) => {
        probe.style.color = `color-mix(in srgb, var(${name}), var(${name}))`;
        const told = getComputedStyle(probe).color;
        if (!told.startsWith("color(srgb ")) throw new Error(`${name}: ${told}`);
        const [r, g, b] = told.slice(11, -1).split(" ").map(Number)
          .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const contrasts = pairs.map(([text, ground, least]) => {
        const [darker, lighter] = [luminance(text), luminance(ground)].sort((a, b) => a - b);
        return [text, ground, least, (lighter + 0.05) / (darker + 0.05)];
      });
      probe.remove();
      return contrasts.filter(([, , least, contrast]) => contrast < least);
    }"""
)

MEANINGS = ["danger", "success", "warning", "info", "discovery"]
PAIRS = [
    ("--on-accent", "--accent", 4.5),
    ("--text", "--bubble", 4.5),
    ("--surface", "--danger", 4.5),
    ("--start-icon", "--fill", 3),
    *((f"--{text}", f"--{text}-fill", 4.5) for text in MEANINGS),
    *(
        (f"--{text}", f"--{ground}", 3 if text == "focus" else 4.5)
        for text in ["text", "muted", "link", "focus", *MEANINGS]
        for ground in ["surface", "fill", "fill-strong"]
    ),
]


def theme(scheme: str, **color: Any) -> dict[str, Any]:
    return {"colorScheme": scheme, "color": color}


def accent(primary: str, level: int) -> dict[str, Any]:
    return {"primary": primary, "level": level}


def surface(background: str, foreground: str) -> dict[str, Any]:
    return {"background": background, "foreground": foreground}


READABLE: dict[str, Any] = {
    "light": "light",
    "dark": "dark",
    "yellow accent": theme("light", accent=accent("yellow", 3)),
    "white accent": theme("light", accent=accent("#fff", 3)),
    "black accent in the dark": theme("dark", accent=accent("#000", 3)),
    "blue accent in the dark": theme("dark", accent=accent("rgb(0 0 255)", 2)),
    "middling accent": theme("light", accent=accent("hsl(20 90% 60%)", 1)),
    "accent of a wide gamut": theme("light", accent=accent("oklch(0.75 0.3 150)", 3)),
    "accent that is seen through": theme("dark", accent=accent("#ff00ff40", 3)),
    "yellow greys": theme("light", grayscale={"hue": 60, "tint": 9, "shade": -4}),
    "pale blue greys": theme("light", grayscale={"hue": 240, "tint": 9, "shade": 4}),
    "yellow greys in the dark": theme("dark", grayscale={"hue": 60, "tint": 9, "shade": 4}),
    "dark blue greys in the dark": theme("dark", grayscale={"hue": 240, "tint": 9, "shade": -4}),
    "cream surface": theme("light", surface=surface("#fdf6e3", "#3b3a36"), accent=accent("gold", 3)),
    "navy surface": theme("dark", surface=surface("#123456", "#fff"), accent=accent("#0a7a4b", 3)),
    "dark surface in the light": theme("light", surface=surface("#1d1d3a", "#e8e8ff")),
    "light surface in the dark": theme("dark", surface=surface("#f4fff4", "#102010")),
    "middling surface": theme("light", surface=surface("#8fb0c9", "#0b1d2a"), accent=accent("#7a1f5c", 3)),
    "middling surface in the dark": theme(
        "dark", surface=surface("#4a5568", "#fff"), accent=accent("teal", 3)
    ),
}


async def set_theme(page: Page, given: Any) -> None:
    await page.evaluate(
        """(theme) => document.querySelector("openai-chatkit").setOptions(
            {api: {url: "/chatkit/", domainKey: "x"}, theme})""",
        given,
    )


async def test_themes_can_be_read(page: Page, pages: Site):
    await show(page, pages, {})
    unreadable = {}
    for name, given in READABLE.items():
        await set_theme(page, given)
        if found := await page.evaluate(CONTRASTS, PAIRS):
            unreadable[name] = found
    assert unreadable == {}


async def properties(page: Page, *names: str) -> list[str]:
    return await page.evaluate(
        f"(names) => names.map((name) => getComputedStyle({FRAME}).getPropertyValue(name))", list(names)
    )


async def style(page: Page, sheet: str) -> None:
    """Give the page a style sheet, which is there before the element is, as one in the page's head would be."""
    await page.add_init_script(
        f"""const sheet = new CSSStyleSheet();
        sheet.replaceSync({json.dumps(sheet)});
        document.adoptedStyleSheets.push(sheet);"""
    )


async def show(page: Page, pages: Site, given: Any) -> None:
    pages.chats = [{"options": {"theme": given}}]
    await page.goto("/")
    await expect(page.get_by_text("What can I help with today?")).to_be_visible()


@pytest.mark.parametrize(
    ("level", "coloured"),
    [
        (0, ["--accent"]),
        (1, ["--accent", "--focus", "--start-icon"]),
        (2, ["--accent", "--focus", "--start-icon", "--link"]),
        (3, ["--accent", "--focus", "--start-icon", "--link", "--bubble"]),
    ],
)
async def test_accent_reaches_as_far_as_its_level(page: Page, pages: Site, level: int, coloured: list[str]):
    names = ["--accent", "--focus", "--start-icon", "--link", "--bubble"]
    await show(page, pages, {})
    plain = await properties(page, *names)
    await show(page, pages, theme("light", accent=accent("rgb(120 0 90)", level)))
    changed = await properties(page, *names)
    differs = [name for name, before, now in zip(names, plain, changed, strict=True) if before != now]
    assert differs == coloured


async def test_accent_may_be_a_property_of_the_page(page: Page, pages: Site):
    await style(page, ":root { --brand: rgb(10 20 200); }")
    await show(page, pages, theme("light", accent=accent("var(--brand)", 0)))
    assert await properties(page, "--accent", "--on-accent") == ["rgb(10 20 200)", "#fff"]


async def test_surface_settles_the_scheme(page: Page, pages: Site):
    await show(page, pages, theme("light", surface=surface("#101020", "#eee")))
    await expect(page.locator("openai-chatkit .frame")).to_have_css("color-scheme", "dark")


MISTAKES = [
    "blue",
    None,
    7,
    {"colorScheme": "sepia", "radius": {}, "density": [], "typography": "big", "color": []},
    theme("light", accent=accent("no colour", 3), surface={"background": "#123456"}, grayscale=7),
    theme("light", accent=accent("var(--missing)", 3), surface=surface("red;}", "#fff")),
    {
        "typography": {
            "baseSize": 99,
            "fontFamily": "a;b:c",
            "fontFamilyMono": 4,
            "fontSources": [None, 3, {}],
        }
    },
]


async def test_theme_that_is_not_as_it_should_be_is_the_usual_one(page: Page, pages: Site):
    names = [
        "--surface",
        "--text",
        "--accent",
        "--link",
        "--muted",
        "--round",
        "--space",
        "--font",
        "--base-size",
    ]
    await show(page, pages, {})
    usual = await properties(page, *names)
    for given in MISTAKES:
        await set_theme(page, given)
        assert await properties(page, *names) == usual


async def test_theme_is_not_mixed_with_the_one_before(page: Page, pages: Site):
    await show(page, pages, {})
    names = ["--surface", "--muted", "--accent", "--link", "--hue", "--base-size", "--font"]
    plain = await properties(page, *names)
    loud = theme(
        "dark", accent=accent("red", 3), surface=surface("#123", "#fff"), grayscale={"hue": 1, "tint": 9}
    )
    loud["typography"] = {"baseSize": 18, "fontFamily": "serif"}
    await set_theme(page, loud)
    # Colours are a part that is loaded when they are asked for.
    await expect(page.locator("openai-chatkit .frame")).to_have_attribute("style", re.compile("--font"))
    assert set(await properties(page, *names)).isdisjoint(plain)
    await set_theme(page, None)
    assert await properties(page, *names) == plain


@pytest.mark.parametrize(
    ("radius", "corner"), [("pill", "22px"), ("round", "16px"), ("soft", "8px"), ("sharp", "0px")]
)
async def test_radius_rounds_what_the_user_wrote(page: Page, pages: Site, radius: str, corner: str):
    thread = pages.add_thread("Corners", user("hi"), assistant("hello"))
    pages.chats = [{"thread": thread, "options": {"theme": {"radius": radius}}}]
    await page.goto("/")
    await expect(page.locator("openai-chatkit .bubble")).to_have_css("border-start-start-radius", corner)


async def test_density_moves_things_apart(page: Page, pages: Site):
    spaces = []
    for density in ["compact", "normal", "spacious"]:
        await show(page, pages, {"density": density})
        # Minified style sheets leave out the zero of ".75em".
        spaces += [float(space.removesuffix("em")) for space in await properties(page, "--space")]
    assert spaces == [0.75, 1, 1.375]


FONT = {"family": "Brand", "src": '/fonts/brand"1.woff2', "weight": 700, "style": "italic", "display": "swap"}


async def test_font_sources_are_added_once(page: Page, pages: Site):
    typography = {
        "baseSize": 17,
        "fontFamily": '"Brand", serif',
        "fontSources": [FONT, FONT, FONT | {"weight": 400, "unicodeRange": "U+0-FF"}],
    }
    pages.chats = [{"options": {"theme": {"typography": typography}}}] * 2
    await page.goto("/")
    await expect(page.get_by_text("What can I help with today?")).to_have_count(2)
    faces = await page.evaluate(
        """[...document.fonts].map(({family, weight, style, display, unicodeRange}) =>
            [family.replaceAll('"', ""), weight, style, display, unicodeRange])"""
    )
    assert faces == [
        ["Brand", "700", "italic", "swap", "U+0-10FFFF"],
        ["Brand", "400", "italic", "swap", "U+0-FF"],
    ]
    frame = page.locator("openai-chatkit .frame").first
    await expect(frame).to_have_css("font-family", "Brand, serif")
    await expect(frame).to_have_css("font-size", "17px")


async def test_font_that_cannot_be_loaded_is_warned_of(page: Page, pages: Site):
    warnings: list[str] = []
    page.on("console", lambda message: warnings.append(message.text) if message.type == "warning" else None)
    typography = {"fontFamily": "Brand, serif", "fontSources": [FONT, FONT | {"src": "http://["}]}
    async with page.expect_console_message(
        lambda message: 'The font "Brand" cannot be used.' in message.text
    ):
        await show(page, pages, {"typography": typography})


async def test_page_s_style_sheet_colours_what_the_theme_leaves(page: Page, pages: Site):
    await style(
        page,
        "openai-chatkit { --chatkit-surface: #eee; --chatkit-link: #050; }"
        "openai-chatkit::part(prompt) { color: rgb(1, 2, 3); }",
    )
    pages.chats = [{"options": {"startScreen": {"prompts": [{"label": "Ask", "prompt": "?"}]}}}]
    await page.goto("/")
    await expect(page.locator("openai-chatkit .frame")).to_have_css("background-color", "rgb(238, 238, 238)")
    await expect(page.get_by_role("button", name="Ask")).to_have_css("color", "rgb(1, 2, 3)")
    assert await properties(page, "--focus") == ["#050"]
