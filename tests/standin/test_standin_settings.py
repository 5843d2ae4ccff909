import pytest

from loadgate.standin.settings import Settings


def test_slots_are_instances_times_concurrency():
    assert Settings(instances=3, concurrency=4).slots == 12


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"instances": 0}, "instances is 0; it must be 1 or more"),
        ({"queue": -1}, "queue is -1; it must be 0 or more"),
        ({"timeout_s": 0}, "more than 0"),
        ({"rate_limit_per_s": 0}, "1 or more"),
        ({"faults": {"flood": 0.1}}, "'flood' is not one of slow, model_error"),
        ({"faults": {"slow": 1.5}}, "from 0 to 1"),
        ({"faults": {"slow": 0.6, "cut": 0.6}}, r"sum to 1\.2"),
    ],
)
def test_values_that_cannot_work_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Settings(**fields)


def test_secrets_do_not_show_when_settings_are_printed():
    shown = repr(Settings(credentials=("me", "hunter2"), accepted_token="sesame"))
    assert "hunter2" not in shown
    assert "sesame" not in shown
