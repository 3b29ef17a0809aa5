import pytest

from ghostos_container import Container
from ghostos_moss import parse_source
from ghostos_moss.errors import CompileError, InjectionError
from ghostos_moss.testsuite import MossTestSuite, MossTextSuite, source_with_tests

MODULE = """
    from ghostos_moss import Moss as Parent

    class Moss(Parent):
        size: int
        names: list[str] = []

    def add(a, b=1):
        return a + b

    def test_needs_moss(moss):
        moss.names.append("x")
        assert moss.names == ["x"]

    def test_needs_nothing():
        print("quiet")

    def test_fails():
        print("so far")
        assert add(1) == 3

    if __name__ == "__test__":
        def test_only_here(moss: Moss):
            assert moss.size == 4

        async def test_hangs():
            import asyncio
            await asyncio.sleep(60)

    if __name__ == "__main__":
        def test_never(): ...
"""


@pytest.fixture
def suite() -> MossTestSuite:
    container = Container()
    container.set(int, 4)
    return MossTestSuite(container, timeout_s=0.2)


def test_all_tests_of_a_module_run_each_in_a_compile_of_its_own(suite, write_module):
    seen: list[str] = []
    name = write_module(
        "from textwrap import dedent as test_imported\n" + "".join(MODULE.splitlines(True)).replace("\n    ", "\n")
    )
    results = suite.run_module_tests(name, lambda test, execution: seen.append(f"{test} {execution.error is None}"))
    assert seen == [
        "test_needs_moss True",
        "test_needs_nothing True",
        "test_fails False",
        "test_only_here True",
        "test_hangs False",
    ]
    assert results["test_needs_nothing"].std_output == "quiet\n"
    assert results["test_needs_moss"].pycontext.values == {"names": ["x"]}


def test_a_test_that_raises_is_an_execution_with_its_error(suite, write_module):
    execution = suite.run(write_module(MODULE), "test_fails")
    assert (execution.returns, execution.std_output) == (None, "so far\n")
    assert isinstance(execution.error.__cause__, AssertionError)


def test_a_test_that_hangs_is_stopped(suite, write_module):
    assert "ran longer than 0.2 s" in str(suite.run(write_module(MODULE), "test_hangs").error)


def test_run_calls_any_function_with_values(suite, write_module):
    name = write_module(MODULE)
    assert suite.run(name, "add", [2]).returns == 3
    assert suite.run(name, "add", [2], kwargs={"b": 5}).returns == 7
    assert suite.run(name, "main", code="def main(moss): return add(moss.size)").returns == 5


def test_a_function_that_does_not_exist_is_an_error_of_the_execution(suite, write_module):
    assert "did you mean test_fails" in str(suite.run(write_module(MODULE), "test_fail").error)


def test_a_module_that_cannot_be_compiled_raises(suite, write_module):
    with pytest.raises(CompileError):
        suite.run_module_tests(write_module("1 / 0"), lambda *_: None)
    with pytest.raises(InjectionError):
        MossTestSuite().run(write_module(MODULE), "add", [1])


def test_the_prompt_is_what_a_model_sees(suite, write_module):
    assert "def add(a, b=1):" in suite.dump_prompt(write_module(MODULE))


def test_the_name_that_the_protocols_page_prints_is_an_alias():
    assert MossTextSuite is MossTestSuite


def test_a_source_with_its_tests_has_the_same_lines():
    text = 'ü = 1; x = "ü"\nif (\n    "__test__" ==\n    __name__\n):  # only here\n    def test_x(): assert 1\n'
    source = source_with_tests(parse_source(text))
    assert source.text == 'ü = 1; x = "ü"\nif (\n    True\n\n):  # only here\n    def test_x(): assert 1\n'
    assert source_with_tests(source) is source
    plain = parse_source("x = 1")
    assert source_with_tests(plain) is plain
