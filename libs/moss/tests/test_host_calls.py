"""Host calls as their host is told of them, and what is left out of them."""

import textwrap

import pytest

from ghostos_container import Container
from ghostos_moss import Permissions, ProcessExecutor, PyContext, load_source

VAULT = """
    import time
    from dataclasses import dataclass
    from pydantic import BaseModel

    class Login(BaseModel):
        user: str
        password: str

    @dataclass
    class Keys:
        public: str
        private_key: str

    class Vault:
        def open(self, login: Login, times: int = 1) -> Keys: ...
        def look(self, *things: object) -> dict[str, str]: ...
        def wait(self, seconds: float) -> None: ...
        def leave(self) -> None: ...
        async def meet(self, place: str) -> str: ...
        def send(self, *credentials: str, **more: object) -> bytes: ...

        @property
        def pin_token(self) -> str: ...
        @pin_token.setter
        def pin_token(self, value: str) -> None: ...

        @staticmethod
        def check(secret: str, name: str) -> bool: ...

    class RealVault(Vault):
        def open(self, login, times=1):
            return Keys(public="p" * times, private_key="hidden-1")
        def look(self, *things):
            return {"token": "hidden-2", "place": "left"}
        def wait(self, seconds):
            time.sleep(seconds)
        def leave(self):
            raise SystemExit(3)
        async def meet(self, place):
            if place == "nowhere":
                raise LookupError(f"{place}: token=hidden-9")
            return place
        def send(self, *credentials, **more):
            return b"hidden-10"

        @property
        def pin_token(self):
            return "hidden-11"
        @pin_token.setter
        def pin_token(self, value):
            pass

        @staticmethod
        def check(secret, name):
            return secret == name
"""
AGENT = """
    from {vault} import Keys, Login, Vault
    from ghostos_moss import Moss as Parent

    class Moss(Parent):
        vault: Vault
"""


@pytest.fixture
def session(process_executor, write_module):
    library = __import__(write_module(VAULT))

    container = Container()
    container.set(library.Vault, library.RealVault())
    source = load_source(write_module(AGENT.replace("{vault}", library.__name__)))
    session = process_executor.open(source, pycontext=PyContext(), container=container, injections={})
    yield session
    session.close()


def test_the_host_is_told_of_a_call_before_the_code_goes_on(session):
    told = []
    result = session.run("moss.vault.look()\nmoss.vault.look(1)\n1 / 0", on_call=told.append)
    assert result.status == "error"
    assert [call.arguments for call in told] == ["", "1"]
    assert tuple(told) == result.calls
    assert session.run("moss.vault.look()").calls[0].method == "look"  # nobody is told, and it is recorded


def test_what_is_told_may_raise_and_then_the_call_does(session):
    def refuse(_call):
        raise OSError("the disk is full")

    result = session.run("moss.vault.look()", on_call=refuse)
    assert "the disk is full" in result.error
    assert session.run("moss.vault.look()").status == "ok"


def test_a_call_that_did_not_return_is_said_to(session):
    told = []
    result = session.run("moss.vault.look()\nmoss.vault.wait(1)", timeout_s=0.3, on_call=told.append)
    assert [call.method for call in told] == ["look"]
    assert [call.error for call in result.calls] == [None, "it had not returned when the run ended"]
    assert "Done before that, and not undone: Vault.look()." in result.error


def test_a_call_of_which_nothing_comes_when_its_run_fails_is_not_said_to_stay(open_session):
    plan = """
        from abc import ABC, abstractmethod
        from ghostos_moss import Moss as Parent

        class Plan(ABC):
            __moss_undone__ = True

            @abstractmethod
            def add(self, text: str) -> None: ...

        class PaperPlan(Plan):
            def add(self, text: str) -> None: ...

        class Moss(Parent):
            plan: Plan

        def __moss_compile__(compiler):
            compiler.bind(Plan, PaperPlan())
    """
    result = open_session(plan).run("moss.plan.add('x')\nraise ValueError('y')")
    assert result.status == "error"
    assert "not undone" not in result.error
    assert [call.method for call in result.calls] in (["add"], [])


def test_a_call_that_ends_after_its_run_is_not_told_to_the_next_one(session):
    first, second = [], []
    late = "import threading\nthreading.Thread(target=moss.vault.wait, args=[0.5]).start()\nmoss.vault.look()"
    session.run(late, on_call=first.append)
    assert session.run("moss.vault.wait(1)", on_call=second.append).status == "ok"
    assert [(call.method, call.arguments) for call in first] == [("look", ""), ("wait", "0.5")]
    assert [(call.method, call.arguments) for call in second] == [("wait", "1")]


def test_errors_of_every_kind_are_told(session):
    told = []
    code = """
    async def run(moss):
        for attempt in (lambda: moss.vault.meet("nowhere"), lambda: moss.vault.meet("here")):
            try:
                await attempt()
            except Exception:
                pass
    """
    assert session.run(textwrap.dedent(code), on_call=told.append).error is None
    session.run("moss.vault.leave()", on_call=told.append)
    assert [(call.method, call.result, call.error) for call in told] == [
        ("meet", None, "LookupError: nowhere: token=(secret)"),
        ("meet", "'here'", None),
        ("leave", None, "SystemExit: 3"),
    ]


