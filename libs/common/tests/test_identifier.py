import types
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

import pytest
from pydantic import BaseModel

from ghostos_common.errors import IdentityError
from ghostos_common.identifier import Identifiable, Identifier, identify


class Robot(BaseModel):
    """Moves about."""

    name: str = ""
    id: str | int | UUID = ""
    description: str = ""


@dataclass
class Point:
    name: str


class Kind(Enum):
    BIG = "big"


def fly(height: int) -> None:
    """Takes off.

    Then lands.
    """


def address(name: str) -> str:
    return f"{__name__}:{name}"


def test_identifier_is_itself():
    who = Identifier("1", "one")
    assert identify(who) is who


def test_object_that_says_who_it_is_is_asked():
    class Ghost:
        name = "ignored"

        def __identifier__(self) -> Identifier:
            return Identifier("g", "ghost", "boo")

    assert isinstance(Ghost(), Identifiable)
    assert identify(Ghost()) == Identifier("g", "ghost", "boo")
    assert identify(Ghost).name == "Ghost"


def test_identifier_method_that_returns_something_else_is_an_error():
    class Ghost:
        def __identifier__(self) -> str:
            return "me"

    with pytest.raises(IdentityError, match="returned str"):
        identify(Ghost())


def test_class_and_function_are_their_address_and_docstring():
    assert identify(Robot) == Identifier(address("Robot"), "Robot", "Moves about.")
    assert identify(fly) == Identifier(address("fly"), "fly", "Takes off.\n\nThen lands.")
    assert identify(len).id == "builtins:len"


def test_signature_that_dataclasses_put_into_the_docstring_is_no_description():
    assert identify(Point).description == ""


def test_docstring_is_not_inherited():
    class Droid(Robot):
        pass

    assert identify(Droid).description == ""


def test_module_is_its_name_and_docstring():
    module = types.ModuleType("garden", "Grows.")
    assert identify(module) == Identifier("garden", "garden", "Grows.")


def test_object_is_its_own_id_name_and_description():
    assert identify(Robot(id="r2", name="R2", description="beeps")) == Identifier("r2", "R2", "beeps")


def test_name_alone_makes_an_id_that_is_the_same_for_an_equal_object():
    assert identify(Robot(name="R2")) == Identifier(f"{address('Robot')}:R2", "R2", "Moves about.")
    assert identify(Point("home")) == identify(Point("home"))


@pytest.mark.parametrize(("given", "text"), [(7, "7"), (UUID(int=1), str(UUID(int=1)))])
def test_id_alone_takes_the_name_of_the_class(given: int | UUID, text: str):
    assert identify(Robot(id=given)) == Identifier(text, "Robot", "Moves about.")


def test_enum_member_is_identified_by_its_name():
    assert identify(Kind.BIG) == Identifier(f"{address('Kind')}:BIG", "BIG")


@pytest.mark.parametrize("value", [3, "text", None, Robot(), object()])
def test_object_without_name_and_id_is_an_error_that_says_what_to_add(value: object):
    with pytest.raises(IdentityError, match=r"neither a name nor an id.*__identifier__"):
        identify(value)
