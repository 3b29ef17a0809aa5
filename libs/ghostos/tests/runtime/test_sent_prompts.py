from datetime import UTC, datetime

from ghostos.contracts.sent_prompts import SentPrompt
from ghostos.core.prompt import Prompt
from ghostos.runtime.sent_prompts import LatestSentPrompts


def sent(task_id, round_=1):
    return SentPrompt(
        task_id=task_id, round=round_, model="m", prompt=Prompt(messages=[]), sent_at=datetime.now(tz=UTC)
    )


def test_only_the_latest_calls_of_a_task_are_kept():
    prompts = LatestSentPrompts(calls=2)
    for round_ in (1, 2, 3):
        prompts.keep(sent("a", round_))
    assert [each.round for each in prompts.list("a")] == [2, 3]
    assert prompts.list("b") == []


def test_only_the_tasks_that_called_last_are_kept():
    prompts = LatestSentPrompts(tasks=2)
    for task_id in ("a", "b", "a", "c"):
        prompts.keep(sent(task_id))
    assert [len(prompts.list(task_id)) for task_id in ("a", "b", "c")] == [2, 0, 1]
