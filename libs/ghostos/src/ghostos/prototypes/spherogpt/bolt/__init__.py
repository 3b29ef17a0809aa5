"""A Sphero BOLT: contracts to drive it by, a simulated one, and a real one, which alone needs a radio."""

from ghostos.prototypes.spherogpt.bolt._contracts import Animation, Ball, LedMatrix, Move, RollFunc, Sensors
from ghostos.prototypes.spherogpt.bolt._physics import Arena, Box, Noise
from ghostos.prototypes.spherogpt.bolt._radio_platform import RealBolt, real_bolt
from ghostos.prototypes.spherogpt.bolt._simulator import SimulatedBolt, simulated_bolt
from ghostos.prototypes.spherogpt.bolt._skills import Skills, kept_in_workspace

__all__ = [
    "Animation",
    "Arena",
    "Ball",
    "Box",
    "LedMatrix",
    "Move",
    "Noise",
    "RealBolt",
    "RollFunc",
    "Sensors",
    "SimulatedBolt",
    "Skills",
    "kept_in_workspace",
    "real_bolt",
    "simulated_bolt",
]
