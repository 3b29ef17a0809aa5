"""What model calls cost a task, and when that is enough."""

from ghostos.config import AppSettings, ModelSettings
from ghostos.contracts.model_driver import ModelDriver
from ghostos.contracts.session import Session
from ghostos.core.operator import Operator, Wait
from ghostos.core.usage import Usage, compute_cost
from ghostos.errors import ConfigError

_WHERE = "under [budget] in configs/ghostos.toml of the workspace, and say how to go on."


def get_model_settings(session: Session, label: str) -> ModelSettings:
    """Return what is particular to `provider:model`, its prices among that."""
    return session.container.force_fetch(AppSettings).settings.get_model(label)


def find_cost(usage: Usage, settings: ModelSettings) -> float:
    """Return what calls of a model cost; 0 where none of its prices is known."""
    return compute_cost(
        usage,
        input_price=settings.input_price,
        cached_price=settings.cached_price,
        output_price=settings.output_price,
    )


def check_budget(session: Session, model: ModelDriver) -> Operator | None:
    """End the turn where the task has used up what it may, and say so in the thread; else return None.

    Raises:
        ConfigError: What the task may cost is bounded, and it is not known what the model costs.
    """
    if model.is_rehearsal:
        return None
    budget = session.container.force_fetch(AppSettings).settings.budget
    used = session.task.usage.input_tokens + session.task.usage.output_tokens
    if budget.tokens_per_task is not None and used >= budget.tokens_per_task:
        spent = f"this task has used {used:,} of {budget.tokens_per_task:,} tokens"
        return _stop(session, f"Stopped: {spent}. Raise tokens_per_task {_WHERE}")
    if budget.cost_per_task is None:
        return None
    _check_prices(model.label, get_model_settings(session, model.label))
    if session.task.cost < budget.cost_per_task:
        return None
    spent = f"this task has cost {session.task.cost:,.4g} of {budget.cost_per_task:,.4g}"
    return _stop(session, f"Stopped: {spent}. Raise cost_per_task {_WHERE}")


def _stop(session: Session, text: str) -> Operator:
    session.add(text, role="system", type="text")
    session.set_error_streak(0)
    return Wait()


def _check_prices(label: str, settings: ModelSettings) -> None:
    if settings.input_price is not None and settings.output_price is not None:
        return
    raise ConfigError(
        f"A task may cost no more than [budget] cost_per_task says, but it is not known what {label} costs.",
        advice=f'Set input_price and output_price under [models."{label}"] in configs/ghostos.toml, 0 if it is free.',
    )
