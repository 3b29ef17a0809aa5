"""Host calls as their host is told of them, and what is left out of them."""

import pytest

from ghostos_container import Container
from ghostos_moss import PyContext, load_source
from ghostos_moss._redact import is_secret_name

VAULT = """
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

        @staticmethod
        def check(secret: str, name: str) -> bool: ...
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

    class RealVault(library.Vault):
        def open(self, login, times=1):
            return library.Keys(public="p" * times, private_key="hidden-1")

        def look(self, *things):
            return {"token": "hidden-2", "place": "left"}

        def wait(self, seconds):
            import time

            time.sleep(seconds)

        @staticmethod
        def check(secret, name):
            return secret == name

    container = Container()
    container.set(library.Vault, RealVault())
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


def test_secrets_are_left_out_wherever_they_stand(session):
    code = (
        "moss.vault.open(Login(user='Ada', password='hidden-3'), 2)\n"
        "bob = Login(user='Bob', password='hidden-6')\n"
        "moss.vault.look({'apiKey': 'hidden-4', 'in': [{'passwd': 'hidden-5'}]}, [bob])\n"
        "moss.vault.check('hidden-7', 'Ada')\n"
        "moss.vault.check(secret='hidden-8', name='Ada')"
    )
    result = session.run(code)
    assert result.error is None
    shown = repr(result.calls)
    assert "hidden" not in shown
    for seen in ("Ada", "Bob", "public='pp'", "left", "(secret), 'Ada'"):
        assert seen in shown


@pytest.mark.parametrize(
    "name", ["password", "userPassword", "API_KEY", "apiKey", "apikey", "token", "access_token", "secret", "privateKey"]
)
def test_names_of_secrets(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["", "key", "keyboard", "max_tokens", "tokens", "compass", "pass_by", "name", "author"]
)
def test_names_of_other_things(name):
    assert not is_secret_name(name)


def test_a_static_method_is_called_and_shown_as_it_is_declared(session):
    code = "import inspect\nprint(inspect.signature(moss.vault.check), moss.vault.check('a', name='a'))"
    result = session.run(code)
    assert (result.error, result.std_output) == (None, "(secret: str, name: str) -> bool True\n")
