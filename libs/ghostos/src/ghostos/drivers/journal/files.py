"""Journals as files: one per round, one line of JSON per record, one write per line.

A line is `{"start": message}`, `{"complete": message}` or `{"seq": n, "text": "…"}`. It is in the kernel's hands when a
method returns, so it outlives the process, not a power cut: what must outlive that is committed.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from ghostos.contracts.journal import JournalRecord
from ghostos.core.message import Message, decode_message, encode_message
from ghostos.drivers.failures import translate_os_error
from ghostos.drivers.texts import replace_surrogates
from ghostos.errors import WorkspaceError

__all__ = ["FileJournals", "FileRoundJournal"]
