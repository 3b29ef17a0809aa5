"""Settings: one typed model of `configs/ghostos.toml`, and where things lie in a workspace."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from ghostos_moss import Permissions

CONFIG_VERSION = 1
DEFAULT_MODEL = "openai:gpt-4o"

# What is beyond these is a slip of the keyboard, and would be refused or overflow where it is used.
_DAY_S: Final = 86_400
_MOST_RETRIES: Final = 100
_MOST_TOKENS: Final = 1_000_000_000
_TIB_MB: Final = 1024**2

CodeFormat = Literal["tags", "fence"]
Durability = Literal["normal", "full"]
Sandbox = Literal["process", "off"]


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders of one workspace. Naming them makes none of them."""

    root: Path

    @property
    def config_file(self) -> Path:
        return self.root / "configs" / "ghostos.toml"

    @property
    def env_file(self) -> Path:
        """Keys, readable by their owner alone."""
        return self.root / ".env"

    @property
    def learned(self) -> Path:
        """What ghosts have learned, a file each; `ghostos clear-runtime` leaves it."""
        return self.root / "learned"

    @property
    def runtime(self) -> Path:
        """Everything that running makes; `ghostos clear-runtime` empties it, but for `accepted`."""
        return self.root / "runtime"

    @property
    def database(self) -> Path:
        return self.runtime / "ghostos.db"

    @property
    def assets(self) -> Path:
        return self.runtime / "assets"

    @property
    def scratch(self) -> Path:
        """One folder per task, for its code's own files."""
        return self.runtime / "scratch"

    @property
    def rounds(self) -> Path:
        """Journals of the rounds in flight."""
        return self.runtime / "rounds"

    @property
    def nodes(self) -> Path:
        """Locks and sockets of the processes at work."""
        return self.runtime / "nodes"

    @property
    def accepted(self) -> Path:
        """What the user accepted to run on the host, and where code could write. `ghostos clear-runtime` leaves it."""
        return self.runtime / "accepted"

    @property
    def web_key(self) -> Path:
        """What lets browsers see the pages of this workspace, readable by its owner alone."""
        return self.runtime / "web.key"

    @property
    def logs(self) -> Path:
        return self.runtime / "logs"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)


class ServiceSettings(_Settings):
    """One service that speaks a model protocol."""

    driver: Literal["openai_chat"] = Field(default="openai_chat", description="The protocol that it speaks.")
    base_url: str | None = Field(default=None, description="Address of the API; None is the vendor's own.")
    api_key_env: str = Field(default="", description="Environment variable (or name in .env) with the key.")
    base_url_env: str = Field(default="", description="Environment variable that overrides base_url.")
    proxy_env: str = Field(default="", description="Environment variable with an http or socks5 proxy.")
    needs_key: bool = Field(default=True, description="False for local servers that take any key.")
    timeout_s: float = Field(
        default=120.0, gt=0, le=_DAY_S, description="Longest wait for the next piece of an answer, seconds."
    )
    max_retries: int = Field(
        default=2,
        ge=0,
        le=_MOST_RETRIES,
        description="Retries of one request that failed before it answered, within seconds; a turn has its own beside "
        "them. Not set, and the address is on this machine: none.",
    )


class ModelSettings(_Settings):
    """What is particular to one model."""

    takes_system_role: bool = Field(default=True, description="False: the system prompt is sent as a user message.")
    max_output_tokens: int | None = Field(default=None, gt=0, le=_MOST_TOKENS, description="Bound on one reply.")
    context_tokens: int | None = Field(
        default=None,
        ge=1_000,
        le=_MOST_TOKENS,
        description="What it can read and write at once; not set: as known of the model, else 128,000.",
    )
    input_price: float | None = Field(default=None, ge=0, description="Of a million tokens that it reads.")
    cached_price: float | None = Field(
        default=None, ge=0, description="Of a million of those that its service had cached; not set: as any other."
    )
    output_price: float | None = Field(default=None, ge=0, description="Of a million tokens that it writes.")
    sees_images: bool | None = Field(
        default=None, description="Whether it is sent images; not set: as known of the model, else not."
    )
    code_format: CodeFormat = Field(
        default="tags",
        description="How the model marks code that shall run: tags or fence.",
    )


class StoreSettings(_Settings):
    """The database."""

    durability: Durability = Field(default="normal", description="normal survives kill -9; full, a power cut.")


class AssetSettings(_Settings):
    """Files that ghosts and users hand to each other."""

    max_mb: int = Field(default=20, ge=1, le=1024, description="Size of the largest file that is taken, MiB.")


class PermissionSettings(_Settings):
    """What confined code may touch where neither the command line nor the module says it."""

    net: bool | list[str] | None = Field(
        default=None,
        description="Whether it may open connections, to any host; or a list of hosts that its web client may ask.",
    )
    read: list[str] | None = Field(default=None, description="Paths that it may read; folders with all in them.")
    write: list[str] | None = Field(default=None, description="Paths that it may write, likewise.")
    env: list[str] | None = Field(default=None, description="Environment variables that it may see.")
    run: bool | None = Field(default=None, description="Whether it may start programs; they are confined, too.")

    @field_validator("net", "read", "write", "env", "run", mode="before")
    @classmethod
    def _check(cls, value: object, info: ValidationInfo) -> object:
        try:
            Permissions(**{str(info.field_name): cast("Any", value)})
        except TypeError as exc:
            raise ValueError(f"{exc}") from exc
        return value


