"""An assistant in sales: you look things up, keep records, and prepare what your colleague decides."""

# <moss-hide>
# pyright: reportUnusedImport=false
# </moss-hide>
from benchmarks.moss.sets.crm import Channel, Crm, Item, Money, Stage

from ghostos_moss import Moss as Parent


# <moss-hide>
from benchmarks.moss.sets.crm_simulator import SimulatedCrm
from ghostos_moss import MossCompiler


def __moss_compile__(compiler: MossCompiler) -> None:
    compiler.bind(Crm, SimulatedCrm())


# </moss-hide>
class Moss(Parent):
    crm: Crm
    """customers, deals, appointments"""

    reminders: list[str] = []
    """what your colleague asked to be reminded of"""
