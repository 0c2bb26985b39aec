"""Several queries in one request: those of the same days under the same filter take one pass over the visits."""

from collections.abc import Callable

import msgspec
from msgspec import UNSET, UnsetType

from visitor_tracker.errors import HttpError
from visitor_tracker.http.message import Answer, Request
from visitor_tracker.reports.asking.answering import answer_query, is_told, may_be_told, told_at_once
from visitor_tracker.reports.asking.ask import Ask
from visitor_tracker.reports.asking.reading import StatsQuery
from visitor_tracker.reports.asking.shapes import Answered
from visitor_tracker.reports.query import QueryError
from visitor_tracker.store.apart import away
from visitor_tracker.store.reports import ReportTable
from visitor_tracker.web.api.kept import NoQuery
from visitor_tracker.web.api.queries import refusal
from visitor_tracker.web.asked import answer, body_as, query_as
from visitor_tracker.web.router import Route
from visitor_tracker.web.turns import long_turn

PATH = "/api/v1/stats/queries"
QUERIES_MOST = 20

_ALONE = HttpError(
    400,
    "ask_alone",
    "this query takes long: it reads visits or events one by one, foretells, or is much beside the others",
    "send it to /api/v1/stats/query by itself",
)

_AWAY = HttpError(503, "store_unavailable", "the database of this site is away", "try again")


class Queries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Queries, each as POST /api/v1/stats/query takes it; answered as JSON."""

    queries: list[StatsQuery]


class Refused(msgspec.Struct, frozen=True):
    """Why one query was refused."""

    code: str
    message: str
    hint: str


class One(msgspec.Struct, frozen=True):
    """The answer to one query, or why there is none; `status` as the query would have got it by itself."""

    status: int
    answer: Answered | UnsetType = UNSET
    error: Refused | UnsetType = UNSET


class Several(msgspec.Struct, frozen=True):
    """Answers in the order of their queries."""

    answers: list[One]


class SeveralRoutes:
    """For readers. `read` understands one query; it raises HttpError 404 for a site, and QueryError."""

    def __init__(self, table: ReportTable, read: Callable[[Request, StatsQuery], Ask]) -> None:
        self._table = table
        self._read = read

    def routes(self) -> list[Route]:
        summary = "several queries at once, of the same days and filter in one pass"
        return [Route("POST", PATH, self.post, summary, "read", query=NoQuery, body=Queries, answer=Several)]

    def post(self, request: Request) -> Answer:
        """POST /api/v1/stats/queries: {answers: [{status, answer or error}]}; a site that is unknown refuses all."""
        query_as(request, NoQuery)
        queries = body_as(request, Queries).queries
        if not 1 <= len(queries) <= QUERIES_MOST:
            raise HttpError(
                400, "invalid_queries", f"a request has 1 to {QUERIES_MOST} queries", "send the others in another one"
            )
        found = [self._understood(request, query) for query in queries]
        gone = away(self._table.database, {ask.question.site.id for ask in found if isinstance(ask, Ask)})
        found = [_refused(_AWAY) if isinstance(ask, Ask) and ask.question.site.id in gone else ask for ask in found]
        asks = [ask for ask in found if isinstance(ask, Ask)]
        answered = iter(self._answered(asks))
        return answer(Several([each if isinstance(each, One) else next(answered) for each in found]))

    def _understood(self, request: Request, query: StatsQuery) -> Ask | One:
        if query.format not in (None, "json"):
            return _refused(HttpError(400, "invalid_format", "several queries are answered as JSON", "use json"))
        try:
            return self._read(request, query)
        except QueryError as error:
            return _refused(refusal(error))

    def _answered(self, asks: list[Ask]) -> list[One]:
        told = {}
        if any(map(may_be_told, asks)):
            with long_turn():
                told = told_at_once(self._table, asks)
        found = []
        for ask in asks:
            try:
                is_quick = is_told(ask, told)
                found.append(One(200, answer_query(self._table, ask, told)) if is_quick else _refused(_ALONE))
            except QueryError as error:
                found.append(_refused(refusal(error)))
        return found


def _refused(error: HttpError) -> One:
    return One(error.status, error=Refused(error.code, error.message, error.hint))