class LimitSettings(_Settings):
    """How much confined code may use."""

    memory_mb: int = Field(
        default=4096, ge=64, le=_TIB_MB, description="Memory beyond what Python and the libraries take, MiB."
    )
    cpu_s: int | None = Field(
        default=None, ge=1, le=_DAY_S, description="Processor time of one worker, all threads together, seconds."
    )
    file_mb: int = Field(default=256, ge=1, le=_TIB_MB, description="Size of the largest file that it may write, MiB.")
    open_files: int = Field(default=256, ge=32, le=4096, description="Files and sockets open at once.")
    threads: int = Field(default=256, ge=8, le=4096, description="Threads at once.")
    calls: int = Field(default=100_000, ge=1, le=10**9, description="Calls of objects on Moss in one run.")
    output_chars: int = Field(
        default=7000, ge=200, le=1_000_000, description="Of what one run prints that much is kept, head and tail."
    )
    keep_s: float = Field(
        default=60.0,
        ge=0,
        le=_DAY_S,
        description="How long the worker of a task waits, halted, for its next round, seconds.",
    )
    most_kept: int = Field(default=8, ge=0, le=1_000, description="How many wait at most.")


class CodeSettings(_Settings):
    """What models write."""

    timeout_s: float = Field(default=120.0, gt=0, le=_DAY_S, description="Longest run of one piece of code, seconds.")
    sandbox: Sandbox = Field(
        default="process",
        description="Where it runs: process (confined, Linux only) or off (in GhostOS's own process).",
    )
    permissions: PermissionSettings = Field(
        default_factory=PermissionSettings, description="What confined code may touch."
    )
    limits: LimitSettings = Field(default_factory=LimitSettings, description="How much confined code may use.")


def default_services() -> dict[str, ServiceSettings]:
    """Return the services that are known without any configuration."""
    return {
        "openai": ServiceSettings(
            api_key_env="OPENAI_API_KEY", base_url_env="OPENAI_BASE_URL", proxy_env="OPENAI_PROXY"
        ),
        "deepseek": ServiceSettings(
            base_url="https://api.deepseek.com", api_key_env="DEEPSEEK_API_KEY", base_url_env="DEEPSEEK_BASE_URL"
        ),
        "moonshot": ServiceSettings(
            base_url="https://api.moonshot.cn/v1", api_key_env="MOONSHOT_API_KEY", base_url_env="MOONSHOT_BASE_URL"
        ),
        "ollama": ServiceSettings(
            base_url="http://127.0.0.1:11434/v1", base_url_env="OLLAMA_BASE_URL", needs_key=False
        ),
    }


_KNOWN_MODELS: Final = {
    "openai:o1-mini": ModelSettings(takes_system_role=False),
    "openai:o1-preview": ModelSettings(takes_system_role=False),
}
"""What is known of particular models."""
_UNKNOWN_MODEL: Final = ModelSettings()


class TurnSettings(_Settings):
    """What a turn does when its model's service fails."""

    model_retries: int = Field(
        default=4,
        ge=0,
        le=_MOST_RETRIES,
        description="How often a model is asked again after its service failed, each time after a longer wait.",
    )


class BudgetSettings(_Settings):
    """What one task may use up before it waits for the user."""

    tokens_per_task: int | None = Field(
        default=None, gt=0, description="Tokens read and written by its models; not set: no limit."
    )
    cost_per_task: float | None = Field(
        default=None, gt=0, description="Cost of its models, in the currency of their prices; not set: no limit."
    )


class Settings(_Settings):
    """`configs/ghostos.toml`. A flag goes before the environment, that before this file."""

    version: Literal[1] = Field(default=1, description="Version of this file's format.")
    default_model: str = Field(default=DEFAULT_MODEL, description="`provider:model` of ghosts that name none.")
    services: dict[str, ServiceSettings] = Field(
        default_factory=dict, description="More services; of openai, deepseek, moonshot and ollama what shall differ."
    )
    models: dict[str, ModelSettings] = Field(default_factory=dict, description="By `provider:model`.")
    code: CodeSettings = Field(default_factory=CodeSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    assets: AssetSettings = Field(default_factory=AssetSettings)
    turn: TurnSettings = Field(default_factory=TurnSettings)
    budget: BudgetSettings = Field(default_factory=BudgetSettings)

    def find_service(self, name: str) -> ServiceSettings | None:
        """Return the service with that name: what is known of it, with what the file says in its place."""
        known, given = default_services().get(name), self.services.get(name)
        if known is None or given is None:
            return given or known
        return known.model_copy(update=given.model_dump(exclude_unset=True))

    def get_model(self, model: str) -> ModelSettings:
        """Return what is particular to `provider:model`: what is known of it, with what the file says in its place."""
        known, given = _KNOWN_MODELS.get(model), self.models.get(model)
        if known is None or given is None:
            return given or known or _UNKNOWN_MODEL
        return known.model_copy(update=given.model_dump(exclude_unset=True))


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a user says of code that a model writes.

    Attributes:
        sandbox: Where it runs; None leaves it to the settings.
        permissions: What it may touch when it is confined; what they do not name is left to the module, then to the
            settings.
    """

    sandbox: Sandbox | None = None
    permissions: Permissions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """Everything that one run of the application was told.

    Attributes:
        workspace: Where its files are.
        settings: The workspace's settings.
        environment: Variables that keys and addresses are looked up in: the process's, then the workspace's `.env`.
        model: What the user named with `--model`; None leaves it to the ghost and the settings.
        confinement: What the user named with `--sandbox`, `--allow-...` and `-A`.
    """

    workspace: Workspace
    settings: Settings
    environment: dict[str, SecretStr]
    model: str | None = None
    confinement: Confinement = Confinement()

    def find_variable(self, name: str) -> SecretStr | None:
        """Return a variable's value; None where it is unset or empty."""
        value = self.environment.get(name)
        return value if value is not None and value.get_secret_value() else None
