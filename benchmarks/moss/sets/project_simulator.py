"""A project of five people in the middle of a release, in memory."""

import math
import re
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta

from benchmarks.moss.sets.project import (
    Comment,
    LinkKind,
    Load,
    Member,
    Milestone,
    Priority,
    Progress,
    State,
    Task,
    TaskFilter,
    Tracker,
)

_TODAY = date(2026, 1, 14)  # a Wednesday
_ME = "M5"
_ENDED = (State.DONE, State.DROPPED)
_PACE_DAYS = 28
_QUARTER = 0.25


class SimulatedTracker(Tracker):
    """It is always the same day. What it returns are copies: changes count once they are stored."""

    def __init__(self) -> None:
        self.members = {member.id: member for member in _make_members()}
        self.tasks = {task.id: task for task in _make_tasks()}
        self.milestones = {milestone.id: milestone for milestone in _make_milestones()}
        self.links = [
            ("T10", LinkKind.BLOCKS, "T2"),
            ("T2", LinkKind.BLOCKS, "T7"),
            ("T4", LinkKind.BLOCKS, "T7"),
            ("T1", LinkKind.BLOCKS, "T8"),
            ("T9", LinkKind.BELONGS_TO, "T7"),
        ]
        self.done_on = {"T1": date(2026, 1, 5), "T12": date(2026, 1, 9), "T13": date(2025, 12, 3)}
        self.hours = {
            "T1": [(date(2026, 1, 2), 4.0), (date(2026, 1, 5), 3.0)],
            "T2": [(date(2026, 1, 8), 6.5), (date(2026, 1, 9), 3.0)],
            "T4": [(date(2026, 1, 13), 5.0)],
        }

    def find_tasks(self, filter: TaskFilter | None = None, limit: int = 50) -> list[Task]:
        found = [task for task in self.tasks.values() if _fits(task, filter)]
        found.sort(key=lambda task: (-task.priority.value, task.due_on or date.max))
        return deepcopy(found[: max(limit, 0)])

    def get_task(self, task_id: str) -> Task:
        return deepcopy(self._get(task_id))

    def create_task(
        self,
        title: str,
        text: str = "",
        priority: Priority = Priority.NORMAL,
        assignee: str | None = None,
        estimate: float | None = None,
        due_on: date | None = None,
    ) -> Task:
        self._check_member(assignee)
        task = Task(
            id=f"T{len(self.tasks) + 1}",
            title=title,
            text=text,
            priority=priority,
            assignee=assignee,
            estimate=estimate,
            due_on=due_on,
        )
        self.tasks[task.id] = task
        return deepcopy(task)

    def update_task(self, task: Task) -> Task:
        stored = self._get(task.id)
        self._check_member(task.assignee)
        self._note_end(task.id, before=stored.state, after=task.state)
        self.tasks[task.id] = replace(deepcopy(task), comments=stored.comments)
        return self.get_task(task.id)

    def set_state(self, task_id: str, state: State, reason: str = "") -> Task:
        task = self._get(task_id)
        blockers = [blocker.id for blocker in self.list_blockers(task_id)]
        if state is State.DONE and blockers:
            raise ValueError(f"{task_id} cannot be done while these are open: {', '.join(blockers)}")
        self._note_end(task_id, before=task.state, after=state)
        task.state = state
        if reason:
            self.comment(task_id, reason)
        return deepcopy(task)

    def assign(self, task_id: str, member_id: str | None) -> Task:
        task = self._get(task_id)
        self._check_member(member_id)
        task.assignee = member_id
        return deepcopy(task)

    def comment(self, task_id: str, text: str) -> Comment:
        comment = Comment(author=_ME, text=text, written_on=_TODAY)
        self._get(task_id).comments.append(comment)
        return deepcopy(comment)

    def add_labels(self, task_id: str, *labels: str) -> set[str]:
        task = self._get(task_id)
        task.labels |= set(labels)
        return set(task.labels)

    def remove_labels(self, task_id: str, *labels: str) -> set[str]:
        task = self._get(task_id)
        task.labels -= set(labels)
        return set(task.labels)

    def link(self, first_id: str, kind: LinkKind, second_id: str) -> None:
        self._get(first_id)
        self._get(second_id)
        if first_id == second_id:
            raise ValueError(f"{first_id} cannot be linked to itself")
        link = (first_id, kind, second_id)
        if link not in self.links:
            self.links.append(link)

    def list_links(self, task_id: str) -> list[tuple[LinkKind, str]]:
        self._get(task_id)
        return [(kind, second) for first, kind, second in self.links if first == task_id]

    def list_blockers(self, task_id: str) -> list[Task]:
        self._get(task_id)
        reached = [task_id]
        for blocked in reached:  # grows on the way, so that what blocks a blocker is reached too
            for first, kind, second in self.links:
                is_blocker = kind is LinkKind.BLOCKS and second == blocked and self.tasks[first].state not in _ENDED
                if is_blocker and first not in reached:
                    reached.append(first)
        return [self.get_task(each) for each in reached[1:]]

    def log_hours(self, task_id: str, hours: float, day: date | None = None) -> float:
        self._get(task_id)
        if hours % _QUARTER:
            raise ValueError(f"Hours are noted in quarters, not as {hours}")
        self.hours.setdefault(task_id, []).append((day or _TODAY, hours))
        return self._count_hours(task_id)

    def list_members(self) -> list[Member]:
        return deepcopy(list(self.members.values()))

    def get_load(self, member_id: str, week_of: date) -> Load:
        self._check_member(member_id)
        monday = week_of - timedelta(days=week_of.weekday())
        planned = math.fsum(
            task.estimate or 0.0
            for task in self.tasks.values()
            if task.assignee == member_id
            and task.state not in _ENDED
            and task.due_on is not None
            and monday <= task.due_on < monday + timedelta(days=7)
        )
        return Load(member=member_id, planned=planned, available=self.members[member_id].hours_a_week)

    def create_milestone(self, name: str, due_on: date, task_ids: list[str]) -> Milestone:
        tasks = [self._get(each).id for each in dict.fromkeys(task_ids)]
        milestone = Milestone(id=f"S{len(self.milestones) + 1}", name=name, due_on=due_on, tasks=tasks)
        self.milestones[milestone.id] = milestone
        return deepcopy(milestone)

    def list_milestones(self, include_past: bool = False) -> list[Milestone]:
        listed = [each for each in self.milestones.values() if include_past or each.due_on >= _TODAY]
        # The past ones come last, as the next one is the first.
        return deepcopy(sorted(listed, key=lambda each: (each.due_on < _TODAY, abs(each.due_on - _TODAY))))

    def get_progress(self, milestone_id: str) -> Progress:
        if milestone_id not in self.milestones:
            raise KeyError(f"There is no milestone {milestone_id!r}")
        tasks = [self.tasks[each] for each in self.milestones[milestone_id].tasks]
        left = [task for task in tasks if task.state not in _ENDED]
        done = [task for task in tasks if task.state is State.DONE]
        recent = sum(self.done_on[task.id] > _TODAY - timedelta(days=_PACE_DAYS) for task in done)
        return Progress(
            done=len(done),
            open=len(left),
            hours_left=math.fsum(max(0.0, (task.estimate or 0.0) - self._count_hours(task.id)) for task in left),
            expected_on=_TODAY + timedelta(days=math.ceil(len(left) * _PACE_DAYS / recent)) if recent else None,
        )

    def merge_tasks(self, keep_id: str, other_id: str) -> Task:
        keep, other = self._get(keep_id), self._get(other_id)
        if keep is other:
            raise ValueError(f"{keep_id} cannot be merged with itself")
        keep.comments = sorted(keep.comments + other.comments, key=lambda comment: comment.written_on)
        keep.labels |= other.labels
        other.comments, other.labels = [], set()
        new = {other_id: keep_id}
        links = [(new.get(first, first), kind, new.get(second, second)) for first, kind, second in self.links]
        self.links = list(dict.fromkeys(link for link in links if link[0] != link[2]))
        self.set_state(other_id, State.DROPPED)
        return deepcopy(keep)

    def today(self) -> date:
        return _TODAY

    def _get(self, task_id: str) -> Task:
        if task_id not in self.tasks:
            raise KeyError(f"There is no task {task_id!r}")
        return self.tasks[task_id]

    def _check_member(self, member_id: str | None) -> None:
        if member_id is not None and member_id not in self.members:
            raise KeyError(f"There is no member {member_id!r}")

    def _note_end(self, task_id: str, *, before: State, after: State) -> None:
        if after is not State.DONE:
            self.done_on.pop(task_id, None)
        elif before is not State.DONE:
            self.done_on[task_id] = _TODAY

    def _count_hours(self, task_id: str) -> float:
        return math.fsum(hours for _, hours in self.hours.get(task_id, []))


