import pytest

from loadgate.standin.settings import Settings
from loadgate.standin.signature import AccessKey


def test_slots_are_instances_times_concurrency():
    assert Settings(instances=3, concurrency=4).slots == 12


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"instances": 0}, "instances is 0; it must be 1 or more"),
        ({"queue": -1}, "queue is -1; it must be 0 or more"),
        ({"timeout_s": 0}, "more than 0"),
        ({"rate_limit_per_s": 0}, "1 or more"),
        ({"token_validity_s": 0}, "the life of a token is 0 s; it must be more than 0"),
        ({"time_out_as": "504"}, "one of 4503, APIG.0203, 4205"),
        ({"throttle": (0, 1.0)}, "the throttle is 0 in 1 s; both must be more than 0"),
        ({"circuit_breaker": (1, 0.0)}, "the circuit breaker is 1 in 0 s"),
        ({"faults": {"flood": 0.1}}, "'flood' is not one of slow, timeout_apig"),
        ({"faults": {"slow": 1.5}}, "from 0 to 1"),
        ({"faults": {"slow": 0.6, "cut": 0.6}}, r"sum to 1\.2"),
    ],
)
def test_values_that_cannot_work_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Settings(**fields)


def test_secrets_do_not_show_when_settings_are_printed():
    shown = repr(
        Settings(
            credentials=("me", "hunter2"),
            accepted_token="sesame",
            access_key=AccessKey("AKID", "very-secret", "temporary"),
            app_code="open-up",
        )
    )
    assert [secret for secret in ("hunter2", "sesame", "very-secret", "temporary", "open-up") if secret in shown] == []
