from analysis.cautions import CHECKS

OK = (0, "json", "ok", "response", 100_000, 1000)
SERVICE = (0, "json", "ok", "service", 90_000, 1000)


def test_a_sound_run_has_no_cautions(cautions):
    assert cautions(OK, SERVICE) == {}


def test_the_serious_come_first(cautions):
    found = cautions((0, "json", "dropped", "response", "", 1), SERVICE, OK, state="interrupted")

    assert list(found) == ["arrivals_dropped", "incomplete"]


def test_every_check_has_a_name_of_its_own():
    names = [check.__name__ for check in CHECKS]

    assert len(names) == len(set(names)) == 19
