from markupsafe import Markup

from analysis import documents

HOSTILE = "<script>\n# [a](b) \u202e|x"


def test_what_is_written_is_whole_and_leaves_nothing_beside(tmp_path):
    page = tmp_path / "report.md"
    page.write_bytes(b"earlier")
    documents.write_whole(page, b"later")

    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
    assert page.read_bytes() == b"later"


def test_only_markup_goes_into_a_page_as_it_is():
    html, markdown = (documents._environment(is_html=is_html).from_string("{{ text }}") for is_html in (True, False))

    assert html.render(text=HOSTILE) == "&lt;script&gt; # [a](b) |x"
    assert markdown.render(text=HOSTILE) == r"&lt;script> \# \[a\](b) \|x"
    assert [page.render(text=Markup("<b>#")) for page in (html, markdown)] == ["<b>#", "<b>#"]


def test_a_link_in_the_folder_is_replaced_and_not_followed(tmp_path):
    """The folder of a run may come from anywhere, and a link in it may lead to a file of who reads it."""
    victim, page = tmp_path / "victim", tmp_path / "report.md"
    victim.write_bytes(b"untouched")
    for name in ("report.md", ".report.md.part"):
        (tmp_path / name).symlink_to(victim)
    documents.write_whole(page, b"later")

    assert (page.read_bytes(), page.is_symlink(), victim.read_bytes()) == (b"later", False, b"untouched")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.md", "victim"]
