"""Sizes on the wire against the limit; the largest file that fits is checked by making it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.gateway import Gateway
from loadgate.payloads import base64_payload, file_payload, json_payload, largest_content
from loadgate.preflight import OVER_NAMED, weigh

MIB = 1 << 20


def limited(limit):
    return Gateway("g", 40.0, limit)


def file_of(size, name="cat.png"):
    return file_payload("cats", name, bytes(size), "images")


def base64_of(size):
    return base64_payload("cats (base64)", bytes(size), "image")


@given(st.integers(1, 5000), st.integers(200, 20_000), st.sampled_from([file_of, base64_of]))
def test_the_largest_content_fits_and_one_byte_more_does_not(size, limit, form):
    largest = largest_content(form(size), limit)

    assert len(form(largest)) <= limit < len(form(largest + 1))


def test_twelve_mebibytes_are_nearly_that_as_a_file_and_nine_as_base64():
    assert 12 * MIB - 400 < largest_content(file_of(1), 12 * MIB) < 12 * MIB
    assert 9 * MIB - 30 < largest_content(base64_of(1), 12 * MIB) < 9 * MIB


def test_a_limit_smaller_than_the_form_lets_nothing_through():
    assert largest_content(file_of(5), 10) == largest_content(base64_of(5), 2) == 0


def test_json_is_its_own_size():
    payload = json_payload("a", b'{"meta": {"uuid": "1"}}', "a.json")

    assert largest_content(payload, 1000) == 1000
    assert weigh([payload], limited(1000))[0].smallest_wire_bytes == len(payload) == len('{"meta": {"uuid": ""}}') + 36


def test_sources_are_weighed_apart_with_what_is_over_the_limit_named():
    small, large, larger = (file_of(size, f"{size}.png") for size in (10, 2000, 3000))
    files, encoded = weigh([small, large, larger, base64_of(3)], limited(1500))

    assert (files.name, files.kind, files.count, files.skipped) == ("cats", "file", 3, 0)
    assert (files.smallest_wire_bytes, files.largest_wire_bytes) == (len(small), len(larger))
    assert files.over == (
        {"file": "2000.png", "wire_bytes": len(large)},
        {"file": "3000.png", "wire_bytes": len(larger)},
    )
    assert (files.over_limit, encoded.over_limit, encoded.over) == (2, 0, ())
    assert files.largest_file_bytes == largest_content(larger, 1500)


def test_what_is_left_out_is_counted_apart():
    large = file_of(2000)
    (weight,) = weigh([file_of(1), large], limited(1500), skipping=True)

    assert (weight.count, weight.skipped, weight.over_limit) == (1, 1, 1)
    assert (
        f"2 bodies as file, {len(file_of(1))} B to 2.14 KiB on the wire; 1 over the limit of 1.46 KiB" in weight.plans
    )
    assert f"cat.png ({len(large):,} bytes); 1,312 bytes would fit as file; skipped" in weight.plans


def test_thousands_over_the_limit_are_counted_and_some_named():
    (weight,) = weigh([file_of(2000, f"{number}.png") for number in range(1000)], limited(1500))

    assert (weight.over_limit, len(weight.over)) == (1000, OVER_NAMED)
    assert "1,000 bodies" in weight.plans
    assert (
        ", 2.png (2,186 bytes) and 997 more; 1,312 bytes would fit as file; sent, to measure the refusal"
        in weight.plans
    )


@pytest.mark.parametrize(
    ("limit", "end"), [(None, "on the wire"), (12 * MIB, "on the wire, within the limit of 12 MiB")]
)
def test_what_fits_is_said_in_short(limit, end):
    (weight,) = weigh([file_of(0)], limited(limit))

    assert weight.plans == f"cats: 1 body as file, {len(file_of(0))} B {end}"
    assert "limit_bytes" not in weight.as_dict()


def test_over_the_limit_is_said_without_a_plan_where_there_is_none():
    (weight,) = weigh([file_of(2000)], limited(1500))

    assert weight.sizes.endswith("1,312 bytes would fit as file")
