import json
import struct
import zlib

import pytest

from loadgate.standin import picture as model


@pytest.mark.parametrize(("label", "colour"), model.LABELS.items())
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_a_picture_in_a_known_colour_is_named(picture, label, colour, kind):
    assert json.loads(model.classify(picture(colour, kind)))["predicted_label"] == label


def test_scores_fall_and_sum_to_one(picture):
    scores = [score for _, score in json.loads(model.classify(picture()))["scores"]]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1"])
def test_every_colour_mode_is_read(picture, mode):
    assert json.loads(model.classify(picture((235, 235, 225), mode=mode)))["predicted_label"] == "daisy"


def chunk(name, content):
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def huge_png():
    """A PNG that claims 100,000 x 100,000 pixels and has next to none."""
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")


def test_a_picture_with_huge_dimensions_is_not_decoded():
    with pytest.raises(ValueError, match="too many pixels"):
        model.classify(huge_png())


def test_a_picture_just_over_the_limit_is_not_decoded(picture, monkeypatch):
    monkeypatch.setattr(model, "MOST_PIXELS", 1023)
    with pytest.raises(ValueError, match="32 x 32 pixels, too many"):
        model.classify(picture())


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM" + bytes(60)])
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(ValueError, match="cannot be decoded"):
        model.classify(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF"])
def test_half_a_picture_is_refused(picture, kind):
    whole = picture(kind=kind, size=200)
    with pytest.raises(ValueError, match="image"):
        model.classify(whole[: len(whole) // 2])
