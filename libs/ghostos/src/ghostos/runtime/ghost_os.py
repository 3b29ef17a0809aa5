"""Makes Matrices, and parks what runs in them when the interpreter exits."""

import atexit
import logging
from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

from ghostos.contracts.matrix import Matrix
from ghostos.runtime.matrix import ContainerMatrix
from ghostos_container import Container, Provider

_logger = logging.getLogger(__name__)


class ContainerGhostOS:
    """The agent OS over one application container; see `ghostos.abcd.GhostOS`."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._matrices: WeakSet[ContainerMatrix] = WeakSet()
        self._closes_at_exit = False

    @property
    def container(self) -> Container:
        return self._container

    def create_matrix(self, name: str, *, providers: Iterable[Provider[Any]] = ()) -> Matrix:
        matrix = ContainerMatrix(name, app=self._container, providers=providers)
        self._matrices.add(matrix)
        if not self._closes_at_exit:
            self._closes_at_exit = True
            atexit.register(self.close)
        return matrix

    def close(self) -> None:
        """Close every Matrix that is still open, whatever another one raises."""
        for matrix in list(self._matrices):
            try:
                matrix.close()
            except Exception:
                _logger.exception("the Matrix %s did not close in order", matrix.name)
