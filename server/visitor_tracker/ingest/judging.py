"""Judge the visitors of a day by what they did.

    events of a day ─▶ those of visitors with enough of them ─▶ steps ─▶ figures ─▶ habits of the site
                                                                          └──────────┴─▶ score, reasons ─▶ verdicts
    verdicts, and what people said to them ─▶ the signals that events are to have

All of it is a function of the set of events and of what people said, so that a rebuild comes to the same.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import msgspec

from visitor_tracker.days import bounds
from visitor_tracker.event import KIND_CODES, Kind, Signal, Source
from visitor_tracker.ingest.behaviour.days import Step, VisitorDay
from visitor_tracker.ingest.behaviour.figures import figures_of
from visitor_tracker.ingest.behaviour.habits import habits_of
from visitor_tracker.ingest.behaviour.score import LEAST_VIEWS, RULES, Judgement, Verdict, judged
from visitor_tracker.ingest.bots import judged_by_days
from visitor_tracker.ingest.people import Behaviour, Rule
from visitor_tracker.sessions.fact import PAGEVIEW, Context, Fact, Rest, decode_context, decode_rest
from visitor_tracker.store import erasing, verdicts, vocabulary
from visitor_tracker.store.session import Session
from visitor_tracker.store.verdicts import NOT_OVERRULED, Found, Overruled

EVENTS_LEAST = 5  # of a visitor who is judged, or counts for the habits of the site
CODES: dict[Verdict, int] = {"human": verdicts.HUMAN, "doubtful": verdicts.DOUBTFUL, "robot": verdicts.ROBOT}
NAMES: dict[int, Verdict] = {code: name for name, code in CODES.items()}

_ACTED: tuple[Kind, ...] = ("click", "outbound", "download", "form")
_ACTIONS = frozenset(KIND_CODES[kind] for kind in _ACTED)
_BEHAVIOUR = int(Signal.BEHAVIOUR)
_MODES: dict[Behaviour, int] = {"exclude": 1, "mark": 2, "off": 3}
_BROUGHT = frozenset({"search", "social", "email", "ai", "paid", "campaign", "referral"})

_encode = msgspec.json.Encoder().encode


class DayJudged(msgspec.Struct, frozen=True):
    """What was found of a day, and who is a robot, or human whatever the signals say.

    `words` are what people had said by then.
    """

    rows: tuple[Found, ...] = ()
    robots: frozenset[bytes] = frozenset()
    cleared: frozenset[bytes] = frozenset()
    words: dict[bytes, Overruled] = {}

    def signals(self, fact: Fact) -> int:
        """Return the signals that an event of the day is to have."""
        visitor = fact.visitor
        return judged_by_days(fact.signals, is_robot=visitor in self.robots, is_cleared=visitor in self.cleared)


def rules_of(rule: Rule) -> int:
    """Return the number of the rules by which days of a site are judged: another one where they are to be again."""
    return RULES * 10 + _MODES[rule.behaviour]


Tallies = dict[bytes, tuple[int, int, int]]  # by visitor: events, their smallest and their largest signals


def add_tallies(found: Tallies, more: Tallies) -> None:
    for visitor, (count, low, high) in more.items():
        so_far = found.get(visitor, (0, low, high))
        found[visitor] = (so_far[0] + count, min(so_far[1], low), max(so_far[2], high))


def whom_to_judge(tallies: Tallies) -> set[bytes]:
    """Return those with enough events, with signals on some of them only, and those who were judged before."""
    return {
        visitor
        for visitor, (count, low, high) in tallies.items()
        if count >= EVENTS_LEAST or low != high or high >= _BEHAVIOUR
    }


def tallies_of(facts: Iterable[Fact]) -> Tallies:
    """Return what `verdicts.tallies` does, of events that are in memory."""
    found: Tallies = {}
    for fact in facts:
        if fact.visitor:
            count, low, high = found.get(fact.visitor, (0, fact.signals, fact.signals))
            found[fact.visitor] = (count + 1, min(low, fact.signals), max(high, fact.signals))
    return found


def judge_day(  # noqa: PLR0913 - a day of a site
    session: Session,
    site_id: int,
    day: int,
    rule: Rule,
    facts: Iterable[Fact],
    words: Mapping[bytes, Overruled],
    now_ms: int,
) -> DayJudged:
    """Judge the visitors of these events, all of whose events of the day are among them; `words` are of people."""
    by_visitor: defaultdict[bytes, list[Fact]] = defaultdict(list)
    for fact in facts:
        by_visitor[fact.visitor].append(fact)
    said = {visitor: word for visitor, word in words.items() if word.day == day or visitor in by_visitor}
    found = {} if rule.behaviour == "off" else _judged(session, by_visitor)
    rows = [
        _row(day, visitor, found.get(visitor), by_visitor.get(visitor, ()), said.get(visitor), now_ms)
        for visitor in found.keys() | said.keys()
    ]
    robots = {row.visitor for row in rows if row.standing == verdicts.ROBOT and (row.overruled >= 0 or _takes(rule))}
    cleared = {row.visitor for row in rows if row.overruled == verdicts.HUMAN}
    return DayJudged(tuple(rows), frozenset(robots), frozenset(cleared), dict(words))


def store_judged(session: Session, site_id: int, day: int, rule: Rule, judged: DayJudged) -> None:
    """Store what was found of a day, but of whom something was erased meanwhile.

    Where a person has said something meanwhile, that stays, and the day is to be judged again.
    """
    span = bounds(rule.timezone, day)
    spans = erasing.marks(session, site_id, [row.visitor for row in judged.rows])
    words = words_of(session, site_id, day, rule)
    kept = [row for row in judged.rows if not _is_erased(spans, site_id, row.visitor, span)]
    is_same = words == judged.words
    verdicts.replace_day(
        session, site_id, day, kept if is_same else [_with_word(row, words.get(row.visitor)) for row in kept]
    )
    if not is_same:
        verdicts.judge_again(session, site_id, day, and_later=False)


def _is_erased(spans: erasing.Spans, site_id: int, visitor: bytes, span: tuple[int, int]) -> bool:
    of_visitor = (*spans.get(erasing.mark_of(site_id, visitor), ()), *spans.get(erasing.EVERYBODY, ()))
    return any(first < span[1] and last >= span[0] for first, last in of_visitor)


def _with_word(row: Found, said: Overruled | None) -> Found:
    if said is None:
        return row._replace(overruled=NOT_OVERRULED, overruled_by="", overruled_at=0)
    return row._replace(overruled=said.verdict, overruled_by=said.by, overruled_at=said.at)


def words_of(session: Session, site_id: int, day: int, rule: Rule) -> dict[bytes, Overruled]:
    """Return what people said of visitors of a day; whom other days know, too, of earlier ones."""
    return verdicts.overruled(session, site_id, day if rule.daily else 0, day)


def _takes(rule: Rule) -> bool:
    return rule.behaviour == "exclude"


def _judged(session: Session, by_visitor: Mapping[bytes, list[Fact]]) -> dict[bytes, Judgement]:
    """Return what speaks for a robot, of those of whom enough does."""
    words = _Words(session, by_visitor)
    days = {visitor: words.day(facts) for visitor, facts in by_visitor.items()}
    figures = {visitor: figures_of(day) for visitor, day in days.items()}
    habits = habits_of(figures.values())
    found = {visitor: judged(day, habits, figures[visitor]) for visitor, day in days.items()}
    return {visitor: each for visitor, each in found.items() if each.verdict != "human"}


def _row(  # noqa: PLR0913 - a row
    day: int, visitor: bytes, found: Judgement | None, facts: Collection[Fact], said: Overruled | None, now_ms: int
) -> Found:
    judgement = found or Judgement("human", 0.0)
    return Found(
        day,
        visitor,
        CODES[judgement.verdict],
        round(judgement.score * 1000),
        sum(fact.kind == PAGEVIEW for fact in facts),
        len(facts),
        now_ms,
        said.verdict if said else NOT_OVERRULED,
        said.by if said else "",
        said.at if said else 0,
        _encode(judgement.reasons),
    )


class _Words:
    """Contexts, sources and pages of some events; belongs to one transaction."""

    def __init__(self, session: Session, by_visitor: Mapping[bytes, list[Fact]]) -> None:
        every = [fact for facts in by_visitor.values() for fact in facts]
        contexts = vocabulary.context_bodies(session, {fact.context for fact in every})
        sources = vocabulary.source_bodies(session, {fact.source for fact in every})
        self._contexts = {number: decode_context(body) for number, body in contexts.items()}
        decode = msgspec.msgpack.Decoder(Source).decode
        channels = {number: decode(body).channel for number, body in sources.items()}
        self._internal = {number for number, channel in channels.items() if channel == "internal"}
        self._brought = {number for number, channel in channels.items() if channel in _BROUGHT}
        wanted = [facts for facts in by_visitor.values() if len(facts) >= LEAST_VIEWS]
        ids = {number for facts in wanted for fact in facts for number in (fact.page, fact.host)}
        self._texts = vocabulary.texts(session, ids)

    def day(self, facts: Iterable[Fact]) -> VisitorDay:
        """Return a visitor's day of these events."""
        ordered = sorted(facts, key=lambda fact: (fact.ts, fact.id))
        rests = [decode_rest(fact.rest) if fact.rest else Rest() for fact in ordered]
        contexts = [self._contexts[number] for number in dict.fromkeys(fact.context for fact in ordered)]
        return VisitorDay(
            tuple(self._step(fact, rest) for fact, rest in zip(ordered, rests, strict=True)),
            _first(contexts).agent,
            next((each.place.organisation for each in contexts if each.place.organisation), ""),
            frozenset(each.screen for each in contexts if each.screen),
            frozenset(rest.viewport for rest in rests if rest.viewport),
        )

    def _step(self, fact: Fact, rest: Rest) -> Step:
        page = f"{self._texts.get(fact.host, fact.host)}{self._texts.get(fact.page, fact.page)}"
        return Step(
            fact.ts,
            page,
            fact.kind == PAGEVIEW,
            fact.source in self._internal,
            fact.kind in _ACTIONS,
            fact.engaged_ms,
            rest.scroll,
            judged_by_days(fact.signals, is_robot=False, is_cleared=False),
            bool(self._contexts[fact.context].screen or rest.viewport),
            fact.source in self._brought,
        )


def _first(contexts: list[Context]) -> Context:
    """Return the first that names a browser, else the first."""
    return next((each for each in contexts if each.agent.browser), contexts[0])
