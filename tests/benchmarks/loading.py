"""How soon one can write to a chat that no browser has seen before. ``python -m tests.benchmarks.loading [--loads 3]``.

Starts a site of its own, and loads its page with a fresh profile of Chromium, so many times over each network and from
each of: WhiteNoise under uvicorn, nginx as ``deploy/`` has it with HTTP/1.1, and with TLS and HTTP/2. Prints a line of
JSON with the medians: milliseconds until there is a composer, how far the page has jumped (CLS), and how many requests
and bytes it took until then.

Chromium delays each response by the latency, and spares connections theirs: what a request costs, three in a row cost
three times. So each way has a floor, which is printed too: the page, then what it names, each with its latency, and the
bytes of both at the network's speed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import django
from playwright.async_api import Browser, async_playwright

from tests.benchmarks.turns import Server, free_port

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "deploy" / "nginx.conf.template"
NETWORKS = {"slow_4g": (1.6, 562), "fast_4g": (9.0, 165)}
"""Megabits a second, and milliseconds until a response begins."""
ROUND_TRIPS = 2
"""The page, and what it names. Nothing that a composer needs is only named by what comes with the second."""
PATIENCE = 30_000

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr error; events {{}}
http {{
  access_log off; include /etc/nginx/mime.types;
  ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {site}
}}
"""
CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout key.pem -out cert.pem"
)

WATCH = """() => {
    window.jumped = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.jumped += entry.value;
    }).observe({type: "layout-shift", buffered: true});
    const look = () => {
        const root = document.querySelector("openai-chatkit")?.shadowRoot;
        if (root?.querySelector("textarea:enabled")) window.usable = performance.now();
        else requestAnimationFrame(look);
    };
    look();
}"""
FIGURES = """() => {
    const requests = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .filter((entry) => entry.startTime < usable);
    return {
        ms: usable,
        cls: jumped,
        requests: requests.length,
        bytes: requests.reduce((sum, entry) => sum + entry.transferSize, 0),
    };
}"""


class LoadedServer(Server):
    settings_module = "tests.benchmarks.loading_site"

    def __init__(self) -> None:
        super().__init__("sqlite", {})
        self.folder = Path(self.environment["CHATKIT_BENCHMARK_FOLDER"])
        # The workers of nginx are nobody, if root has started it.
        self.folder.chmod(0o755)

    def start(self, port: int) -> subprocess.Popen[bytes]:
        # Before the server starts: WhiteNoise looks for its files then.
        collect = [sys.executable, "-m", "django", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(collect, env=self.environment, check=True)
        return super().start(port)


@contextmanager
def nginx_before(server: LoadedServer) -> Iterator[dict[str, str]]:
    """nginx with the site of ``deploy/nginx.conf.template`` on two ports. Yields the URL of each."""
    plain, encrypted = free_port(), free_port()
    site = string.Template(TEMPLATE.read_text()).safe_substitute(
        CHATKIT_SERVERS=f"server 127.0.0.1:{server.port};",
        CHATKIT_LISTEN=f"127.0.0.1:{plain}; listen 127.0.0.1:{encrypted} ssl http2",
        CHATKIT_HOST="localhost",
        CHATKIT_ROOT=str(server.folder),
    )
    with TemporaryDirectory(prefix="chatkit-nginx-") as folder:
        subprocess.run(CERTIFICATE.split(), cwd=folder, check=True, capture_output=True)
        config = Path(folder, "nginx.conf")
        config.write_text(NGINX.format(folder=folder, site=site))
        process = subprocess.Popen(["nginx", "-e", "stderr", "-p", folder, "-c", str(config)])
        try:
            while not Path(folder, "nginx.pid").exists():
                if process.poll() is not None:
                    raise SystemExit("nginx did not start.")
                time.sleep(0.1)
            yield {
                "nginx_http1": f"http://localhost:{plain}/",
                "nginx_http2": f"https://localhost:{encrypted}/",
            }
        finally:
            process.terminate()
            process.wait(timeout=30)


async def load(browser: Browser, url: str, network: tuple[float, int] | None) -> dict[str, float]:
    """Load the page with a profile that has never seen it. Returns the figures of this load."""
    context = await browser.new_context(
        viewport={"width": 390, "height": 844}, ignore_https_errors=True, service_workers="block"
    )
    page = await context.new_page()
    if network is not None:
        megabits, latency = network
        client = await context.new_cdp_session(page)
        speed = megabits * 1_000_000 / 8
        conditions = {"latency": latency, "downloadThroughput": speed, "uploadThroughput": speed}
        await client.send("Network.enable")
        await client.send("Network.emulateNetworkConditions", {"offline": False, **conditions})
    await page.add_init_script(f"({WATCH})()")
    await page.goto(url, wait_until="commit")
    await page.wait_for_function("() => window.usable", timeout=PATIENCE)
    # Not until the network is idle: all else is loaded then, one part after the other.
    await page.wait_for_load_state("load")
    figures: dict[str, float] = await page.evaluate(FIGURES)
    await context.close()
    return figures


def medians(loads: list[dict[str, float]], network: tuple[float, int]) -> dict[str, float]:
    found = {name: statistics.median(one[name] for one in loads) for name in loads[0]}
    megabits, latency = network
    floor = ROUND_TRIPS * latency + found["bytes"] * 8 / megabits / 1000
    return {name: round(value, 3 if name == "cls" else None) for name, value in found.items()} | {
        "floor_ms": round(floor)
    }


async def measure(places: dict[str, str], loads: int) -> dict[str, dict[str, dict[str, float]]]:
    from tests.browser.conftest import ARGUMENTS, find_chromium

    figures: dict[str, dict[str, dict[str, float]]] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for place, url in places.items():
            # What a server does only once is no part of any load.
            await load(browser, url, None)
            figures[place] = {
                name: medians([await load(browser, url, network) for _ in range(loads)], network)
                for name, network in NETWORKS.items()
            }
        await browser.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--loads", type=int, default=3)
    asked = parser.parse_args()
    if missing := [name for name in ("nginx", "openssl") if shutil.which(name) is None]:
        raise SystemExit(f"Not installed: {', '.join(missing)}.")
    server = LoadedServer()
    try:
        with nginx_before(server) as urls:
            places = {"whitenoise": f"http://localhost:{server.port}/", **urls}
            figures = asyncio.run(measure(places, asked.loads))
    finally:
        server.stop()
    print(json.dumps({"loads": asked.loads, **figures}))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main()
