import pytest

from loadgate.errors import ConfigError
from loadgate.project_file import objectives


def test_without_a_file_or_a_table_there_are_no_objectives(tmp_path):
    assert objectives(tmp_path) == []
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert objectives(tmp_path) == []


def test_objectives_are_read(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.loadgate]\nslo = ["p99<800ms", "errors<1%"]\n')

    assert [each.text for each in objectives(tmp_path)] == ["p99<800ms", "errors<1%"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.loadgate]\nslo = 'p99<1s'\n", "tool.loadgate.slo must be a list of texts"),
        ("[tool.loadgate]\nslo = [1]\n", "tool.loadgate.slo must be a list of texts"),
        ("[tool.loadgate]\nslo = ['p99<1']\n", "tool.loadgate.slo: 'p99<1' is not an objective: at character 5"),
        ("[tool.loadgate]\nrate = 5\n", "tool.loadgate.rate is not known; known is slo"),
        ("[tool]\nloadgate = 5\n", "tool.loadgate must be a table"),
        ("tool = 5\n", "tool.loadgate must be a table"),
        ("[tool", "cannot be read: "),
        ("x = '\udcff'".encode("utf-8", "surrogateescape"), "cannot be read: "),
    ],
)
def test_a_mistake_is_told_with_its_key(tmp_path, text, message):
    (tmp_path / "pyproject.toml").write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(ConfigError) as error:
        objectives(tmp_path)
    assert str(error.value).startswith(
        f"pyproject.toml: {message}" if "cannot" not in message else "pyproject.toml cannot"
    )
