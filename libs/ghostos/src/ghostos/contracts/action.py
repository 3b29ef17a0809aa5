"""What a driver lets a model do besides talking."""

from typing import Protocol

from ghostos.contracts.session import Session
from ghostos.core.operator import Operator


class Action(Protocol):
    """Something that a model asks for in its reply, such as running code."""

    @property
    def name(self) -> str:
        """How replies and threads name it."""
        ...

    def prompt(self) -> str:
        """Tell the model how to ask for it."""
        ...

    async def run(self, session: Session, arguments: str) -> Operator:
        """Do it, leave what the model shall see of it in the thread, and say what comes next."""
        ...
