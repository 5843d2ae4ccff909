import asyncio
import json

import pytest

from loadgate.standin.service_time import ServiceTime
from loadgate.standin.settings import Settings

BODY = json.dumps(
    {
        "meta": {"uuid": "u1"},
        "data": {"req_data": [{"sepal_length": 3, "sepal_width": 1, "petal_length": 2.2, "petal_width": 4}]},
    }
).encode()
SERVICE = "/v1/infers/eb3e0c54-3dfa-4750-af0c-95c45e5d3e83"
NO_PATH = ("APIG.0101", "The API does not exist or has not been published in the environment.")


def settings(**more):
    return Settings(**{"service_time": ServiceTime("constant", 0.0), **more})


def refusal(reply):
    content = json.loads(reply.body)
    if content["error_code"].startswith("APIG."):
        assert reply.headers["server"] == "api-gateway"
        assert reply.headers["x-request-id"] == content["request_id"]
    else:
        assert reply.headers["server"] == "ModelArts"
        assert "request_id" not in content
    assert len(reply.headers["x-request-id"]) == 32
    return reply.status, content["error_code"], content["error_msg"]


@pytest.mark.parametrize("path", [SERVICE, "/v1/infers/any", f"{SERVICE}/predictions/poetry"])
def test_a_good_request_is_answered_by_the_model(bench, path):
    async def scenario(bed):
        reply = await bed.call(BODY, path=path)
        assert (reply.status, reply.headers["server"]) == (200, "ModelArts")
        assert len(reply.headers["x-request-id"]) == 32
        assert json.loads(reply.body)["meta"]["uuid"] == "u1"
        (row,) = bed.rows
        assert (row["status"], row["bytes"], row["model"], row["uuid"]) == (200, len(BODY), "json", "u1")
        assert float(row["arrival_s"]) <= float(row["start_s"]) <= float(row["end_s"])
        assert row["request_id"] == reply.headers["x-request-id"]

    bench(settings(), scenario)


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ({"path": "/v1/infers"}, (404, *NO_PATH)),
        ({"path": "/v1/infers/"}, (404, *NO_PATH)),
        ({"method": "GET"}, (404, "APIG.0101", "The API does not exist.")),
        ({"token": None}, (401, "APIG.0301", "Incorrect IAM authentication information: x-auth-token not found")),
        ({"token": "MIIS"}, (401, "APIG.0301", "Incorrect IAM authentication information: decrypt token fail")),
        ({"body": bytes(2000)}, (413, "APIG.0201", "Request entity too large")),
        ({"chunks": [bytes(600), bytes(600)]}, (413, "APIG.0201", "Request entity too large")),
        ({"body": b"{"}, (400, "ModelArts.4105", "Incorrect JSON format of the input data.")),
    ],
)
def test_the_gateway_refuses_in_the_vendors_words(bench, call, answer):
    async def scenario(bed):
        reply = await bed.call(**call)
        assert refusal(reply) == answer
        assert reply.complete
        (row,) = bed.rows
        assert (row["status"], row["code"]) == answer[:2]

    bench(settings(body_limit_bytes=1000), scenario)


def test_a_wrong_token_is_noticed_before_a_large_body(bench):
    async def scenario(bed):
        assert (await bed.call(bytes(2000), token="wrong")).status == 401

    bench(settings(body_limit_bytes=1000), scenario)


def test_a_body_of_just_the_limit_passes(bench):
    async def scenario(bed):
        assert (await bed.call(BODY)).status == 200

    bench(settings(body_limit_bytes=len(BODY)), scenario)


def test_expired_and_domain_tokens_have_codes_of_their_own(bench):
    async def scenario(bed):
        domain = bed.tokens.issue(project=False)
        assert refusal(await bed.call(BODY, token=domain))[1] == "ModelArts.0212"
        await asyncio.sleep(0.06)
        assert refusal(await bed.call(BODY))[1:] == ("APIG.0307", "The token must be updated.")

    bench(settings(token_validity_s=0.05), scenario)


