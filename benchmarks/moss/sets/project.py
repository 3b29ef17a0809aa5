"""A project tracker, as an agent uses it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import date
from enum import Enum


class State(Enum):
    OPEN = "open"
    STARTED = "started"
    REVIEW = "review"
    DONE = "done"
    DROPPED = "dropped"


class Priority(Enum):
    LOW = 1
    NORMAL = 2
    HIGH = 3
    URGENT = 4


class LinkKind(Enum):
    """What a first task is to a second one."""

    BLOCKS = "blocks"
    DUPLICATES = "duplicates"
    BELONGS_TO = "belongs_to"


@dataclass
class Member:
    id: str
    name: str
    hours_a_week: float = 40.0


@dataclass
class Comment:
    author: str
    """Id of a member."""
    text: str
    written_on: date


@dataclass
class Task:
    """A piece of work."""

    id: str
    title: str
    text: str = ""
    state: State = State.OPEN
    priority: Priority = Priority.NORMAL
    assignee: str | None = None
    """Id of a member; None: nobody's yet."""
    estimate: float | None = None
    """Hours that it will take in all."""
    due_on: date | None = None
    labels: set[str] = field(default_factory=set)
    comments: list[Comment] = field(default_factory=list)


@dataclass
class TaskFilter:
    """Tasks that fit all that is given here."""

    states: set[State] = field(default_factory=set)
    """Empty: any."""
    assignee: str | None = None
    label: str | None = None
    due_before: date | None = None
    text: str | None = None
    """Words of the title or text, in any order."""


@dataclass
class Milestone:
    id: str
    name: str
    due_on: date
    tasks: list[str] = field(default_factory=list)
    """Ids."""


@dataclass
class Load:
    """How busy a member is in a week."""

    member: str
    planned: float
    """Hours of tasks that are due in it."""
    available: float


@dataclass
class Progress:
    done: int
    open: int
    hours_left: float
    expected_on: date | None
    """When it would be done at the pace of the last four weeks; None when nothing was done in them."""


class Tracker(ABC):
    """The project. Changes are seen by the whole team at once."""

    @abstractmethod
    def find_tasks(self, filter: TaskFilter | None = None, limit: int = 50) -> list[Task]:
        """Tasks that fit, the most urgent first.

        Args:
            filter: Without one, all that are not done or dropped.
            limit: How many at most.
        """

    @abstractmethod
    def get_task(self, task_id: str) -> Task:
        """One task. KeyError if there is none of that id."""

    @abstractmethod
    def create_task(
        self,
        title: str,
        text: str = "",
        priority: Priority = Priority.NORMAL,
        assignee: str | None = None,
        estimate: float | None = None,
        due_on: date | None = None,
    ) -> Task:
        """A new task, open.

        Args:
            title: One line, begins with a verb.
            text: Markdown.
            priority: How urgent it is.
            assignee: Id of a member.
            estimate: Hours.
            due_on: The last day on which it may be finished.
        """

    @abstractmethod
    def update_task(self, task: Task) -> Task:
        """Store what was changed in a task. Comments are left as they are."""

    @abstractmethod
    def set_state(self, task_id: str, state: State, reason: str = "") -> Task:
        """Move a task on.

        Args:
            task_id: Which.
            state: Where to. DONE needs that nothing open blocks it, or it raises ValueError.
            reason: Becomes a comment.
        """

    @abstractmethod
    def assign(self, task_id: str, member_id: str | None) -> Task:
        """Give a task to a member, or to nobody."""

    @abstractmethod
    def comment(self, task_id: str, text: str) -> Comment:
        """Say something on a task, in your own name."""

    @abstractmethod
    def add_labels(self, task_id: str, *labels: str) -> set[str]:
        """Label a task; returns all its labels."""

    @abstractmethod
    def remove_labels(self, task_id: str, *labels: str) -> set[str]:
        """Take labels away; those that it does not have are ignored."""

    @abstractmethod
    def link(self, first_id: str, kind: LinkKind, second_id: str) -> None:
        """Say what a task is to another.

        Args:
            first_id: The task that, say, blocks.
            kind: What it does.
            second_id: The task that is, say, blocked.
        """

    @abstractmethod
    def list_links(self, task_id: str) -> list[tuple[LinkKind, str]]:
        """What a task is to others, as kind and id of the other one."""

    @abstractmethod
    def list_blockers(self, task_id: str) -> list[Task]:
        """Open tasks that must be done before, those that block these included."""

    @abstractmethod
    def log_hours(self, task_id: str, hours: float, day: date | None = None) -> float:
        """Note time spent.

        Args:
            task_id: On which task.
            hours: In quarters.
            day: Without one, today.

        Returns:
            All hours spent on the task so far.
        """

    @abstractmethod
    def list_members(self) -> list[Member]:
        """The team."""

    @abstractmethod
    def get_load(self, member_id: str, week_of: date) -> Load:
        """How busy a member is.

        Args:
            member_id: Whose load.
            week_of: Any day of the week that is meant.
        """

    @abstractmethod
    def create_milestone(self, name: str, due_on: date, task_ids: list[str]) -> Milestone:
        """Bundle tasks under a date."""

    @abstractmethod
    def list_milestones(self, include_past: bool = False) -> list[Milestone]:
        """The milestones, the next one first."""

    @abstractmethod
    def get_progress(self, milestone_id: str) -> Progress:
        """How far a milestone is."""

    @abstractmethod
    def merge_tasks(self, keep_id: str, other_id: str) -> Task:
        """Make two tasks one: comments, labels and links go to the one that is kept; the other is dropped."""

    @abstractmethod
    def today(self) -> date:
        """The date in the team's time zone."""
