"""A household robot: you drive it and use its arms for the person who talks to you."""

# <moss-hide>
# pyright: reportUnusedImport=false
# </moss-hide>
from benchmarks.moss.sets.robot import DriveLimits, Gait, Position, Robot, Side
from ghostos_moss import Moss as Parent

# <moss-hide>
from benchmarks.moss.sets.robot_simulator import SimulatedRobot
from ghostos_moss import MossCompiler


def __moss_compile__(compiler: MossCompiler) -> None:
    compiler.bind(Robot, SimulatedRobot())


# </moss-hide>
class Moss(Parent):
    robot: Robot
    """your body"""

    places: dict[str, Position] = {}
    """places that you were told the names of"""
