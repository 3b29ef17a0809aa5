"""From a contract to an instance: singletons once, whoever asks at the same time; others anew."""

from collections.abc import Hashable

from ghostos_container._build import Build, SharedBuild, Wait, path_to
from ghostos_container._scope import Scope
from ghostos_container._slot import UNSET, FactorySlot
from ghostos_container.errors import AsyncFactoryError

# ruff: noqa: SLF001 - a singleton is made by the member of the tree that owns it

__all__ = ["Resolver"]


class Resolver(Scope):
    """A scope that makes what is bound in it and above. Sync and async are written out, method by method."""

    def _resolve(self, contract: Hashable, *, default: object) -> object:
        found = self._find(contract)
        if found is None:
            return default
        owner, slot = found
        if slot.value is not UNSET or not isinstance(slot, FactorySlot):
            return slot.value
        return owner._make_once(slot, contract) if slot.is_singleton else self._make_new(slot, contract)

    def _make_once(self, slot: FactorySlot, contract: Hashable) -> object:
        if slot.is_async:
            raise AsyncFactoryError(path=path_to(contract))
        while slot.value is UNSET:  # again after waiting for a build that failed
            step = self._claim(slot, contract)
            with step as done:
                if done is None:
                    self._publish(slot, slot.factory(self))
                else:
                    done.result()
        return slot.value

    def _make_new(self, slot: FactorySlot, contract: Hashable) -> object:
        if slot.is_async:
            raise AsyncFactoryError(path=path_to(contract))
        with Build(contract, subject=(slot, self)):
            return slot.factory(self)

    async def _aresolve(self, contract: Hashable, *, default: object) -> object:
        found = self._find(contract)
        if found is None:
            return default
        owner, slot = found
        if slot.value is not UNSET or not isinstance(slot, FactorySlot):
            return slot.value
        return await (owner._amake_once(slot, contract) if slot.is_singleton else self._amake_new(slot, contract))

    async def _amake_once(self, slot: FactorySlot, contract: Hashable) -> object:
        while slot.value is UNSET:
            step = self._claim(slot, contract)
            with step as done:
                if done is None:
                    made = slot.factory(self)
                    self._publish(slot, await made if slot.is_async else made)
                else:
                    import asyncio  # noqa: PLC0415 - costs as much as all else here; who comes here has it loaded

                    await asyncio.wrap_future(done)
        return slot.value

    async def _amake_new(self, slot: FactorySlot, contract: Hashable) -> object:
        with Build(contract, subject=(slot, self)):
            made = slot.factory(self)
            return await made if slot.is_async else made

    def _claim(self, slot: FactorySlot, contract: Hashable) -> SharedBuild | Wait:
        """The right to make the singleton, or the wait for the one who has it."""
        with self._lock:
            if slot.build is not None and (slot.value is not UNSET or not slot.build.is_finished):
                return Wait(slot.build)
            slot.build = SharedBuild(contract)
            return slot.build

    def _publish(self, slot: FactorySlot, value: object) -> None:
        """Let others see the singleton, before its build ends: whoever then finds the build ended finds the value."""
        with self._lock:
            self._require_usable()
            slot.value = value
