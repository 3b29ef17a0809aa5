import pytest

from ghostos_moss import Permissions, on_host


def test_nothing_is_granted_by_default():
    assert Permissions() == Permissions(net=False, read=[], write=(), env=[], run=False)


def test_paths_and_names_become_tuples():
    permissions = Permissions(read=["a", "b"], env={"HOME": 1})
    assert (permissions.read, permissions.env) == (("a", "b"), ("HOME",))


@pytest.mark.parametrize("wrong", [{"read": "data"}, {"env": [""]}, {"write": [1]}, {"net": 1}, {"run": ["ls"]}])
def test_what_would_grant_something_else_is_refused(wrong):
    with pytest.raises(TypeError, match=f"Permissions\\({next(iter(wrong))}="):
        Permissions(**wrong)


def test_on_host_leaves_the_function_as_it_is():
    def read() -> int:
        """Reads."""
        return 3

    assert on_host(read) is read
    assert read() == 3
