import pytest

from ghostos_moss import Permissions, find_permissions, on_host, parse_source
from ghostos_moss.errors import CompileError


def test_nothing_is_named_by_default():
    permissions = Permissions()
    assert (permissions.net, permissions.read, permissions.write, permissions.env, permissions.run) == (None,) * 5
    assert permissions.describe() == "nothing"


def test_the_first_that_names_a_kind_decides_alone():
    flags, module, workspace = (
        Permissions(read=["a"]),
        Permissions(read=["b"], net=True),
        Permissions(net=False, run=True),
    )
    effective = flags.over(module).over(workspace)
    assert effective == Permissions(read=["a"], net=True, run=True)
    assert effective.describe() == "net, read a, run"
    assert Permissions(net=False).over(Permissions(net=True)).net is False
    assert Permissions(everything=True).describe() == "everything"
    assert Permissions().over(Permissions(everything=True)).everything


def test_a_module_is_asked_without_being_run():
    source = parse_source(
        "__moss_permissions__ = Permissions(net=True, read=['data'], env=('HOME',))\nraise SystemExit"
    )
    assert find_permissions(source) == Permissions(net=True, read=["data"], env=["HOME"])
    assert find_permissions(parse_source("x = 1")) is None


@pytest.mark.parametrize(
    "text",
    [
        "__moss_permissions__ = Permissions(net=bool(1))",
        "__moss_permissions__ = Permissions(everything=True)",
        "__moss_permissions__ = Permissions(True)",
        "__moss_permissions__ = Permissions(nett=True)",
        "__moss_permissions__ = make()",
        "__moss_permissions__ = None",
        "if 1:\n    __moss_permissions__ = Permissions()",
        "__moss_permissions__ = Permissions()\n__moss_permissions__ = Permissions(net=True)",
        "__moss_permissions__ = Permissions()\ndel __moss_permissions__",
        "for __moss_permissions__ in []: pass",
    ],
)
def test_permissions_that_would_have_to_be_run_are_refused(text):
    with pytest.raises(CompileError, match="__moss_permissions__ cannot be read"):
        find_permissions(parse_source(text))


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
