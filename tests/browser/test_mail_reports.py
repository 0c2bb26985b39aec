"""The HTML of reports in a real browser: it fits into narrow mail readers, reads in the dark, and does nothing."""

import base64

import pytest
from playwright.sync_api import Browser

from tests.reports.digest.test_words import EVIL, LINKS, digest, said
from visitor_tracker.reports.digest.page import mail_of, page_of

_CONTRAST = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => {
      const c = part / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return /, 0\\)$/.test(colour) ? ground(element.parentElement) : colour;
  };
  const texts = [...document.querySelectorAll('body *')].filter((each) =>
    [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return Math.min(...texts.filter((each) => each.tagName !== 'title').map((each) => {
    const [a, b] = [light(getComputedStyle(each).color), light(ground(each))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 390, 320])
def test_it_fits_and_can_be_read(chromium: Browser, width: int, scheme: str) -> None:
    report = said(digest(EVIL), "de")
    mail, picture = mail_of(report, LINKS)
    mail = mail.replace("cid:chart", f"data:image/png;base64,{base64.b64encode(picture).decode()}")
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    context.set_offline(True)
    page = context.new_page()
    said_aloud: list[str] = []
    page.on("dialog", lambda dialog: said_aloud.append(dialog.message))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for html in (mail, page_of(report, LINKS)):
        page.set_content(html)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(_CONTRAST) >= 4.5
        assert page.locator("script, form, iframe").count() == 0
    page.set_content(mail)
    assert page.locator("img").evaluate("image => image.naturalWidth") == 1104
    assert said_aloud == []
    assert [url for url in asked if not url.startswith("data:")] == []
    context.close()
