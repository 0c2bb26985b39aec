"""What user agents say: browsers by the names people know, crawlers by their own, and never the loop's time."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.agents import BROWSERS, CHROME, CRAWLERS
from visitor_tracker.event import Agent, Signal
from visitor_tracker.ingest import agent as module
from visitor_tracker.ingest.agent import NOT_SENT, UNKNOWN, AgentReader, Agents, Classifier, Reading
from visitor_tracker.metrics import Cell, Counters, Metrics

WAIT_SECONDS = 30.0

READ_CHROME = Reading(Agent("Chrome", "128", "Windows", "10", "desktop"), 0)


def chrome(number: int) -> str:
    return CHROME.replace("128", str(number))


@pytest.fixture
def counters() -> Counters:
    return Metrics().counters()


@pytest.fixture
def reader(counters: Counters) -> AgentReader:
    return AgentReader(counters)


# What texts say.


def test_every_browser_of_the_corpus_is_read_as_people_know_it(reader: AgentReader) -> None:
    read = [(reader.read(text), text) for *_, text in BROWSERS]
    assert [
        [seen.agent.browser, seen.agent.browser_version, seen.agent.os, seen.agent.os_version, seen.agent.device, text]
        for seen, text in read
    ] == BROWSERS
    assert [text for seen, text in read if seen.signals or seen.agent.bot] == []
    assert len(BROWSERS) >= 200


def test_every_crawler_of_the_corpus_is_known_by_its_name(reader: AgentReader) -> None:
    read = [(reader.read(text), text) for _, text in CRAWLERS]
    assert [[seen.agent.bot, text] for seen, text in read] == CRAWLERS
    assert [text for seen, text in read if seen.agent.device != "bot" or not seen.signals] == []
    assert len(CRAWLERS) >= 150


HEADLESS = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) {} Safari/537.36"


@pytest.mark.parametrize(
    ("text", "signals"),
    [
        ("", Signal.USER_AGENT),
        ("curl/8.4.0", Signal.USER_AGENT),
        (HEADLESS.format("HeadlessChrome/119.0.6045.105"), Signal.USER_AGENT | Signal.HEADLESS),
        (HEADLESS.format("PhantomJS/2.1.1"), Signal.USER_AGENT | Signal.HEADLESS),
        (HEADLESS.format("Chrome/119.0.0.0") + " Puppeteer/21.5", Signal.HEADLESS),
        (CHROME, 0),
        (HEADLESS.format("Chrome/119.0.0.0 "), 0),
    ],
)
def test_a_text_gives_itself_away(reader: AgentReader, text: str, signals: int) -> None:
    assert reader.read(text).signals == int(signals)


def test_no_text_is_a_signal_and_nothing_else(reader: AgentReader) -> None:
    assert reader.known("") == reader.read("") == NOT_SENT == Reading(Agent(), int(Signal.USER_AGENT))


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("Dalvik/2.1.0 (Linux; U; Android 12; SM-G991B Build/SP1A.210812.016)", ("Android", "12", "mobile")),
        ("Dalvik/2.1.0 (Linux; U; Android 12; SM-T870 Build/SP1A.210812.016)", ("Android", "12", "tablet")),
        ("MyApp/77 CFNetwork/1410.0.3 Darwin/22.6.0", ("iOS", "16", "mobile")),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) Chrome/1 Safari/1", ("Windows", "10", "console")),
        ("Mozilla/5.0 (Linux; Android 11; Wear OS) Chrome/90.0 Mobile Safari/537.36", ("Android", "11", "wearable")),
        ("Mozilla/5.0 (Haiku x86_64; rv:10.0) Gecko/20100101 Firefox/10.0", ("", "", "desktop")),
        ("Mozilla/5.0 (something new) Browser/1.0 Engine/2.0", ("", "", "")),
    ],
)
def test_a_device_is_what_somebody_holds(reader: AgentReader, text: str, agent: tuple[str, str, str]) -> None:
    seen = reader.read(text).agent
    assert (seen.os, seen.os_version, seen.device) == agent


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_categories=()), max_size=600))  # half surrogate pairs too
def test_any_characters_are_read(text: str) -> None:
    reader = AgentReader(Metrics().counters())
    seen = reader.read(text)
    assert reader.known(text) == seen
    assert (seen.agent.device == "bot") == bool(seen.signals) or not text


def test_the_lists_are_loaded_by_those_who_need_them() -> None:
    code = "import sys, visitor_tracker.ingest.agent, visitor_tracker.ingest.bots; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert not {"regex", "is_bot", "ua_parser", "ua_parser_rs", "ua_parser_builtins"} & set(result.stdout.split())


# What is remembered.


def test_a_text_is_read_once(reader: AgentReader, counters: Counters) -> None:
    assert reader.known(CHROME) is None
    assert [reader.read(CHROME), reader.read(CHROME), reader.known(CHROME)] == [READ_CHROME] * 3
    assert counters.get(Cell.AGENTS_READ) == 1


def test_only_the_beginning_of_a_text_counts(reader: AgentReader, counters: Counters) -> None:
    long = CHROME.ljust(600, "x")
    assert reader.read(long) is reader.known(long[:512]) is reader.known(long + "y")
    assert counters.get(Cell.AGENTS_READ) == 1


def test_the_last_texts_are_remembered_and_never_more_than_fit(
    reader: AgentReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 8)
    for number in range(20):
        reader.read(chrome(number))
        assert reader.read(chrome(0)) == reader.known(chrome(0))  # used all the time, so never forgotten
    held = [number for number in range(20) if chrome(number) in {**reader._old, **reader._young}]
    assert held[0] == 0
    assert held[-3:] == [17, 18, 19]
    assert len(reader._old) + len(reader._young) <= 8


def test_texts_with_the_same_reading_share_it(reader: AgentReader, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reader.read("curl/8.4.0") is reader.read("curl/8.4.1")
    monkeypatch.setattr(module, "_ALIKE_MOST", 2)
    for number in range(9):
        reader.read(chrome(number))
    assert len(reader._alike) <= 2


def test_threads_may_read_at_once(reader: AgentReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 64)
    wrong: list[str] = []

    def work(start: int) -> None:
        for number in range(start, start + 400):
            seen = reader.known(chrome(number % 90)) or reader.read(chrome(number % 90))
            if seen.agent.browser_version != str(number % 90):
                wrong.append(chrome(number))

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 30, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert wrong == []
    assert len(reader._old) + len(reader._young) <= 64


# The loop and the classifier.


class Calls:
    """What the classifier calls, and a gate that keeps it busy."""

    def __init__(self) -> None:
        self.seen: list[Reading] = []
        self.threads: set[str] = set()
        self.flushed = 0
        self.gate = threading.Event()
        self.busy = threading.Event()

    def ready(self, reading: Reading) -> None:
        self.seen.append(reading)
        self.threads.add(threading.current_thread().name)

    def block(self, reading: Reading) -> None:
        self.busy.set()
        assert self.gate.wait(WAIT_SECONDS)

    def after(self) -> None:
        self.flushed = len(self.seen)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def classifier(reader: AgentReader, calls: Calls) -> Iterator[Classifier]:
    classifier = Classifier(reader, calls.after)
    yield classifier
    calls.gate.set()
    classifier.close()


@pytest.fixture
def agents(reader: AgentReader, classifier: Classifier, counters: Counters) -> Agents:
    return Agents(reader, classifier, counters)


def keep_busy(classifier: Classifier, calls: Calls) -> None:
    assert classifier.submit("keeps the thread busy", calls.block)
    assert calls.busy.wait(WAIT_SECONDS)


def test_a_few_new_texts_are_read_at_once_and_the_rest_elsewhere(
    agents: Agents, classifier: Classifier, calls: Calls
) -> None:
    keep_busy(classifier, calls)
    for number in range(1, 13):
        agents.reading(chrome(number), calls.ready)
    assert [seen.agent.browser_version for seen in calls.seen] == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert calls.threads == {threading.current_thread().name}
    agents.reading(chrome(1), calls.ready)
    assert calls.seen[-1].agent.browser_version == "1"
    calls.gate.set()
    agents.close()
    assert [seen.agent.browser_version for seen in calls.seen[9:]] == ["9", "10", "11", "12"]
    assert calls.flushed == 13


def test_the_next_gather_reads_at_once_again(agents: Agents, classifier: Classifier, calls: Calls) -> None:
    keep_busy(classifier, calls)
    for number in range(8):
        agents.reading(chrome(number), calls.ready)
    agents.new_gather()
    agents.reading(CHROME, calls.ready)
    assert calls.seen[-1] == READ_CHROME


def test_a_text_that_waits_twice_is_read_once(classifier: Classifier, calls: Calls, counters: Counters) -> None:
    keep_busy(classifier, calls)
    assert classifier.submit(CHROME, calls.ready)
    assert classifier.submit(CHROME + "", calls.ready)
    assert classifier.submit(CHROME.ljust(600), calls.ready)
    assert classifier.submit(CHROME.ljust(700), calls.ready)
    calls.gate.set()
    classifier.close()
    assert calls.seen == [READ_CHROME] * 4
    assert counters.get(Cell.AGENTS_READ) == 3


def test_a_full_queue_makes_an_unknown_agent(
    agents: Agents, classifier: Classifier, calls: Calls, counters: Counters
) -> None:
    keep_busy(classifier, calls)
    for number in range(8):
        agents.reading(chrome(number), calls.ready)
    while classifier.submit(CHROME, calls.ready):
        pass
    agents.reading(chrome(99), calls.ready)
    agents.reading(CHROME, calls.ready)
    assert calls.seen[-2:] == [UNKNOWN, UNKNOWN] == [Reading(Agent(), 0)] * 2
    assert counters.get(Cell.AGENTS_UNREAD) == 2
    calls.gate.set()
    classifier.close()
    assert len(calls.seen) == 8 + 2 + 1_024


def test_what_is_queued_is_read_before_the_end_and_nothing_after_it(classifier: Classifier, calls: Calls) -> None:
    keep_busy(classifier, calls)
    for number in range(200):
        assert classifier.submit(chrome(number), calls.ready)
    calls.gate.set()
    classifier.close()
    assert [seen.agent.browser_version for seen in calls.seen] == [str(number) for number in range(200)]
    assert calls.flushed == 200
    assert not classifier.submit(CHROME, calls.ready)
    classifier.close()


def test_batches_are_flushed_while_more_texts_wait(reader: AgentReader, calls: Calls) -> None:
    flushed: list[int] = []
    classifier = Classifier(reader, lambda: flushed.append(len(calls.seen)))
    keep_busy(classifier, calls)
    for number in range(200):
        classifier.submit(chrome(number), calls.ready)
    calls.gate.set()
    classifier.close()
    assert flushed == [63, 127, 191, 200]


def test_one_failure_does_not_stop_the_others(
    classifier: Classifier, calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(reading: Reading) -> None:
        raise ValueError("no")

    keep_busy(classifier, calls)
    classifier.submit(CHROME, fails)
    classifier.submit(CHROME, calls.ready)
    classifier.submit("curl/8.4.0", calls.ready)
    calls.gate.set()
    classifier.close()
    assert [seen.agent.browser or seen.agent.bot for seen in calls.seen] == ["Chrome", "curl"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert CHROME not in caplog.text


def test_any_thread_may_ask_and_wait(agents: Agents, counters: Counters) -> None:
    assert agents.read(CHROME) == READ_CHROME
    assert counters.get(Cell.AGENTS_READ) == 1
