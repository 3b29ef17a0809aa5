"""How the codec finds out, only when something is wrong, where it is wrong."""

from collections.abc import Sequence

__all__ = ["PartError", "TooBigError", "TooDeepError", "step_of_key"]

_MAX_STEPS = 12
_MAX_KEY = 40


class PartError(Exception):
    """A part that cannot be stored or restored; becomes an `EncodeError` or `DecodeError` at the root.

    Each container that it passes on its way up adds one step, so that a value without fault pays nothing for paths.
    """

    def __init__(
        self,
        reason: str,
        *,
        type_name: str = "",
        advice: str = "",
        class_name: str | None = None,
        matches: Sequence[str] = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.type_name = type_name
        self.advice = advice
        self.class_name = class_name
        self.matches = matches
        self._trail: list[tuple[int, str]] = []

    def passes(self, owner: object, step: str) -> None:
        """Notes that the part is `step` below `owner`; called from the inside out."""
        self._trail.append((id(owner), step))

    def path(self, root: str) -> str:
        """Such as `moss.plan.steps[3]`; the middle of a very long one is left out."""
        steps = [step for _, step in reversed(self._trail)]
        if len(steps) > _MAX_STEPS:
            half = _MAX_STEPS // 2
            steps = [*steps[:half], " … ", *steps[-half:]]
        return root + "".join(steps)

    def cycle(self, root: str) -> tuple[str, str] | None:
        """If the trail comes by the same object twice: the paths of its first and its second appearance."""
        seen: dict[int, str] = {}
        path = root
        for owner, step in reversed(self._trail):
            if owner in seen:
                return seen[owner], path
            seen[owner] = path
            path += step
        return None


def step_of_key(key: object) -> str:
    """The step into a mapping. Keys of other types than text and int are not shown: their `repr` is not ours."""
    if type(key) is int:
        return f"[{key}]" if abs(key) < 10**18 else "[<int>]"
    if type(key) is str:
        return f"[{key if len(key) <= _MAX_KEY else key[: _MAX_KEY - 1] + '…'!r}]"
    return f"[<{type(key).__qualname__}>]"


class TooDeepError(PartError):
    """More containers in each other than the format allows; a cycle looks like that too."""

    def __init__(self) -> None:
        super().__init__("it is nested too deeply")


class TooBigError(PartError):
    """More bytes than the caller allows."""

    def __init__(self) -> None:
        super().__init__("it is too big")
