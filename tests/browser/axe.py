"""What keeps people from using a page, as axe-core finds it."""

from typing import Any

from playwright.async_api import Page

from tests.js import package

# Through the open shadow roots, as axe-core does by itself.
RUN = """async () => {
  const { violations } = await axe.run("openai-chatkit", { resultTypes: ["violations"] });
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical");
}"""


async def violations(page: Page) -> list[str]:
    """Every serious or critical violation within the chats of the page: rule, node and what is wrong with it."""
    await page.add_script_tag(path=package("axe-core") / "axe.min.js")
    found: list[dict[str, Any]] = await page.evaluate(RUN)
    return [
        f"{rule['id']}: {node['target'][0][-1] if isinstance(node['target'][0], list) else node['target'][0]}\n"
        f"  {node['html'][:200]}\n  {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]
