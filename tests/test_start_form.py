import pytest

from loadgate.web.start_form import BY_NAME, check

CHOICES = {"kind": ["json", "file"], "shape": ["Steady", "Ramp", "CapacitySearch"], "gateway": ["modelarts", "nginx"]}
STEADY = {
    "host": "http://127.0.0.1:1/v1/infers/x",
    "kind": "json",
    "shape": "Steady",
    "load_model": "open",
    "rate": "50",
    "arrivals": "constant",
    "gateway": "modelarts",
}
SEARCH = STEADY | {"shape": "CapacitySearch", "from_per_s": "1", "to_per_s": "1000", "budget_s": "15m"}
SEARCH |= {"instances": "2", "headroom": "20%"}


def values(**changes):
    answers, wrong = check(STEADY | changes, CHOICES)
    assert wrong == {}
    return answers.values


def wrong(**changes):
    return check(STEADY | changes, CHOICES)[1]


def test_texts_become_values_with_their_units():
    found = values(duration="1m30s", timeout_s="40s", body_limit_bytes="12MiB", slo=" p99<800ms\n\nerrors<1%\n")

    assert (found["rate"], found["duration"], found["timeout_s"]) == (50.0, 90.0, 40.0)
    assert found["body_limit_bytes"] == 12 * 1024**2
    assert found["slo"] == ["p99<800ms", "errors<1%"]


def test_what_may_be_left_blank_is_none():
    found = values()
    blank = {name for name, field in BY_NAME.items() if field.blank}

    assert {found[name] for name in blank} == {None}
    assert blank == {"duration", "ramp", "target_per_s", "timeout_s", "body_limit_bytes", "slo"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("host", "", "it is empty; give https://HOST"),
        ("host", "ftp://host/", "must start with http://"),
        ("host", "http://me:secret@host/", "must not hold a user or password"),
        ("kind", "xml", "choose one of json, file"),
        ("shape", "Sawtooth", "choose one of"),
        ("load_model", "", "it is empty"),
        ("rate", "", "it is empty; give requests/s"),
        ("rate", "0", "must be a number above 0"),
        ("rate", "nan", "must be a number above 0"),
        ("rate", "1e9", "up to 1,000,000"),
        ("arrivals", "", "it is empty"),
        ("duration", "an hour", "an hour"),
        ("duration", "0s", "must be more than 0"),
        ("duration", "2500ms", "must be whole seconds"),
        ("ramp", "soon", "soon"),
        ("gateway", "../../etc/passwd", "choose one of modelarts, nginx"),
        ("timeout_s", "-1s", "-1s"),
        ("body_limit_bytes", "12 apples", "12 apples"),
        ("slo", "p99<800ms\nfast", "'fast' is not an objective"),
        ("slo", "p99<1s\n" * 1000, "longer than 4,000 letters"),
    ],
)
def test_a_wrong_text_is_said_at_its_field_and_nowhere_else(name, text, words):
    found = wrong(**{name: text})

    assert list(found) == [name]
    assert words in found[name]


def test_everything_that_is_wrong_is_said_at_once():
    assert set(wrong(rate="x", timeout_s="y", slo="z")) == {"rate", "timeout_s", "slo"}


def test_what_is_not_asked_is_not_checked():
    closed = {"load_model": "closed", "users": "8", "think_time_s": "0s", "rate": "x", "arrivals": "x"}

    assert values(**closed)["rate"] is None
    assert check(SEARCH | {"rate": "x", "users": "x", "duration": "x", "ramp": "x"}, CHOICES)[1] == {}
    assert values(field="", budget_s="x", headroom="x")["field"] is None
    assert set(wrong(kind="file", field="")) == {"field"}


def test_a_search_has_fields_of_its_own():
    answers, found = check(SEARCH | {"load_model": "closed"}, CHOICES)

    assert found == {}
    assert (answers.values["to_per_s"], answers.values["budget_s"], answers.values["headroom"]) == (1000.0, 900.0, 0.2)
    assert set(check(SEARCH | {"headroom": "100%", "instances": "0"}, CHOICES)[1]) == {"headroom", "instances"}


@pytest.mark.parametrize(
    ("rate", "users", "each"), [("50", 50, 1.0), ("0.5", 1, 0.5), ("2.5", 3, 2.5 / 3), ("4000", 100, 40.0)]
)
def test_a_user_is_one_request_a_second_as_far_as_that_goes(rate, users, each):
    answers, _ = check(STEADY | {"rate": rate}, CHOICES)

    assert answers.peak == (users, each)
    assert answers.spawn_rate == users


def test_a_ramp_takes_its_time():
    assert check(STEADY | {"ramp": "10s"}, CHOICES)[0].spawn_rate == 5.0
    assert check(STEADY | {"load_model": "closed", "users": "8", "think_time_s": "0s"}, CHOICES)[0].peak == (8, 1.0)
