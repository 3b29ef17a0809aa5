"""Reflection: from what a module imports to stubs that a model reads. Works on source where there is one."""

from ghostos_moss._reflect._pieces import Piece, make_piece
from ghostos_moss._reflect._reflection import own_stubs, reflect, visible_imports
from ghostos_moss._reflect._stub import PromptLevel, Stub

__all__ = ["Piece", "PromptLevel", "Stub", "make_piece", "own_stubs", "reflect", "visible_imports"]
