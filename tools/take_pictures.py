"""Make the picture of the dashboard in the README anew: a demo, looked at in a wide window and on a phone in the dark.

.venv/bin/python tools/take_pictures.py [FILE]
"""

import base64
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "dashboard.png"
NAME, PASSWORD = "ada", "many horses on a bridge"
VIEW = "/dashboard/demo?period=30d&metric=visits"
WIDE, PHONE, GAP = ViewportSize(width=1290, height=1000), ViewportSize(width=390, height=1000), 14
SECONDS = 60


def main() -> int:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    with tempfile.TemporaryDirectory() as folder, _serving(Path(folder)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        pictures = [_looked_at(browser, url, WIDE, dark=False), _looked_at(browser, url, PHONE, dark=True)]
        target.write_bytes(_side_by_side(browser, pictures))
        browser.close()
    return 0


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """Serve a year of the demo; yields the address."""
    command = [sys.executable, "-m", "visitor_tracker"]
    data = ["--data-dir", str(folder)]
    subprocess.run([*command, "demo", *data], check=True, cwd=folder)
    adding = [*command, "user", "add", NAME, "--admin", "--password-stdin", *data]
    subprocess.run(adding, input=PASSWORD, text=True, check=True, cwd=folder)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([*command, "serve", "--port", str(port), *data], cwd=folder)
    try:
        _wait(f"{url}/readyz")
        yield url
    finally:
        server.terminate()
        server.wait(SECONDS)


def _wait(url: str) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            with urlopen(url, timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError("the server did not start")


def _looked_at(browser: Browser, url: str, size: ViewportSize, *, dark: bool) -> bytes:
    context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light", locale="en-US")
    page = context.new_page()
    page.goto(f"{url}/login")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{url}/dashboard/**")
    page.goto(url + VIEW)
    page.locator(".legend-band").wait_for()
    page.wait_for_load_state("networkidle")
    picture = page.screenshot()
    context.close()
    return picture


def _side_by_side(browser: Browser, pictures: list[bytes]) -> bytes:
    page = browser.new_page(
        viewport={"width": WIDE["width"] + GAP + PHONE["width"], "height": WIDE["height"]}, color_scheme="light"
    )
    shown = "".join(f'<img src="data:image/png;base64,{base64.b64encode(each).decode()}">' for each in pictures)
    page.set_content(f'<body style="margin:0;display:flex;gap:{GAP}px">{shown}')
    return page.screenshot()


if __name__ == "__main__":
    sys.exit(main())
