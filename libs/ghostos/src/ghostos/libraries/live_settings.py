"""What one run of the application was told, kept up to date: a file of settings or keys that changes is read again."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ghostos.config import AppSettings, Confinement, Workspace
from ghostos.errors import GhostOSError
from ghostos.libraries.app_settings import find_secrets, get_file_version, load_app_settings
from ghostos.libraries.workspace_log import hide_in_logs

__all__ = ["LiveSettings"]


class LiveSettings:
    """The settings, keys and options that count now. Any thread may ask; a look costs two `stat`s.

    Args:
        workspace: Whose files are read.
        environment: The process's own variables, as they were at its start; they go before the workspace's `.env`.
        model: What the user named with `--model`.
        confinement: What the user named with `--sandbox`, `--allow-...` and `-A`.

    Raises:
        ConfigError: A file cannot be read or does not say what it must.
        NewerFormatError: A newer version wrote the settings.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        environment: Mapping[str, str],
        model: str | None = None,
        confinement: Confinement | None = None,
    ) -> None:
        self.workspace = workspace
        self._environment = dict(environment)
        self._model = model
        self._confinement = confinement
        self._lock = threading.Lock()
        self._secrets: tuple[str, ...] = ()
        self._version = self._look()
        self._app = self._load()

    @property
    def secrets(self) -> Sequence[str]:
        """What belongs in no log and no record, the longest first.

        A key that was replaced is among them: a round that has begun may use it still.
        """
        _ = self.current
        return self._secrets

    @property
    def current(self) -> AppSettings:
        """The latest that could be read: what a round has begun goes on with that while a user mends a file.

        The next round asks for its model, which says what is wrong.
        """
        with suppress(GhostOSError):
            return self.read()
        return self._app

    def is_in_environment(self, name: str) -> bool:
        """Whether the process's own environment has a variable, if only an empty one: that goes before `.env`."""
        return name in self._environment

    def read(self) -> AppSettings:
        """Return it as the files are now.

        Raises:
            ConfigError: As when this was made.
            NewerFormatError: Likewise.
        """
        with self._lock:
            version = self._look()  # before they are read: a later one is read again
            if version != self._version:
                self._app = self._load()
                self._version = version
                hide_in_logs(self._secrets)
            return self._app

    def _look(self) -> tuple[tuple[int, ...], ...]:
        return tuple(get_file_version(path) for path in (self.workspace.config_file, self.workspace.env_file))

    def _load(self) -> AppSettings:
        app = load_app_settings(
            self.workspace, environment=self._environment, model=self._model, confinement=self._confinement
        )
        self._secrets = tuple(sorted({*self._secrets, *find_secrets(app)}, key=len, reverse=True))
        return app
