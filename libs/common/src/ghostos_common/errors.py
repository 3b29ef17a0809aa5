"""What this distribution raises.

```
CommonError
├── EncodeError      a value cannot be stored
├── DecodeError      stored data cannot become a value again
├── IdentityError    an object says too little about itself to be identified   (also a TypeError)
└── PromptError      a prompt is not text, or a tree is asked for an impossible heading   (also a ValueError)
```

The facts are attributes; the text is built from them, and holds names, types
and the keys on the way to a part: no file path, no stored value.
"""

from collections.abc import Sequence

__all__ = ["CommonError", "DecodeError", "EncodeError", "IdentityError", "PromptError"]


class CommonError(Exception):
    """Root of the errors of `ghostos_common`."""

    def describe_for_model(self) -> str:
        """The failure in words that may go into a prompt."""
        return str(self)


class EncodeError(CommonError):
    """A value cannot be stored.

    Attributes:
        path: Where the offending part is, such as `moss.plan.steps[3]`.
        type_name: Name of the type of that part.
        reason: What is wrong with it.
        advice: What to do instead.
    """

    def __init__(self, *, path: str, type_name: str, reason: str, advice: str) -> None:
        self.path = path
        self.type_name = type_name
        self.reason = reason
        self.advice = advice
        super().__init__(f"{path} ({type_name}) cannot be stored: {reason}. {advice}.")


class DecodeError(CommonError):
    """Stored data cannot become a value again.

    Attributes:
        path: Where the offending part would be in the value, such as `moss.plan.steps[3]`.
        reason: What is wrong with it.
        class_name: The class that the part names, as stored; None if it names none.
        matches: Names that exist and are close to one that does not, best first.
    """

    def __init__(self, *, path: str, reason: str, class_name: str | None = None, matches: Sequence[str] = ()) -> None:
        self.path = path
        self.reason = reason
        self.class_name = class_name
        self.matches = tuple(matches)
        hint = f" Did you mean {' or '.join(map(repr, self.matches))}?" if matches else ""
        super().__init__(f"{path} cannot be restored: {reason}.{hint}")


class IdentityError(CommonError, TypeError):
    """An object says too little about itself to be identified.

    Attributes:
        type_name: Name of the object's type.
        reason: What is missing or wrong.
    """

    def __init__(self, *, type_name: str, reason: str) -> None:
        self.type_name = type_name
        self.reason = reason
        super().__init__(
            f"Cannot identify an object of type {type_name!r}: {reason}. "
            "Give it a non-empty `name` or `id`, or a method `__identifier__() -> Identifier`."
        )


class PromptError(CommonError, ValueError):
    """A prompt is not text, or a tree is asked for an impossible heading."""
