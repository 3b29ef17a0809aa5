import pytest

pytestmark = pytest.mark.slow


def test_a_bad_target_is_refused_before_a_port_is_opened(shell):
    done = shell.run("web", "nowhere.py", "--headless", "--port", "0")
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 2


def test_confinement_is_refused_after_the_target(shell):
    assert shell.run("web", "foo.py", "--sandbox", "process").status == 3
    assert shell.run("web", "nowhere.py", "--sandbox", "process").status == 2


def test_a_port_out_of_range_is_wrong_usage(shell):
    done = shell.run("web", "foo.py", "--port", "70000")
    assert done.status == 2
    assert "65535" in done.err


def test_without_streamlit_the_install_line_is_given(shell):
    hidden = shell.folder / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.machinery as m\n"
        "find = m.PathFinder.find_spec\n"
        "m.PathFinder.find_spec = classmethod(\n"
        "    lambda cls, name, *rest: None if name == 'streamlit' else find(name, *rest))\n"
    )
    done = shell.run("web", "foo.py", env={"PYTHONPATH": str(hidden)})
    assert (done.status, done.out) == (3, "")
    assert "pip install 'ghostos-core[web]'" in done.err
