"""`python -m ghostos`: the same as the command `ghostos`."""

import sys

from ghostos.cli.main import run

sys.exit(run())
