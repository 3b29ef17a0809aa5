import pytest

from ghostos_container import (
    Bootstrapper,
    BootstrapProvider,
    Container,
    Contracts,
    ContractsMissingError,
    InvalidProviderError,
    Provider,
    provide,
)


class Clock:
    pass


class ClockProvider(Provider[Clock]):
    def factory(self, container: Container) -> Clock:
        return Clock()


class Recorded(BootstrapProvider[Clock]):
    def __init__(self, log: list[str], name: str) -> None:
        self.log, self.name = log, name

    def factory(self, container: Container) -> Clock:
        return Clock()

    def bootstrap(self, container: Container) -> None:
        self.log.append(self.name)


class Step(Bootstrapper):
    def __init__(self, log: list[str], name: str) -> None:
        self.log, self.name = log, name

    def bootstrap(self, container: Container) -> None:
        self.log.append(self.name)


def test_a_provider_says_its_contract_by_its_type_argument():
    class Inherited(ClockProvider):
        pass

    assert Inherited().contract() is Clock
    assert Recorded([], "").contract() is Clock


def test_a_provider_without_a_contract_is_an_error():
    class Nameless(Provider):  # pyright: ignore[reportMissingTypeArgument] - that is the mistake
        def factory(self, container: Container) -> None: ...

    with pytest.raises(InvalidProviderError, match="Nameless does not say what it provides"):
        Container().register(Nameless())


def test_registering_a_class_or_a_value_is_an_error():
    with pytest.raises(InvalidProviderError, match=r"pass an instance, ClockProvider\(\)"):
        Container().register(ClockProvider)  # pyright: ignore[reportArgumentType] - that is the mistake
    with pytest.raises(InvalidProviderError, match="use set"):
        Container().register(Clock())  # pyright: ignore[reportArgumentType] - that is the mistake


def test_provide_keeps_what_it_was_told():
    @provide(Clock, singleton=False, aliases=["clock"], inheritable=False)
    def clock(_: Container) -> Clock:
        return Clock()

    assert (clock.contract(), clock.singleton(), tuple(clock.aliases()), clock.inheritable()) == (
        Clock,
        False,
        ("clock",),
        False,
    )


def test_bootstrappers_run_once_in_order():
    container, log = Container(), []
    container.register(Step(log, "first"), Recorded(log, "second"))
    assert log == []
    container.bootstrap()
    container.bootstrap()
    assert log == ["first", "second"]


def test_a_bootstrapper_that_comes_late_runs_at_once():
    container, log = Container(), []
    container.bootstrap()
    container.register(Step(log, "late"))
    assert log == ["late"]


def test_a_bootstrapper_may_register_others():
    container, log = Container(), []

    class Registers(Bootstrapper):
        def bootstrap(self, container: Container) -> None:
            container.register(Step(log, "registered"))

    container.register(Registers(), Step(log, "other"))
    container.bootstrap()
    assert log == ["other", "registered"]


def test_a_bootstrapping_provider_that_was_replaced_is_left_out():
    container, log = Container(), []
    container.register(Recorded(log, "old"), Recorded(log, "new"))
    container.bootstrap()
    assert log == ["new"]


def test_after_a_failure_bootstrap_goes_on_with_the_next():
    container, log = Container(), []

    class Fails(Bootstrapper):
        def bootstrap(self, container: Container) -> None:
            raise ValueError("not today")

    container.register(Fails(), Step(log, "next"))
    with pytest.raises(ValueError, match="not today"):
        container.bootstrap()
    container.bootstrap()
    assert log == ["next"]


def test_contracts_are_validated_without_making_anything():
    contracts, container = Contracts([Clock, "dsn", "url", Clock]), Container()
    assert list(contracts) == [Clock, "dsn", "url"]
    container.register(provide("dsn")(lambda _: 1 // 0))
    with pytest.raises(ContractsMissingError, match="No provider is bound for 'Clock', 'url'") as caught:
        contracts.validate(container.child())
    assert caught.value.missing == (Clock, "url")
    container.set(Clock, None)
    container.set("url", "")
    contracts.validate(container.child())
