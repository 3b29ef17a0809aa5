"""What code and files may do wrong or on purpose, in both executors: the next run is fine, and nothing is lost."""

import pytest

from ghostos_common.codec import Json
from ghostos_moss import PyContext
from ghostos_moss.errors import CompileError, InjectionError, LifecycleError, MossError, SourceError

VALUES: dict[str, Json] = {
    "count": 7,
    "basket": [{"$type": "obj", "class": "Item", "value": {"name": "tea", "price": 3}}],
}
ASK = "print(moss.count, moss.basket, moss.till.pay(3), isinstance(moss, Moss), total(moss))"
ANSWER = "7 [Item(name='tea', price=3)] paid 3 True 3\n"

TRICKS = {
    "del moss": "del moss",
    "moss rebound": "moss = None",
    "Moss rebound": "Moss = int",
    "all names cleared": "globals().clear()",
    "another class": "class Other(type(moss)): pass\nmoss.__class__ = Other",
    "attribute of the class": "type(moss).count = property(lambda self: 1 / 0)",
    "method of the class": "type(moss).describe = None",
    "setattr of the class": "type(moss).__setattr__ = lambda *a: None",
    "getattribute": "def lie(self, name): raise AttributeError(name)\ntype(moss).__getattribute__ = lie",
    "dict replaced": "d = dict(vars(moss)); moss.__dict__ = d",
    "injected popped": "vars(moss).pop('till')",
    "injected replaced": "vars(moss)['till'] = 3",
    "injected deleted by object": "object.__delattr__(moss, 'till')",
    "protection lifted": "object.__setattr__(moss, '_injected_names', frozenset())\nmoss.till = 3",
    "key that is no name": "vars(moss)[3] = 1",
    "module renamed": "__name__ = 'other'",
    "module forgotten": "import sys; del sys.modules[__name__]",
    "spec": "__spec__ = None; __file__ = 3",
    "subclass hook": "type(moss).__init_subclass__ = 3",
    "stdout closed": "import sys; sys.stdout.close()",
    "stdout gone": "import sys; sys.stdout = None",
    "stderr closed": "import sys; sys.stderr.close()",
    "describe assigned": "object.__setattr__(moss, '_describe', 3)",
}


@pytest.mark.parametrize("code", TRICKS.values(), ids=TRICKS)
@pytest.mark.parametrize("fails", [False, True], ids=["succeeds", "fails"])
def test_no_trick_outlives_its_run(open_session, code, fails):
    session = open_session(pycontext=PyContext(values=VALUES))
    result = session.run(f"{code}\n1 / 0" if fails else code)
    assert result.status in {"error"} if fails else {"ok", "error"}
    assert (result.error is None) == (result.status == "ok")
    assert session.values() == VALUES
    after = session.run(ASK)
    assert after.error is None
    assert after.std_output == ANSWER
    assert "class Item" in session.run("print(moss.describe('Item'))").std_output
    assert session.run("moss.till = 3").status == "error"


@pytest.mark.parametrize("name", ["moss rebound", "another class", "injected replaced", "attribute of the class"])
def test_the_model_is_told_what_was_put_back(open_session, name):
    assert any(" again" in note or " back" in note for note in open_session().run(TRICKS[name]).notes)


@pytest.mark.parametrize("name", ["spec", "stdout gone"])
def test_what_nobody_would_miss_is_put_back_in_silence(open_session, name):
    assert open_session().run(TRICKS[name]).notes == ()


def test_a_hundred_megabytes_of_output_are_cut_in_the_middle(open_session):
    session = open_session(pycontext=PyContext(values=VALUES))
    result = session.run("for _ in range(100):\n    print('x' * 1_000_000)", timeout_s=60)
    assert result.status == "ok"
    assert "left out" in result.std_output
    assert len(result.std_output) < 20_000
    assert session.run(ASK).std_output == ANSWER


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("import no_such_library", CompileError, "no_such_library"),
        ("raise ValueError('at import')", CompileError, "at import"),
        ("raise BaseException('deep')", CompileError, "deep"),
        ("def f(:", SourceError, "line 1"),
        ("import sys; sys.exit(3)", CompileError, "3"),
        ("# <moss-hide>\nx = 1", SourceError, "moss-hide"),
        ("x = 1\n# </moss-hide>", SourceError, "moss-hide"),
        ("moss = 3", CompileError, "moss"),
        ("Moss = 3", CompileError, "Moss"),
        ("def __moss_compile__(compiler): 1 / 0", LifecycleError, "__moss_compile__"),
        ("def __moss_compiled__(moss): 1 / 0", LifecycleError, "__moss_compiled__"),
        (
            "from ghostos_moss import Moss as P\nclass Gone:\n    pass\nclass Moss(P):\n    gone: Gone",
            InjectionError,
            "gone",
        ),
        ("x = '\x00'", SourceError, "null"),
    ],
)
def test_a_file_that_cannot_be_opened_is_a_named_error_that_says_where(open_session, source, error, said):
    with pytest.raises(MossError) as caught:
        open_session(source)
    assert isinstance(caught.value, error)
    assert said in str(caught.value)


def test_values_that_cannot_be_restored_are_kept_and_told(open_session):
    bad: Json = {"$type": "obj", "class": "Item", "value": {"name": 3}}
    unknown: Json = {"$type": "nothing", "value": 1}
    session = open_session(pycontext=PyContext(values={"basket": [bad], "other": unknown, "count": 1}))
    result = session.run("moss.count += 1")
    assert len(result.notes) == 2
    assert session.values() == {"basket": [bad], "other": unknown, "count": 2}
    assert result.pycontext.values == session.values()
