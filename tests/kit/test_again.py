"""The command that comes back is the one that was typed: with its pattern, and without its key."""

from pathlib import Path

import pytest

from kit.again import again


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.md", "b.md", "c.md", "d.md", ".hidden.md", "my docs/1.txt", "one.pdf"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


ALL = ["a.md", "b.md", "c.md", "d.md"]


@pytest.mark.parametrize(
    ("arguments", "files", "said"),
    [
        (["submit", *ALL, "--wait"], ALL, "kit submit *.md --wait"),
        (["submit", *ALL, "one.pdf"], [*ALL, "one.pdf"], "kit submit *.md one.pdf"),
        (["submit", *ALL[:3]], ALL[:3], "kit submit a.md b.md c.md"),
        (["submit", "my docs/1.txt"], ["my docs/1.txt"], "kit submit 'my docs/1.txt'"),
        (
            ["submit", "a.md", "--instruction", "now", "--lane", "now"],
            ["a.md"],
            "kit submit a.md --instruction now --lane now",
        ),
        (["submit", "a.md", "--key", "ck_x", "--wait"], ["a.md"], "kit submit a.md --wait"),
        (["submit", "--key=ck_x", "a.md"], ["a.md"], "kit submit a.md"),
    ],
)
def test_what_was_typed_is_said_again(arguments: list[str], files: list[str], said: str) -> None:
    assert again(arguments, files) == said


def test_a_part_of_a_folder_is_named_file_by_file() -> None:
    Path("e.md").touch()
    assert again(["submit", *ALL], ALL) == "kit submit a.md b.md c.md d.md"
