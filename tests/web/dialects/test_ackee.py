"""Ackee's format: the mutations of ackee-tracker, word for word, and nothing else of GraphQL."""

import json

import pytest

from tests.web.dialects.asking import PAGE, read, read_one, receipt, refusal, request
from visitor_tracker.ingest.hit import Hit, Malformed
from visitor_tracker.web.dialects.ackee import dialects

[API] = dialects()
CREATE = """
    mutation createRecord($domainId: ID!, $input: CreateRecordInput!) {
        createRecord(domainId: $domainId, input: $input) {
            payload {
                id
            }
        }
    }
"""
UPDATE = "mutation updateRecord($recordId: ID!) { updateRecord(id: $recordId) { success } }"
ACT = """mutation createAction($eventId: ID!, $input: CreateActionInput!) {
    createAction(eventId: $eventId, input: $input) { payload { id } } }"""
CHANGE = """mutation updateAction($actionId: ID!, $input: UpdateActionInput!) {
    updateAction(id: $actionId, input: $input) { success } }"""
RECORD = {"domainId": "d-1", "input": {"siteLocation": PAGE}}
ACTION = {"eventId": "e-1", "input": {"key": "Clicked", "value": 1.5, "details": "top"}}
NOBODY = "88888888-8888-8888-8888-888888888888"


def body(query: object, variables: object) -> dict[str, object]:
    return {"query": query, "variables": variables}


def id_of(query: str, variables: object, operation: str) -> str:
    """Return the id that the answer to a mutation gives."""
    response = API.write(request(API, body=body(query, variables)), receipt(None))
    found: str = json.loads(response.body)["data"][operation]["payload"]["id"]
    return found


def test_a_record_is_a_page_view() -> None:
    assert read_one(API, body=body(CREATE, RECORD)) == Hit(site="d-1", url=PAGE)


def test_a_detailed_record_tells_more() -> None:
    told = {
        "siteLocation": PAGE,
        "siteReferrer": "https://s.example/",
        "source": "news",
        "siteLanguage": "de",
        "screenWidth": 1920,
        "screenHeight": 1080,
        "screenColorDepth": 24,
        "deviceName": None,
        "browserName": "Firefox",
        "browserWidth": 1000,
        "browserHeight": 800,
    }
    assert read_one(API, body=body(CREATE, {"domainId": "d-1", "input": told})) == Hit(
        site="d-1", url=PAGE, referrer="https://s.example/", language="de", screen="1920x1080", viewport="1000x800"
    )


def test_an_update_is_time_on_the_page_of_its_record() -> None:
    record = id_of(CREATE, RECORD, "createRecord")
    assert read_one(API, body=body(UPDATE, {"recordId": record})) == Hit(
        "engagement", site="d-1", url=PAGE, engaged_ms=15_000
    )
    response = API.write(request(API, body=body(UPDATE, {"recordId": record})), receipt(None))
    assert (response.status, json.loads(response.body)) == (200, {"data": {"updateRecord": {"success": True}}})


def test_an_action_is_an_event_of_the_page_that_sends() -> None:
    hit = read_one(API, body=body(ACT, ACTION), headers={"referer": "https://example.com/"})
    assert hit == Hit(
        "custom", url="https://example.com/", name="Clicked", value=1.5, properties={"event": "e-1", "details": "top"}
    )


def test_a_changed_action_is_marked() -> None:
    action = id_of(ACT, ACTION, "createAction")
    hit = read_one(API, body=body(CHANGE, {"actionId": action, "input": {"key": "Clicked", "value": None}}))
    assert hit == Hit("custom", url=PAGE, name="Clicked", properties={"event": "e-1", "updated": True})


@pytest.mark.parametrize("record", [NOBODY, "0e1b2c3d", "", "é", "W10=", "WzEsMl0=", "A" * 10_000, None, {}, "////"])
def test_an_update_of_what_is_not_known_is_no_event_and_no_error(record: object) -> None:
    sent = body(UPDATE, {"recordId": record})
    assert read(API, body=sent) == [Malformed("the id is none that this server gave")]
    response = API.write(request(API, body=sent), receipt("invalid_event"))
    assert json.loads(response.body) == {"data": {"updateRecord": {"success": True}}}


def test_what_is_not_kept_gets_the_id_that_stops_the_tracker() -> None:
    response = API.write(request(API, body=body(CREATE, RECORD)), receipt("hostname"))
    assert json.loads(response.body)["data"]["createRecord"]["payload"] == {"id": NOBODY}


def test_arguments_may_have_other_names() -> None:
    query = (
        "mutation($a: ID!, $b: CreateRecordInput!) { createRecord(input: $b, domainId: $a) { success payload { id } } }"
    )
    assert read_one(API, body=body(query, {"a": "d-1", "b": {"siteLocation": PAGE}})) == Hit(site="d-1", url=PAGE)


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        ({}, "none of the mutations"),
        (body({}, {}), "none of the mutations"),
        (body("{ domains { id } }", {}), "none of the mutations"),
        (body("query { domains { id } }", {}), "none of the mutations"),
        (body("mutation { deleteDomain(id: 1) { success } }", {}), "none of the mutations"),
        (body(CREATE + UPDATE, RECORD), "none of the mutations"),
        (
            body(UPDATE.replace("success } }", "success } deleteDomain(id: 1) { success } }"), {}),
            "none of the mutations",
        ),
        (body(CREATE + " " * 2048, RECORD), "none of the mutations"),
        (body("mutation" + " " * 60_000, {}), "none of the mutations"),
        (body(CREATE, None), "domainId or input.siteLocation"),
        (body(CREATE, {"domainId": "d-1"}), "siteLocation"),
        (body(CREATE, {"domainId": {}, "input": {"siteLocation": []}}), "siteLocation"),
        (body(ACT, {"eventId": "e-1", "input": {}}), "input.key"),
        (body(ACT, []), "input.key"),
    ],
)
def test_anything_else_is_refused(sent: object, message: str) -> None:
    assert message in refusal(API, body=sent)
