"""A module that edits itself, in direct use and through the executor `off`."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from ghostos_container import Container
from ghostos_moss import OffExecutor, PyContext, SelfUpdater, count_tokens, load_source, new_compiler
from ghostos_moss.errors import CodeRaisedError, EditFailedError, EditTargetError, InjectionError
from ghostos_moss.testsuite import MossTestSuite

MODULE = """
from ghostos_moss import Moss as Parent
from ghostos_moss import SelfUpdater


class Moss(Parent):
    updater: SelfUpdater
    count: int = 0


def plus(a: int, b: int) -> int:
    return a + b


def test_plus(moss: Moss):
    assert plus(1, 2) == 3
    assert moss.count == 0
"""

APPEND = "moss.updater.append('''\ndef minus(a: int, b: int) -> int:\n    return a - b\n''')"


@pytest.fixture
def module(write_module) -> str:
    return write_module(MODULE)


def run(context: PyContext, code: str, *, container: Container | None = None) -> tuple[str, PyContext]:
    """One round: a compile of its own, the context carried over as JSON."""
    with new_compiler(container).join_context(context).compile(None) as runtime:
        execution = runtime.run(code)
    return execution.std_output, PyContext.model_validate_json(execution.pycontext.model_dump_json())


def failure(context: PyContext, code: str) -> str:
    with (
        new_compiler().join_context(context).compile(None) as runtime,
        pytest.raises(CodeRaisedError) as caught,
    ):
        runtime.run(code)
    return caught.value.describe_for_model()


def test_a_module_that_asks_for_it_gets_one_and_its_edits_are_there_in_the_next_round(module):
    context = PyContext(module=module)
    shown, context = run(context, f"print({APPEND})\nmoss.count = 4")
    assert "compiles and passes its tests" in shown
    shown, context = run(context, "print(minus(5, 3), moss.count)")
    assert shown == "2 4\n"
    assert context.code is not None
    assert context.code.startswith(load_source(module).text)


def test_edits_have_no_effect_on_the_run_that_makes_them(module):
    with new_compiler().compile(module) as runtime:
        runtime.run(APPEND)
        assert "minus" not in runtime.locals()


def test_edits_of_one_run_build_on_each_other(module):
    code = f"""{APPEND}
