import random
import statistics

import pytest

from loadgate.standin.service_time import ServiceTime


@pytest.mark.parametrize(
    ("time", "deviation_s"),
    [
        (ServiceTime("constant", 0.1), 0.0),
        (ServiceTime("exponential", 0.1), 0.1),
        (ServiceTime("lognormal", 0.1, 0.5), 0.1 * (2.718281828**0.25 - 1) ** 0.5),
        (ServiceTime("gamma", 0.1, 2), 0.1 / 2**0.5),
    ],
)
def test_every_distribution_has_the_mean_it_is_named_by(time, deviation_s):
    chance = random.Random(1)
    drawn = [time.draw(chance) for _ in range(40_000)]
    assert statistics.fmean(drawn) == pytest.approx(0.1, rel=0.02)
    assert statistics.pstdev(drawn) == pytest.approx(deviation_s, rel=0.05, abs=1e-9)


@pytest.mark.parametrize("name", ["exponential", "constant"])
def test_a_mean_of_zero_takes_no_time(name):
    assert ServiceTime(name, 0).draw(random.Random(1)) == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (("normal", 0.1), "one of constant, exponential, lognormal, gamma"),
        (("constant", -1), "0 or more"),
        (("constant", float("nan")), "0 or more"),
        (("constant", 0.1, 2), "mean only"),
        (("gamma", 0.1), "a mean and a shape"),
        (("lognormal", 0.1, 0), "a mean and a sigma"),
    ],
)
def test_parameters_that_cannot_work_are_refused_with_what_would(parameters, message):
    with pytest.raises(ValueError, match=message):
        ServiceTime(*parameters)
