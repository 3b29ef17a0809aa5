from typing import Annotated, Optional

import pytest

from ghostos_container import Container, InjectionError, provide


class Clock:
    pass


@pytest.fixture
def container() -> Container:
    container = Container()
    container.register(provide(Clock)(lambda _: Clock()))
    return container


def test_call_fills_what_is_missing_by_annotation(container: Container):
    def report(title: str, clock: Clock, *, end: str = "!", c: Container) -> tuple[object, ...]:
        return title, clock, end, c

    assert container.call(report, "now") == ("now", container.get(Clock), "!", container)


def test_what_is_given_wins(container: Container):
    def report(clock: Clock, *, other: Clock) -> tuple[Clock, Clock]:
        return clock, other

    mine, others = Clock(), Clock()
    assert container.call(report, mine, other=others) == (mine, others)


def test_what_is_bound_wins_over_a_default_and_a_default_over_nothing(container: Container):
    def report(clock: Clock | None = None, /, size: int = 3) -> tuple[Clock | None, int]:
        return clock, size

    assert container.call(report) == (container.get(Clock), 3)
    assert Container().call(report) == (None, 3)


def test_an_optional_that_is_not_bound_is_none():
    def report(new: Clock | None, old: Optional[Clock]) -> tuple[object, object]:  # noqa: UP045 - the spelling is the test
        return new, old

    assert Container().call(report) == (None, None)


def test_an_annotated_key_wins_over_its_type(container: Container):
    def connect(dsn: Annotated[str, "dsn"], clock: Annotated[Clock, "any"]) -> tuple[str, Clock]:
        return dsn, clock

    container.set(Annotated[str, "dsn"], "sqlite://")
    assert container.call(connect) == ("sqlite://", container.get(Clock))


def test_annotations_may_be_strings_and_the_callable_a_class(container: Container):
    class Report:
        def __init__(self, clock: "Clock") -> None:
            self.clock = clock

    assert container.call(Report).clock is container.get(Clock)


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (Clock, r"Cannot call .*report\(\): parameter 'clock' was not given, and no provider is bound for 'Clock'"),
        ("Missing", r"parameter 'clock' .* annotation 'Missing' names nothing"),
        (None, r"parameter 'clock' was not given and has no annotation"),
    ],
)
def test_error_names_the_parameter(annotation: object, message: str):
    def report(clock): ...

    if annotation is not None:
        report.__annotations__["clock"] = annotation
    with pytest.raises(InjectionError, match=message) as caught:
        Container().call(report)
    assert caught.value.parameter == "clock"


def test_too_many_arguments_are_pythons_own_error(container: Container):
    with pytest.raises(TypeError, match="too many positional arguments"):
        container.call(lambda: None, 1)


async def test_acall_awaits_factories_and_the_function():
    container = Container()

    @provide(Clock)
    async def factory(_: Container) -> Clock:
        return Clock()

    async def report(clock: Clock) -> Clock:
        return clock

    container.register(factory)
    clock = await container.acall(report)
    assert isinstance(clock, Clock)
    assert await container.acall(lambda: 7) == 7
