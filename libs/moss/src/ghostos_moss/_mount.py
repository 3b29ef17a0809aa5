"""Putting a `moss` into a fresh module: restored values, injections, and the objects that follow their injection."""

from collections.abc import Callable, Mapping

from ghostos_common.codec import Namespace
from ghostos_container import Container
from ghostos_moss._anchors import Anchors
from ghostos_moss._fresh import FreshModule
from ghostos_moss._hooks import call_hook, find_hook
from ghostos_moss._inject import Assembly, assemble
from ghostos_moss._moss import Injection, InjectionHost, Moss, equip
from ghostos_moss._moss_class import find_moss_type, type_label
from ghostos_moss._pycontext import Json, PyContext
from ghostos_moss._restore import Restored, restore
from ghostos_moss._values import StoredValues
from ghostos_moss.errors import CompileError, InjectionError

__all__ = ["Mount"]


class Mount:
    """The `moss` of one module and everything that hangs on it.

    Args:
        fresh: Executed.
        container: Asked for contracts.
        pycontext: Its values are restored.
        injections: By attribute.

    Raises:
        CompileError: The module's `Moss`, or its variable `moss`, is not what it must be.
        InjectionError: An attribute got no value.
        LifecycleError: `__moss_migrate__` raised.
    """

    def __init__(
        self, fresh: FreshModule, *, container: Container, pycontext: PyContext, injections: Mapping[str, object]
    ) -> None:
        module, name = fresh.module, fresh.source.name
        if "moss" in vars(module):
            reason = "it defines a global variable `moss`, the name that its Moss instance gets: rename it"
            raise CompileError(name, reason)
        self.moss_type = find_moss_type(module, name=name)
        vars(module).setdefault("Moss", self.moss_type)
        namespace = Namespace(dict(vars(module)))
        restored = restore(
            pycontext.values,
            namespace=namespace,
            without=injections,
            migrate=lambda attribute, raw: call_hook(module, "__moss_migrate__", attribute, raw),
        )
        self._assembly = assemble(
            self.moss_type, module=name, injections=injections, values=restored.live, container=container
        )
        kept = _kept(restored, self._assembly, pycontext.values)
        self.values = StoredValues(
            self._assembly,
            namespace=namespace,
            kept=kept,
            restored=_unaltered(restored, self._assembly, pycontext.values),
            notes=restored.notes,
        )
        self._module = module
        self._followers: list[Injection] = []
        vars(module)["moss"] = self.moss

    @property
    def moss(self) -> Moss:
        return self._assembly.moss

    @property
    def injected(self) -> Mapping[str, object]:
        """Injected objects by attribute."""
        return self._assembly.injected

    def complete(self, host: InjectionHost, *, describe: Callable[[str], str]) -> None:
        """Protect what is injected; tell the injected objects, then the module, that moss is complete.

        Raises:
            InjectionError: An object's `on_injection` raised.
            LifecycleError: `__moss_compiled__` raised.
        """
        equip(self.moss, injected=frozenset(self.injected), describe=describe)
        for name, value in self.injected.items():
            if not isinstance(value, Injection):
                continue
            try:
                value.on_injection(host, name)
            except Exception as exc:
                reason = f"raised in on_injection: {type(exc).__name__}: {exc}"
                raise InjectionError(name, type_label(type(value)), reason=reason) from exc
            self._followers.append(value)
        if find_hook(self._module, "__moss_compiled__") is not None:
            call_hook(self._module, "__moss_compiled__", self.moss)
            self.values.accept_as_made()
            self.values.commit()
        self._anchors = Anchors(
            self._module, moss=self.moss, moss_type=self.moss_type, injected=self.injected, describe=describe
        )

    def settle(self, *, has_failed: bool) -> None:
        """After code ran: put back what is not the code's to take, then keep the values, or put them back, too."""
        notes = self._anchors.restore()
        if has_failed:
            self.values.roll_back()
            return
        for note in notes:
            self.values.tell(note)
        self.values.commit()

    def destroy(self) -> list[Exception]:
        """Call `on_destroy` of each object that was told of its injection, last first; what they raised."""
        errors: list[Exception] = []
        while self._followers:
            try:
                self._followers.pop().on_destroy()
            except Exception as exc:  # noqa: BLE001 - the others must be told, too; the runtime raises them together
                errors.append(exc)
        return errors


def _unaltered(restored: Restored, assembly: Assembly, values: Mapping[str, Json]) -> dict[str, Json]:
    """The stored values whose restored objects are on moss."""
    attributes = vars(assembly.moss)
    return {
        name: values[name]
        for name, value in restored.live.items()
        if name not in restored.migrated and attributes.get(name) is value
    }


def _kept(restored: Restored, assembly: Assembly, values: Mapping[str, Json]) -> dict[str, Json]:
    """The stored values that are not on moss now and must not be lost."""
    kept = {name: raw for name, raw in restored.raw.items() if name not in assembly.injected}
    for name in assembly.unused:
        kept[name] = values[name]
        restored.notes.append(f"moss.{name} was stored, but Moss has no place for it now: it is kept, unseen.")
    return kept