moss.updater.replace("minus", "def minus(a, b):\\n    return b - a")
print("return b - a" in moss.updater.getsource("minus"))
"""
    shown, context = run(PyContext(module=module), code)
    assert shown == "True\n"
    assert [version.note for version in context.versions] == ["before the edits", "append minus", "replace minus"]
    assert run(context, "print(minus(1, 5))")[0] == "4\n"


def test_edits_of_a_run_that_fails_are_undone(module):
    with new_compiler().compile(module) as runtime:
        runtime.run("moss.updater.append('A = 1')")
        with pytest.raises(CodeRaisedError):
            runtime.run("moss.updater.append('B = 2')\n1 / 0")
        assert runtime.run("print('B = 2' in moss.updater.getsource())").std_output == "False\n"
        context = runtime.dump_pycontext()
    assert run(context, "print(A, 'B' in globals())")[0] == "1 False\n"


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ("moss.updater.append('def broken(:')", "the code does not parse: line 1: invalid syntax"),
        ("moss.updater.append('import nothing_of_that_name')", "No module named 'nothing_of_that_name'"),
        ("moss.updater.append('moss = 1')", "it defines a global variable `moss`"),
        ("moss.updater.replace('Moss', 'class Moss(Parent):\\n    robot: int')", "moss.robot: int is required"),
        ("moss.updater.append('def __moss_attr_prompts__(): return [1]')", "__moss_attr_prompts__"),
        ("moss.updater.append('raise SystemExit')", "its body called sys.exit(None)"),
        (
            "moss.updater.replace('plus', 'def plus(a, b):\\n    print(a, b)\\n    return a')",
            "test_plus failed: AssertionError (in test_plus of the module)\n"
            "    assert plus(1, 2) == 3\n    it printed: 1 2",
        ),
        (
            "moss.updater.append('def test_edits(moss):\\n    moss.updater.append(\"X = 1\")')",
            "the module is being tried out: what runs then cannot edit it",
        ),
    ],
)
def test_an_edit_that_does_not_work_is_refused_with_the_reason_and_nothing_changes(module, edit, told):
    context = PyContext(module=module)
    text = failure(context, edit)
    assert told in text
    assert "__moss_" not in text.replace("__moss_attr_prompts__", "")
    shown, after = run(context, f"try:\n    {edit}\nexcept Exception:\n    print(moss.updater.diff() == '')")
    assert shown == "True\n"
    assert (after.code, after.versions) == (None, [])


def test_tests_run_with_the_values_that_the_class_begins_with_and_the_compile_with_those_of_now(module):
    context = PyContext(module=module, values={"count": 7})
    _, context = run(context, APPEND)
    assert context.values["count"] == 7
    check = "def __moss_compiled__(moss):\n    assert moss.count != 7"
    assert "AssertionError" in failure(context, f"moss.updater.append({check!r})")


def test_what_a_trial_prints_is_not_shown(module):
    shown, _ = run(PyContext(module=module), "moss.updater.append('print(\"loud\")')")
    assert shown == ""


def test_only_what_was_bound_from_outside_is_there_in_a_trial(write_module):
    source = MODULE.replace("count: int = 0", "count: int = 0\n    size: float\n    name: str")
    source += "\ndef __moss_compile__(compiler):\n    compiler.bind(float, 1.5)\n"
    name = write_module(source)

    def edit(code: str) -> None:
        with new_compiler().bind(str, "bound").compile(name) as runtime:
            runtime.run(code)

    edit(APPEND)
    with pytest.raises(CodeRaisedError, match=r"moss\.size: float is required"):
        edit("moss.updater.replace('__moss_compile__', '')")


def test_names_and_injections_that_the_compiler_was_given_are_there_in_a_trial(module):
    compiler = new_compiler().with_locals(limit=5).injects(tool=len)
    with compiler.compile(module) as runtime:
        runtime.run("moss.updater.append('def test_given(moss):\\n    assert moss.tool([limit]) == 1')")


class Own(SelfUpdater):
    def append(self, code: str) -> str:
        return f"mine: {code}"

    replace = rewrite = getsource = diff = propose = versions = restore = append  # pyright: ignore[reportAssignmentType]


@pytest.mark.parametrize("way", ["parent", "bind", "injects", "hook"])
def test_an_updater_of_ones_own_wins(write_module, way):
    hook = "\ndef __moss_compile__(compiler):\n    compiler.bind(SelfUpdater, own)\n" if way == "hook" else ""
    compiler = new_compiler(Container())
    if way == "parent":
        parent = Container()
        parent.set(SelfUpdater, Own())
        compiler = new_compiler(parent)
    compiler.with_locals(own=Own())
    if way == "bind":
        compiler.bind(SelfUpdater, Own())
    if way == "injects":
        compiler.injects(updater=Own())
    with compiler.compile(write_module(MODULE + hook)) as runtime:
        assert runtime.run("print(moss.updater.append('x'))").std_output == "mine: x\n"
        assert runtime.dump_pycontext().code is None


def test_one_that_is_optional_is_given_too(write_module):
    with new_compiler().compile(
        write_module(MODULE.replace("SelfUpdater\n    count", "SelfUpdater | None\n    count"))
    ) as it:
        assert isinstance(it.moss().updater, SelfUpdater)


def test_a_compile_that_is_prepared_from_outside_gets_none(module):
    with pytest.raises(InjectionError, match=r"moss\.updater"):
        new_compiler().prepare_with(lambda *_: None).compile(module)


def test_edits_made_between_executions_count(module):
    with new_compiler().compile(module) as runtime:
        runtime.moss().updater.append("A = 1")
        with pytest.raises(CodeRaisedError):
            runtime.run("1 / 0")
        context = runtime.dump_pycontext()
    assert run(context, "print(A)")[0] == "1\n"


def test_a_version_is_restored_and_the_file_runs_again_after_its_own(module):
    _, context = run(PyContext(module=module), f"{APPEND}\nmoss.updater.append('A = 1')")
    before, minus, last = context.versions
    shown, context = run(
        context, f"moss.updater.restore({minus.id!r})\nprint([v.is_current for v in moss.updater.versions()])"
    )
    assert shown == "[False, True, False]\n"
    assert run(context, "print(minus(1, 1), 'A' in globals())")[0] == "0 False\n"
    _, context = run(context, f"moss.updater.restore({before.id!r})")
    assert context.code is None
    _, context = run(context, f"moss.updater.restore({last.id!r})")
    assert run(context, "print(A)")[0] == "1\n"
    assert "there is no version with that id" in failure(context, "moss.updater.restore('abc')")


def test_a_proposal_is_kept_and_stays_when_edits_go_on(module):
    code = f"{APPEND}\nprint(moss.updater.propose('subtract, too'))\nmoss.updater.append('A = 1')"
    shown, context = run(PyContext(module=module), code)
    assert context.proposal is not None
    assert shown.startswith(f"Version {context.proposal.version} is proposed")
    assert context.proposal.note == "subtract, too"
    proposed = context.read_version(context.proposal.version)
    assert "def minus" in proposed
    assert "A = 1" not in proposed
    assert "nothing to propose" in failure(PyContext(module=module), "moss.updater.propose()")


def test_the_file_runs_again_once_it_has_what_was_edited(module, write_module):
    _, context = run(PyContext(module=module), APPEND)
    assert context.code is not None
    write_module(context.code, name=module)
    _, context = run(context, "moss.count = 1")
    assert context.code is None
    write_module(MODULE + "\nB = 2\n", name=module)
    assert run(context, "print(B)")[0] == "2\n"


def test_settling_a_proposal_lets_the_file_run_and_moves_what_came_later_onto_it(module):
    _, context = run(PyContext(module=module), f"{APPEND}\nmoss.updater.propose()")
    settled = context.settle_proposal()
    assert (settled.code, settled.proposal) == (None, None)
    assert PyContext().settle_proposal() == PyContext()
    _, context = run(context, "moss.updater.append('A = 1')")
    settled = context.settle_proposal()
    assert settled.code == context.code
    assert {version.base for version in settled.versions} == {context.proposal.version if context.proposal else ""}


def session_of(module: str, context: PyContext | None = None):
    return OffExecutor().open(
        load_source(module), pycontext=context or PyContext(module=module), container=Container(), injections={}
    )


def test_a_session_gives_the_edits_in_its_result_and_a_note(module):
    session = session_of(module)
    result = session.run(APPEND)
    assert result.status == "ok"
    assert result.pycontext.code is not None
    (note,) = result.notes
    assert note == f"the module is edited: your next reply works with version {result.pycontext.versions[-1].id}."
    assert session.run("1").notes == ()
    failed = session.run("moss.updater.append('B = 2')\n1 / 0")
    assert failed.pycontext.code == result.pycontext.code
    session.close()
    later = session_of(module, result.pycontext)
    assert "def minus" in later.prompt()
    assert later.run("print(minus(2, 1))").std_output == "1\n"
    later.close()


def test_a_trial_that_does_not_end_is_stopped_with_the_run(module):
    session = session_of(module)
    result = session.run("moss.updater.append('def test_ends():\\n    while True: pass')", timeout_s=0.3)
    assert result.status == "interrupted"
    assert result.pycontext.code is None
    assert session.run("print(plus(1, 1))").std_output == "2\n"
    session.close()


def test_nothing_of_a_trial_stays_behind(module):
    import sys

    with new_compiler().compile(module) as runtime:
        before = {name for name in sys.modules if "__moss_" in name}
        runtime.run(APPEND)
        with pytest.raises(CodeRaisedError):
            runtime.run("moss.updater.append('1 / 0')")
        assert {name for name in sys.modules if "__moss_" in name} == before


def test_code_that_a_suite_runs_may_use_the_updater(module):
    done = MossTestSuite().run(module, "edit", code="def edit(moss):\n    moss.updater.append('A = 1')")
    assert done.error is None
    assert done.pycontext.code is not None


def test_the_errors_are_named_and_safe_to_read(write_module):
    with new_compiler().compile(write_module(MODULE, name="adder")) as runtime:
        updater: Any = runtime.moss().updater
        with pytest.raises(EditTargetError) as missing:
            updater.replace("plsu", "x = 1")
        assert missing.value.describe_for_model() == snapshot(
            "Nothing was edited: plsu: there is no such definition in the module: did you mean plus?"
        )
        with pytest.raises(EditFailedError) as failed:
            updater.append("open('/secret/folder/file')")
        assert failed.value.describe_for_model() == snapshot("""\
