"""The public contracts, by the names that users import: `from ghostos.abcd import Ghost, Matrix`."""

from ghostos.contracts.action import Action
from ghostos.contracts.conversation import Conversation, Receiver
from ghostos.contracts.ghost import Ghost, GhostDriver
from ghostos.contracts.matrix import GhostOS, Matrix
from ghostos.contracts.session import MessageWriter, Session
from ghostos.core.operator import Fail, Finish, Observe, Operator, Wait

__all__ = [
    "Action",
    "Conversation",
    "Fail",
    "Finish",
    "Ghost",
    "GhostDriver",
    "GhostOS",
    "Matrix",
    "MessageWriter",
    "Observe",
    "Operator",
    "Receiver",
    "Session",
    "Wait",
]
