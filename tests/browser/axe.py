"""What keeps people from using a page, as axe-core finds it."""

from typing import Any

from playwright.async_api import Page

from tests.js import package

# Through the open shadow roots, as axe-core does by itself. It preloads what a page with a strict policy forbids.
RUN = """async ([part, without]) => {
  const options = { resultTypes: ["violations"], preload: false };
  const { violations } = await axe.run({ include: [part], exclude: without }, options);
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical");
}"""


async def violations(page: Page, part: str = "openai-chatkit", without: tuple[str, ...] = ()) -> list[str]:
    """Every serious or critical violation within a part of the page: rule, node and what is wrong with it.

    Args:
        part: a selector; if there is none, the chats of the page.
        without: selectors of what to leave out.
    """
    await page.evaluate((package("axe-core") / "axe.min.js").read_text())
    found: list[dict[str, Any]] = await page.evaluate(RUN, [part, list(without)])
    return [
        f"{rule['id']}: {node['target'][0][-1] if isinstance(node['target'][0], list) else node['target'][0]}\n"
        f"  {node['html'][:200]}\n  {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]
