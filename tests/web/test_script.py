"""The tracker script as it is served, its short route, and the page that says what it sends."""

import gzip
import json
from html.parser import HTMLParser
from urllib.parse import quote

import msgspec
import pytest

from tests.web.conftest import REMOTE, Build, Site, header
from visitor_tracker.config import IdentityConfig, ReplayConfig, TrackerConfig
from visitor_tracker.resources import client_files
from visitor_tracker.web.dialects.own import Sent
from visitor_tracker.web.disclosure import ALWAYS, DEEDS, MODULES, NOT_OF_THE_SCRIPT, VIEWS

BUDGET = 2048  # bytes, gzipped
ID = "0123456789abcdef0123456789abcdef"


def settings(site: Site, query: str = "") -> dict[str, object]:
    """Return what is written into the script."""
    body = site.ask(f"/script.js{query}").body.decode()
    found: dict[str, object] = json.JSONDecoder().raw_decode(body, body.index('{"files"'))[0]
    return found


def test_the_script_that_a_page_loads_is_small(site: Site) -> None:
    answer = site.ask("/script.js", headers={"accept-encoding": "gzip"}, peer=REMOTE)
    assert header(answer, "Content-Encoding") == "gzip"
    assert len(answer.body) <= BUDGET
    assert header(answer, "Access-Control-Allow-Origin") == "*"
    assert b"/*settings*/" not in gzip.decompress(answer.body)


def test_a_script_that_did_not_change_is_not_sent_again(site: Site) -> None:
    tag = header(site.ask("/script.js"), "ETag")
    assert site.ask("/script.js", headers={"if-none-match": tag}).status == 304


def test_the_built_file_works_without_a_server_that_writes_settings() -> None:
    assert client_files()["script.js"].count(b'{files:{more:"more.js"}}/*settings*/') == 1


def test_the_settings_are_those_of_the_site(build: Build) -> None:
    site = build(
        identity=IdentityConfig(visitor="client", opt_out="drop"),
        tracker=TrackerConfig(modules=("errors", "replay"), storage=False),
        replay=ReplayConfig(sample=0.25, minutes=5),
    )
    said = settings(site)
    files = said.pop("files")
    assert said == {
        "modules": ["errors", "replay"],
        "client": 1,
        "quiet": 2,
        "memory": 1,
        "replay": {"sample": 0.25, "text": "mask", "minutes": 5},
    }
    assert isinstance(files, dict)
    assert sorted(files) == ["errors", "more", "replay"]
    for name in files.values():
        assert site.ask(f"/client/{name}").status == 200


def test_a_site_is_named_only_where_there_is_one(site: Site) -> None:
    assert settings(site, "?site=default")["site"] == "default"
    assert "site" not in settings(site, "?site=nobody's\"</script>")
    assert site.ask("/script.js?site=%ff").status == 400


def test_a_page_with_the_script_of_before_an_upgrade_gets_its_parts(site: Site) -> None:
    answer = site.ask("/client/more.000000000000.js", peer=REMOTE)
    assert (answer.status, answer.body) == (200, client_files()["more.js"])
    assert header(answer, "Cache-Control") == "no-cache"


@pytest.mark.parametrize("name", ["nothing.000000000000.js", "..%2fmore.js", "more.js.js", "demo.000000000000.html"])
def test_other_files_are_not_there(site: Site, name: str) -> None:
    assert site.ask(f"/client/{name}").status == 404


def test_the_short_route_takes_what_the_long_one_takes(site: Site) -> None:
    body = json.dumps([{"id": ID, "url": "https://example.com/a"}, {"type": "custom", "name": "Two"}]).encode()
    answer = site.ask("/e", method="POST", body=body)
    assert (answer.status, header(answer, "X-Tracker")) == (202, "accepted")
    assert [event.kind for event in site.events()] == ["pageview", "custom"]


def test_an_image_takes_one_event(site: Site) -> None:
    event = quote(json.dumps({"id": ID, "url": "https://example.com/a?x=1&y=2", "title": "Größe + mehr"}))
    answer = site.ask(f"/e?e={event}")
    assert (answer.status, answer.body[:6], header(answer, "X-Tracker")) == (200, b"GIF89a", "accepted")
    assert header(answer, "Cache-Control") == "no-store"
    (stored,) = site.events()
    assert (stored.id.hex(), stored.url, stored.title) == (ID, "https://example.com/a?x=1&y=2", "Größe + mehr")


@pytest.mark.parametrize("query", ["", "?e=", "?e=%ff", "?e={", "?x=1", '?e={"type":"nonsense"}', '?e=[{"url":1}]'])
def test_an_image_that_cannot_be_read_is_no_success(site: Site, query: str) -> None:
    answer = site.ask(f"/e{query}")
    assert (answer.status, header(answer, "X-Tracker")) == (400, "dropped: invalid_event")
    assert site.events() == []


def test_every_field_that_the_script_may_send_is_told() -> None:
    told = {name for part in (ALWAYS, VIEWS, DEEDS) for each in part for name in each.names}
    fields = {field.encode_name for field in msgspec.structs.fields(Sent)}
    assert (told & NOT_OF_THE_SCRIPT, told | NOT_OF_THE_SCRIPT) == (set(), fields | {"tab", "seq", "t"})


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def told_to_visitors(site: Site, query: str = "") -> str:
    answer = site.ask(f"/what-we-send{query}", peer=REMOTE)
    assert (answer.status, header(answer, "Content-Type")) == (200, "text/html; charset=utf-8")
    assert "default-src 'self'" in header(answer, "Content-Security-Policy")
    parser = _Texts()
    parser.feed(answer.body.decode())
    return parser.text


def test_visitors_are_told_what_the_policy_is(build: Build) -> None:
    text = told_to_visitors(build(identity=IdentityConfig(visitor="persistent", ip="full", opt_out="drop")))
    assert "a secret that stays" in text
    assert "Your addressis stored." in text
    assert "mean that nothing is sent at all" in text
    assert MODULES["replay"].names[0] not in text
    assert "vt.replay" not in text


def test_visitors_are_told_of_the_modules_that_are_on(build: Build) -> None:
    site = build(tracker=TrackerConfig(modules=("replay",)), replay=ReplayConfig(keep_days=12))
    text = told_to_visitors(site, "?site=default")
    assert "12 days" in text
    assert "with every letter of the page replaced" in text
    assert "vt.replay" in text
