from tests.official.test_client import *
from tests.official.conftest import *
from tests.official.test_client import chat, button, say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


async def test_probe(page: Page):
    await expect(chat(page).get_by_role("textbox")).to_be_visible()
    await page.evaluate("""() => { const e=document.querySelector('openai-chatkit'); window.evs=[]; e.addEventListener('chatkit.tool.change', ev=>window.evs.push(ev.detail));
      window.chatkitConfigure?.(()=>{}); }""")
    await page.evaluate(
        """() => { window.go=(o)=>{o.composer={...o.composer, tools:[...(o.composer?.tools??[]).filter(t=>t.id.startsWith('chatkit_app')),{id:'stopit',label:'Stop waiting',icon:'close',pinned:true}]}}; window.chatkitConfigure(window.go) }"""
    )
    import asyncio

    await asyncio.sleep(3)
    for f in page.frames:
        print(f.url[:80])
    print(await chat(page).locator("body").inner_text())
    await page.screenshot(path="/tmp/desk/p1.png")
    b = chat(page).get_by_role("button", name="Stop waiting")
    print("count", await b.count())
    if await b.count():
        await b.first.click()
        await asyncio.sleep(1)
        print("events", await page.evaluate("window.evs"))
        await page.screenshot(path="/tmp/desk/p2.png")
