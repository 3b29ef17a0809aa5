"""Things to reflect, one of each kind."""

from gallery.shapes import Ball
from gallery.tools import area as surface

__all__ = ["Ball", "surface"]