def test_the_accepted_token_is_accepted(bench):
    async def scenario(bed):
        assert (await bed.call(BODY, token="sesame")).status == 200

    bench(settings(accepted_token="sesame"), scenario)


def test_a_model_error_comes_from_the_model(bench):
    async def scenario(bed):
        reply = await bed.call(b"{}")
        assert (reply.status, reply.headers["server"]) == (400, "ModelArts")
        assert json.loads(reply.body)["erno"] == "MR.0105"

    bench(settings(), scenario)


def test_the_time_limit_answers_504_and_the_model_keeps_its_slot(bench):
    async def scenario(bed):
        now = asyncio.get_running_loop().time
        began_s = now()
        first = await bed.call(BODY)
        assert refusal(first)[:2] == (504, "ModelArts.4503")
        assert first.complete
        assert 0.049 <= now() - began_s < 0.15  # and not the model's 0.2 s
        # The slot is taken until 0.2 s, and nothing may wait for it.
        assert refusal(await bed.call(BODY))[:2] == (503, "ModelArts.4302")
        await asyncio.sleep(began_s + 0.22 - now())
        assert (await bed.call(BODY)).status == 504
        first_row, refused_row, _ = bed.rows
        assert first_row["start_s"] != ""
        assert refused_row["start_s"] == ""

    slow = settings(service_time=ServiceTime("constant", 0.2), timeout_s=0.05, instances=1, concurrency=1, queue=0)
    bench(slow, scenario)


def test_the_time_limit_counts_the_upload(bench):
    async def scenario(bed):
        leave = asyncio.Event()
        asyncio.get_running_loop().call_later(0.08, leave.set)
        reply = await bed.call(BODY, stall=True, leave=leave)
        assert (reply.status, reply.headers["connection"]) == (504, "close")

    bench(settings(timeout_s=0.05), scenario)


def test_a_client_that_left_gets_no_status_in_the_truth(bench):
    async def scenario(bed):
        leave = asyncio.Event()
        leave.set()
        reply = await bed.call(BODY, leave=leave)
        assert reply.status is None
        assert (bed.rows[0]["status"], bed.rows[0]["model"]) == (None, "json")

    bench(settings(), scenario)


def test_a_cancelled_request_still_has_its_row(bench):
    async def scenario(bed):
        request = asyncio.create_task(bed.call(BODY))
        await asyncio.sleep(0.01)
        request.cancel()
        await request
        assert [row["status"] for row in bed.rows] == [None]

    bench(settings(service_time=ServiceTime("constant", 5.0)), scenario)


