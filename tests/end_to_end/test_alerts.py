"""An alert from the page that was viewed to the program that is told, over a server that dies in between."""

import json
from pathlib import Path

import pytest

from tests.outgoing.receiver import receiver
from tests.running import Server, until

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"


@pytest.mark.slow
def test_what_happened_is_told_after_a_crash(tmp_path: Path, store_url: str) -> None:
    settings = {
        "VISITOR_TRACKER_ALERTS_ALLOW_PRIVATE": "127.0.0.1",
        "VISITOR_TRACKER_SERVER_PUBLIC_URL": "https://stats.example.com",
    }
    server = Server(tmp_path, store_url, settings)
    try:
        with receiver() as there:
            server.start()
            secret = server.run("channel", "add", "program", "--webhook", f"{there.url}/hook")
            assert secret.startswith("whsec_")
            rule = ("threshold", "--metric", "views", "--above", "2", "--period", "day", "--to", "program")
            server.run("alert", "add", "Busy", *rule)
            for number in range(3):
                body = {"type": "pageview", "url": f"https://example.com/{number}"}
                sent = server.session.post(f"{server.url}/api/v1/events", json=body, headers={"User-Agent": BROWSER})
                assert sent.status_code < 300, sent.text
            until(lambda: '"views":3' in server.run("stats", "--json").replace(" ", ""))
            server.kill9()
            server.start()
            until(lambda: there.got, lambda: server.log)
            [told] = there.got
            assert told.json["text"].startswith("3 views today so far")
            assert told.json["link"].startswith("https://stats.example.com/dashboard/default?period=")
            history = [json.loads(line) for line in server.run("alert", "history", "--json").splitlines()]
            assert [(each["channel"], each["title"]) for each in history] == [("program", "Busy: 3 views")]
    finally:
        server.kill9()