def test_what_is_told_of_a_call_is_bounded_however_much_crossed(session):
    told = []
    code = (
        "moss.vault.look(*range(100_000))\n"
        "moss.vault.send(**{'a' * 5000: 'b' * 100_000, **{f'name{at}': 'c' * 1000 for at in range(1000)}})\n"
        "moss.vault.look([[{'a': ['b' * 500] * 200}] * 50, {'c': list(range(10_000))}])"
    )
    assert session.run(code, on_call=told.append).error is None
    assert told[0].arguments.endswith("18, 19, … 99,980 more")
    assert told[1].arguments.startswith("aaaaaaaaaa")
    assert "99,850 characters left out" in told[1].arguments
    assert all(len(call.arguments) < 1100 for call in told)


def test_bytes_are_told_by_their_size(session):
    (call,) = session.run("moss.vault.send(more=b'hidden')").calls
    assert (call.arguments, call.result) == ("more=<bytes: 6 bytes>", "<bytes: 9 bytes>")


class TestKnownSecrets:
    @pytest.fixture(params=["known before", "known later"])
    def process_executor(self, monkeypatch, request):
        monkeypatch.setenv("GRANTED_TO_CODE", "value-of-a-variable")
        permissions = Permissions(env=["GRANTED_TO_CODE"])
        secrets: list[str] = []
        is_known = request.param == "known before"
        secrets += ["it's \"my\\key"] if is_known else []
        executor = ProcessExecutor(secrets=secrets if is_known else lambda: secrets, permissions=permissions)
        secrets[:] = ["it's \"my\\key"]
        yield executor
        executor.close()

    def test_they_are_hidden_also_where_they_are_cut_or_escaped(self, session):
        code = """
        import os
        value = os.environ["GRANTED_TO_CODE"]
        moss.vault.look(value, [{value: (value, 1)}], 'it\\'s "my\\\\key')
        """
        code += "".join(f"moss.vault.look('-' * {at} + value + '-' * 1000)\n        " for at in range(50, 100, 3))
        result = session.run(textwrap.dedent(code))
        assert result.error is None
        shown = repr(result.calls)
        assert not {part for part in ("value-of", "of-a-var", "variable", "my\\") if part in shown}
        assert "'(secret)', [{'(secret)': ('(secret)', 1)}], '(secret)'" in shown


def test_secrets_are_left_out_wherever_they_stand(session):
    code = (
        "moss.vault.open(Login(user='Ada', password='hidden-3'), 2)\n"
        "bob = Login(user='Bob', password='hidden-6')\n"
        "moss.vault.look({'apiKey': 'hidden-4', 'in': [{'passwd': 'hidden-5'}]}, [bob])\n"
        "moss.vault.check('hidden-7', 'Ada')\n"
        "moss.vault.check(secret='hidden-8', name='Ada')\n"
        "moss.vault.pin_token = 'hidden-12' + moss.vault.pin_token\n"
        "moss.vault.send('hidden-13', 'hidden-14', headers=[('Cookie', 'hidden-15'), ['X-Api-Key', 'hidden-16']])\n"
        "moss.vault.look('https://ada:hidden-17@host/?token=hidden-18', {'body': '{\"password\": \"hidden-19\"}'})"
    )
    result = session.run(code)
    assert result.error is None
    shown = repr(result.calls)
    assert "hidden" not in shown
    for seen in ("Ada", "Bob", "public='pp'", "left", "(secret), 'Ada'"):
        assert seen in shown


def test_a_static_method_is_called_and_shown_as_it_is_declared(session):
    code = "import inspect\nprint(inspect.signature(moss.vault.check), moss.vault.check('a', name='a'))"
    result = session.run(code)
    assert (result.error, result.std_output) == (None, "(secret: str, name: str) -> bool True\n")


def test_what_is_annotated_as_anything_may_be_data(process_executor, write_module):
    library = __import__(
        write_module("""
            from typing import Any
            class Shelf:
                def get(self) -> Any: ...
                def all(self) -> list[Any]: ...
            class RealShelf(Shelf):
                def get(self):
                    return {"a": (1, {2})}
                def all(self):
                    return [(1,), b"2"]
        """)
    )
    container = Container()
    container.set(library.Shelf, library.RealShelf())
    agent = AGENT.replace("{vault} import Keys, Login, Vault", f"{library.__name__} import Shelf")
    source = load_source(write_module(agent.replace("vault: Vault", "shelf: Shelf")))
    session = process_executor.open(source, pycontext=PyContext(), container=container, injections={})
    try:
        result = session.run("print(moss.shelf.get(), moss.shelf.all())")
    finally:
        session.close()
    assert (result.error, result.std_output) == (None, "{'a': (1, {2})} [(1,), b'2']\n")