def test_over_the_rate_limit_the_service_is_named(bench):
    async def scenario(bed):
        replies = [await bed.call(BODY, path="/v1/infers/abc") for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        assert refusal(replies[2])[1:] == ("ModelArts.4206", "Excessive number of requests to abc.")

    bench(settings(rate_limit_per_s=2), scenario)


def test_over_the_throttle_the_policy_is_named_and_tells_how_it_stands(bench):
    async def scenario(bed):
        replies = [await bed.call(BODY, headers={"x-apig-mode": "debug"}) for _ in range(3)]
        assert [reply.headers["x-apig-ratelimit-user"] for reply in replies] == [
            "remain:1,limit:2,time:1 minute",
            "remain:0,limit:2,time:1 minute",
            "remain:0,limit:2,time:1 minute",
        ]
        assert [reply.status for reply in replies] == [200, 200, 429]
        words = "The throttling threshold has been reached: policy user over ratelimit,limit:2,time:1 minute"
        assert refusal(replies[2]) == (429, "APIG.0308", words)
        assert "x-apig-ratelimit-user" not in (await bed.call(BODY)).headers

    bench(settings(throttle=(2, 60.0)), scenario)


def test_a_request_that_may_not_pass_does_not_count_for_the_throttle(bench):
    async def scenario(bed):
        assert (await bed.call(BODY, token="wrong")).status == 401
        assert (await bed.call(BODY)).status == 200

    bench(settings(throttle=(1, 60.0)), scenario)


def test_at_a_slow_start_nothing_is_ready(bench):
    async def scenario(bed):
        words = "Gateway forwarding error because the backend service is unavailable."
        assert refusal(await bed.call(BODY)) == (503, "ModelArts.4302", words)
        await asyncio.sleep(0.1)
        assert (await bed.call(BODY)).status == 200
        assert [(row["code"], row["fault"]) for row in bed.rows] == [("ModelArts.4302", ""), ("", "")]

    bench(settings(slow_start_s=0.1), scenario)


def test_model_errors_in_a_row_open_the_circuit_breaker_for_a_while(bench):
    async def scenario(bed):
        failing = {"x-standin-fault": "model_error"}
        statuses = [(await bed.call(BODY, headers=headers)).status for headers in (failing, {}, failing, failing)]
        assert statuses == [500, 200, 500, 500]
        words = "Due to self protection, the backend service is disconnected, please wait moment."
        assert refusal(await bed.call(BODY)) == (503, "ModelArts.4302", words)
        await asyncio.sleep(0.2)
        assert (await bed.call(BODY)).status == 200

    bench(settings(circuit_breaker=(2, 0.2)), scenario)


@pytest.mark.parametrize(
    ("time_out_as", "answer"),
    [
        ("APIG.0203", (504, "APIG.0203", "Backend timeout")),
        ("4205", (408, "ModelArts.4205", "Connection time out.")),
    ],
)
def test_the_time_limit_shows_as_told(bench, time_out_as, answer):
    async def scenario(bed):
        assert refusal(await bed.call(BODY)) == answer

    bench(
        settings(service_time=ServiceTime("constant", 5.0), timeout_s=0.05, time_out_as=time_out_as),
        scenario,
    )


def test_a_header_asks_for_the_fault_of_one_request(bench):
    async def scenario(bed):
        asked = {name: await bed.call(BODY, headers={"x-standin-fault": name}) for name in ("APIG.0610", "stopped", "")}
        assert refusal(asked["APIG.0610"]) == (502, "APIG.0610", "No backend available.")
        named = "Invalid request because requested service abc is unavailable."
        stopped = await bed.call(BODY, path="/v1/infers/abc", headers={"x-standin-fault": "stopped"})
        assert refusal(stopped) == (400, "ModelArts.4203", named)
        assert asked[""].status == 200
        assert (await bed.call(BODY)).status == 429
        assert [row["fault"] for row in bed.rows] == ["APIG.0610", "stopped", "", "stopped", "throttled"]

    bench(settings(faults={"throttled": 1.0}), scenario)


def test_an_unknown_fault_in_the_header_is_told(bench):
    async def scenario(bed):
        reply = await bed.call(BODY, headers={"x-standin-fault": "flood"})
        assert reply.status == 400
        words = json.loads(reply.body)["error_msg"]
        assert words == "'flood' is not a fault; `loadgate serve --list-faults` prints them all"
        assert (bed.rows[0]["status"], bed.rows[0]["fault"]) == (400, "")

    bench(settings(), scenario)


def test_a_header_does_not_change_the_faults_of_the_others(bench):
    async def scenario(bed):
        return [(await bed.call(BODY)).status for _ in range(20)]

    async def with_headers(bed):
        statuses = []
        for _ in range(20):
            await bed.call(BODY, headers={"x-standin-fault": "cut"})
            statuses.append((await bed.call(BODY)).status)
        return statuses

    seeded = settings(faults={"throttled": 0.5}, seed=4)
    assert bench(seeded, scenario) == bench(seeded, with_headers)


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "code"),
    [
        ("no_request_id", 502, "application/json", "APIG.0201"),
        ("error_wrapped", 503, "application/json", "ModelArts.4302"),
        ("truncated_error", 503, "application/json", "ModelArts.4302"),
        ("html", 502, "text/html", ""),
    ],
)
def test_the_truth_has_the_code_that_was_sent_in_whatever_form(bench, fault, status, content_type, code):
    async def scenario(bed):
        reply = await bed.call(BODY, headers={"x-standin-fault": fault})
        assert (reply.status, reply.headers["content-type"]) == (status, content_type)
        assert reply.complete
        assert len(reply.body) == int(reply.headers["content-length"])
        assert code.encode() in reply.body
        (row,) = bed.rows
        assert (row["status"], row["code"], row["fault"]) == (status, code, fault)

    bench(settings(), scenario)


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("unavailable", (503, "ModelArts.4302")),
        ("throttled", (429, "APIG.0308")),
        ("circuit_breaker", (503, "ModelArts.4302")),
        ("refused", (503, "ModelArts.4302")),
        ("keepalive", (504, "ModelArts.4503")),
        ("stopped", (400, "ModelArts.4203")),
        ("expired", (401, "APIG.0307")),
        ("domain", (401, "ModelArts.0212")),
        ("ModelArts.4503/504/ssl", (504, "ModelArts.4503")),
        ("slow", (504, "ModelArts.4503")),
        ("timeout_apig", (504, "APIG.0203")),
    ],
)
def test_a_fault_of_the_gateway_is_sent_and_told(bench, fault, answer):
    async def scenario(bed):
        assert refusal(await bed.call(BODY))[:2] == answer
        assert bed.rows[0]["fault"] == fault

    bench(settings(timeout_s=0.05, faults={fault: 1.0}), scenario)


