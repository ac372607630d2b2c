"""Pages, as a browser parses them: what there is in them that could do something, or that a text has made."""

from __future__ import annotations

from collections.abc import Mapping

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS

LOOK = r"""
(pages) => {
  const found = [];
  const site = "http://testserver";
  const inert = new Set(["application/json", "importmap"]);
  const forbidden = new Set([
    "iframe", "object", "embed", "base", "style", "template", "math", "video", "audio", "source", "marquee",
    "frame", "frameset", "applet", "param", "animate", "set", "foreignobject",
  ]);
  const addresses = ["href", "src", "action", "formaction", "data", "xlink:href", "poster", "background", "cite"];
  for (const [place, html] of Object.entries(pages)) {
    const complain = (node, what) => found.push(`${place}: ${what}: ${node.outerHTML.slice(0, 300)}`);
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const node of page.querySelectorAll("*")) {
      const name = node.localName;
      if (name.includes("pwned") || forbidden.has(name)) complain(node, "an element");
      if (name === "meta" && node.httpEquiv) complain(node, "a meta element");
      if (name === "link" && !["stylesheet", "icon", "modulepreload"].includes(node.rel)) complain(node, "a link");
      if (name === "script" && !node.src) {
        if (!inert.has(node.type)) complain(node, "a script");
        else {
          try {
            JSON.parse(node.textContent);
          } catch {
            complain(node, "JSON that cannot be read");
          }
        }
      }
      for (const { name: attribute, value } of node.attributes) {
        if (/^on|pwned|^srcdoc$|^srcset$|^ping$/.test(attribute)) complain(node, `the attribute ${attribute}`);
        if (attribute === "style" && /url|expression|import|evil/i.test(value)) complain(node, "a style");
        if (["id", "name"].includes(attribute) && /pwned|^chatkitAdmin$/.test(value)) complain(node, "a name");
        if (!addresses.includes(attribute)) continue;
        let url;
        try {
          url = new URL(value, `${site}/admin/`);
        } catch {
          complain(node, "an address that is none");
          continue;
        }
        if (url.origin === site || url.href === "data:,") continue;
        const leads = name === "a" && ["http:", "https:", "mailto:", "tel:"].includes(url.protocol);
        if (!(leads && /noopener|noreferrer/.test(node.rel))) complain(node, "an address");
      }
    }
  }
  return found;
}
"""


def live_markup(pages: Mapping[str, str], chromium_path: str) -> list[str]:
    """What is wrong with these pages, which are by the places they came from."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        found: list[str] = browser.new_page().evaluate(LOOK, dict(pages))
        browser.close()
    return found