Nothing was edited: the edited module does not work:
  adder, line 20: its body raised FileNotFoundError: [Errno 2] No such file or directory: '…/file'\
""")


def test_what_a_model_reads_about_it(module):
    with new_compiler().compile(module) as runtime:
        text = runtime.prompter().dump_imported_prompt()
    assert count_tokens(text) < 450
    assert text == snapshot('''\
# from ghostos_moss
class SelfUpdater(ABC):
    """Edits the source of this module.

    An edit takes effect in your next reply, if the edited module compiles and its tests (functions `test_*`) pass;
    otherwise it raises and nothing changes. Edits of code that fails are undone. What is hidden from you,
    `__moss_permissions__` and functions marked `@on_host` cannot be edited.
    """
    def append(self, code: str) -> str:
        """Add code at the end of the module."""
    def replace(self, name: str, code: str) -> str:
        """Put code in the place of a definition, its decorators included; "" removes it.

        `name` is `function`, `Class`, `Class.method` or `VARIABLE`.
        """
    def rewrite(self, code: str) -> str:
        """Put code in the place of the whole source that you see."""
    def getsource(self, name: str = "") -> str:
        """The source with the edits so far: of one definition, or all that you see."""
    def diff(self) -> str:
        """What the edits change in the user's file; "" for nothing."""
    def propose(self, note: str = "") -> str:
        """Ask the user to take the edits over into the file; until then they last for this conversation."""
    def versions(self) -> list[ModuleVersion]:
        """Every version so far, the oldest first."""
    def restore(self, id: str) -> str:
        """Go back to a version."""

# from ghostos_moss._self_updater (not imported)
@dataclass(frozen=True, slots=True)
class ModuleVersion:
    """A version of the module's source."""
    id: str
    note: str
    created_at: datetime
    parent: str | None
    is_current: bool
    is_proposed: bool\
''')
