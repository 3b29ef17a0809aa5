import os
import stat

import pytest

from ghostos.cli.source_file import SourceFile
from ghostos.errors import NotConfiguredError, ProposalError
from ghostos_moss.errors import ProtectedCodeError


@pytest.mark.parametrize(
    ("before", "source", "after"),
    [
        (b"a = 1\nb = 2\n", "a = 1\nb = 3\n", b"a = 1\nb = 3\n"),
        (b"a = 1\r\nb = 2\r\n", "a = 1\nnew = 0\nb = 2\n", b"a = 1\r\nnew = 0\r\nb = 2\r\n"),
        (b"a = 1\r\nb = 2\nc = 3\r\n", "a = 1\nb = 2\nnew = 0\nc = 3\n", b"a = 1\r\nb = 2\nnew = 0\r\nc = 3\r\n"),
        (b"a = 1\rb = 2", "a = 1\nc = 3\nb = 2", b"a = 1\rc = 3\rb = 2"),
        (b"a = 1", "a = 1\nb = 2", b"a = 1\nb = 2"),
        (b"a = 1\r\nb = 2", "a = 1\nb = 2\nc = 3", b"a = 1\r\nb = 2\r\nc = 3"),
        (b"a = 1\n", "a = 1", b"a = 1"),
        (b"", "a = 1\n", b"a = 1\n"),
        (b"\xef\xbb\xbfa = 1\n", "a = '\u00fc'\n", b"\xef\xbb\xbfa = '\xc3\xbc'\n"),
        (
            b"# coding: latin-1\na = '\xfc'\n",
            "# coding: latin-1\na = '\u00fc\u00e4'\n",
            b"# coding: latin-1\na = '\xfc\xe4'\n",
        ),
        (b"if 1:\r\n\tx = 1\x0c\r\n", "if 1:\n\tx = 1\x0c\n\ty = 2\n", b"if 1:\r\n\tx = 1\x0c\r\n\ty = 2\r\n"),
    ],
)
def test_only_the_lines_that_differ_change(tmp_path, before, source, after):
    path = tmp_path / "file.py"
    path.write_bytes(before)
    SourceFile.read(path).replace(source)
    assert path.read_bytes() == after
    assert SourceFile.read(path).source == source
    assert os.listdir(tmp_path) == ["file.py"]


def test_mode_and_links_are_kept(tmp_path):
    path, link = tmp_path / "file.py", tmp_path / "link.py"
    path.write_text("a = 1\n")
    path.chmod(0o751)
    link.symlink_to(path)
    SourceFile.read(link).replace("a = 2\n")
    assert link.is_symlink()
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("a = 2\n", 0o751)


def test_a_file_that_changed_in_between_is_not_overwritten(tmp_path):
    path = tmp_path / "file.py"
    path.write_text("a = 1\n")
    read = SourceFile.read(path)
    path.write_text("a = 1  # mine\n")
    with pytest.raises(ProposalError, match="has changed"):
        read.replace("a = 2\n")
    assert path.read_text() == "a = 1  # mine\n"
    assert os.listdir(tmp_path) == ["file.py"]


@pytest.mark.parametrize(
    ("before", "source", "reason"),
    [
        (b"# coding: latin-1\na = 1\n", "# coding: latin-1\na = '\u20ac'\n", "iso-8859-1 has no"),
        (b"a = '\xc3\xbc'\n", "# coding: latin-1\na = '\u00fc'\n", "names its encoding"),
    ],
)
def test_what_the_encoding_of_the_file_cannot_say_is_refused(tmp_path, before, source, reason):
    path = tmp_path / "file.py"
    path.write_bytes(before)
    with pytest.raises(ProposalError, match=reason):
        SourceFile.read(path).replace(source)
    assert path.read_bytes() == before


def test_hidden_code_that_would_get_other_line_ends_is_refused(tmp_path):
    path = tmp_path / "file.py"
    hidden = b"# <moss-hide>\nx = 1\n# </moss-hide>\n"
    path.write_bytes(b"a = 1\r\nb = 1\r\nc = 1\r\nd = 1\r\n" + hidden)
    with pytest.raises(ProtectedCodeError):
        SourceFile.read(path).replace(hidden.decode() + "a = 1\nb = 1\nc = 1\nd = 1\n")


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path):
    with pytest.raises(NotConfiguredError, match=r"gone\.py cannot be read: No such file"):
        SourceFile.read(tmp_path / "gone.py")
    path = tmp_path / "folder" / "file.py"
    path.parent.mkdir()
    path.write_text("a = 1\n")
    read = SourceFile.read(path)
    path.unlink()
    path.parent.rmdir()
    with pytest.raises(NotConfiguredError, match="cannot be written"):
        read.replace("a = 2\n")