@pytest.mark.parametrize("fault", ["slow", "timeout_apig"])
def test_a_time_out_comes_at_the_limit_and_not_before(bench, fault):
    async def scenario(bed):
        now = asyncio.get_running_loop().time
        began_s = now()
        await bed.call(BODY, headers={"x-standin-fault": fault})
        assert now() - began_s >= 0.1

    bench(settings(timeout_s=0.1), scenario)


@pytest.mark.parametrize("fault", ["model_error", "MR.0105"])
def test_a_fault_of_the_model_is_sent_and_told(bench, fault):
    async def scenario(bed):
        reply = await bed.call(BODY)
        assert (reply.status, reply.headers["server"]) == (500, "ModelArts")
        assert reply.body == b'{"erno":"MR.0105","msg":"Recognition failed","words_result":{}}'
        assert bed.rows[0]["fault"] == fault

    bench(settings(faults={fault: 1.0}), scenario)


def test_a_fault_that_could_not_take_effect_is_not_told(bench):
    async def scenario(bed):
        assert (await bed.call(b"{}")).status == 400
        assert bed.rows[0]["fault"] == ""

    bench(settings(faults={"wrong_uuid": 1.0}), scenario)


def test_a_hanging_request_ends_when_the_client_leaves(bench):
    async def scenario(bed):
        leave = asyncio.Event()
        request = asyncio.create_task(bed.call(BODY, leave=leave))
        await asyncio.sleep(0.1)
        assert not request.done()
        leave.set()
        assert (await request).status is None
        assert (bed.rows[0]["status"], bed.rows[0]["fault"]) == (None, "hang")

    bench(settings(timeout_s=0.05, faults={"hang": 1.0}), scenario)


def test_a_cut_answer_has_its_head_and_half_its_body(bench):
    async def scenario(bed):
        reply = await bed.call(BODY)
        assert not reply.complete
        assert len(reply.body) == int(reply.headers["content-length"]) // 2
        assert (bed.rows[0]["status"], bed.rows[0]["fault"]) == (200, "cut")

    bench(settings(faults={"cut": 1.0}), scenario)


def test_a_large_body_is_computed_in_a_thread(bench):
    async def scenario(bed):
        reply = await bed.call(BODY + b" " * 100_000)
        assert reply.status == 200

    bench(settings(), scenario)