def _fits(task: Task, wanted: TaskFilter | None) -> bool:
    if wanted is None:
        return task.state not in _ENDED
    return (
        (not wanted.states or task.state in wanted.states)
        and wanted.assignee in (None, task.assignee)
        and (wanted.label is None or wanted.label in task.labels)
        and (wanted.due_before is None or (task.due_on is not None and task.due_on < wanted.due_before))
        and _split(wanted.text or "") <= _split(f"{task.title} {task.text}")
    )


def _split(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _make_members() -> list[Member]:
    return [
        Member("M1", "Ada Lindqvist"),
        Member("M2", "Adam Lindner", hours_a_week=32.0),
        Member("M3", "Grace Okafor"),
        Member("M4", "Linus Berger", hours_a_week=20.0),
        Member(_ME, "Iris", hours_a_week=4.0),
    ]


def _make_milestones() -> list[Milestone]:
    return [
        Milestone("S1", "Prototype", date(2025, 12, 5), tasks=["T13"]),
        Milestone("S2", "Version 2", date(2026, 1, 30), tasks=["T1", "T2", "T4", "T7", "T12"]),
        Milestone("S3", "Spring launch", date(2026, 3, 31), tasks=["T5", "T8"]),
    ]


def _make_tasks() -> list[Task]:
    """Overdue: T2 and T6. Nobody's: T5, T6, T8 and T9. The same fault twice: T3 and T9."""
    low, high, urgent = Priority.LOW, Priority.HIGH, Priority.URGENT
    crash = Comment("M4", "It happens on phones, too.", date(2026, 1, 12))
    answer = Comment("M1", "I can see it; the index is asked for nothing.", date(2026, 1, 13))
    rows = [
        Task("T1", "Set up the test server", state=State.DONE, assignee="M3", estimate=8.0, labels={"infra"}),
        Task("T2", "Import the old orders", "From **CSV**.", State.STARTED, high, "M2", 16.0, labels={"data"}),
        Task("T3", "Fix the crash of an empty search", "", State.OPEN, high, "M1", 3.0, labels={"bug"}),
        Task("T4", "Draw the new price page", state=State.REVIEW, assignee="M3", estimate=6.0, labels={"design"}),
        Task("T5", "Update the help pages", priority=low, estimate=4.0, labels={"docs"}),
        Task("T6", "Renew the certificate", "It has run out.", priority=urgent, estimate=1.0, labels={"infra"}),
        Task("T7", "Release version 2", priority=high, assignee="M1", estimate=4.0, labels={"release"}),
        Task("T8", "Test payments by card", priority=high, estimate=12.0, labels={"payment"}),
        Task("T9", "Stop search from crashing without words", labels={"bug", "search"}, comments=[crash]),
        Task("T10", "Get the old orders from the client", state=State.STARTED, assignee="M4", estimate=2.0),
        Task("T11", "Try a chat on the home page", state=State.DROPPED, priority=low),
        Task("T12", "Speed up the start page", state=State.DONE, assignee="M2", estimate=5.0),
        Task("T13", "Choose the colours", state=State.DONE, assignee="M3", estimate=3.0, labels={"design"}),
    ]
    rows[2].comments.append(answer)
    january = {1: 5, 2: 12, 3: 16, 4: 15, 5: 20, 6: 13, 7: 30, 8: 16, 10: 23, 12: 9}
    for number, day in january.items():
        rows[number - 1].due_on = date(2026, 1, day)
    return rows
