"""A wheeled robot with an arm and a camera, as an agent uses it."""

from abc import ABC, abstractmethod
from enum import Enum

from pydantic import BaseModel, Field


class Gait(Enum):
    """How the robot drives."""

    CAREFUL = "careful"
    NORMAL = "normal"
    FAST = "fast"


class Side(Enum):
    LEFT = "left"
    RIGHT = "right"


class Health(Enum):
    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Position(BaseModel):
    """A place on the floor. The charger is the origin."""

    x: float = Field(0.0, description="Metres to the east.")
    y: float = Field(0.0, description="Metres to the north.")


class Pose(BaseModel):
    """Where the robot is and where it looks."""

    position: Position
    heading: float = Field(0.0, ge=0, lt=360, description="Degrees clockwise from north.")


class DriveLimits(BaseModel):
    max_speed: float = Field(0.5, gt=0, le=1.5, description="Metres per second.")
    min_distance: float = Field(0.3, description="Metres to keep from obstacles.")
    gait: Gait = Gait.NORMAL


class DriveReport(BaseModel):
    """What a drive came to."""

    pose: Pose
    distance: float = Field(description="Metres driven, not as the crow flies.")
    seconds: float
    was_blocked: bool = Field(False, description="An obstacle ended the drive early.")


class Sighting(BaseModel):
    """A thing that the camera sees."""

    id: str = Field(description="Stays the same while the thing is in view.")
    label: str
    position: Position
    confidence: float = Field(ge=0, le=1)


class GripReport(BaseModel):
    holds: bool
    force: float = Field(0.0, description="Newtons, measured.")
    label: str | None = Field(None, description="What is held, if it was recognised.")


class Battery(BaseModel):
    percent: int = Field(ge=0, le=100)
    minutes_left: int
    is_charging: bool = False


class Status(BaseModel):
    """The robot as a whole."""

    health: Health
    battery: Battery
    pose: Pose
    problems: list[str] = Field(default_factory=list, description="In words, the worst first.")


class Robot(ABC):
    """The robot's body. Motions block until they have ended."""

    @abstractmethod
    def get_status(self) -> Status:
        """Everything about the robot at once."""

    @abstractmethod
    def get_pose(self) -> Pose:
        """Where it is now."""

    @abstractmethod
    def drive_to(self, target: Position, limits: DriveLimits | None = None) -> DriveReport:
        """Drive to a place around obstacles.

        Args:
            target: Where to; a place on the floor.
            limits: How to drive. Without them, those of `set_limits`.
        """

    @abstractmethod
    def drive_by(self, distance: float, heading: float | None = None) -> DriveReport:
        """Drive straight ahead, or in a direction.

        Args:
            distance: Metres; negative drives backwards.
            heading: Degrees clockwise from north to turn to first.
        """

    @abstractmethod
    def turn(self, degrees: float) -> Pose:
        """Turn on the spot.

        Args:
            degrees: Clockwise; negative turns left.
        """

    @abstractmethod
    def stop(self) -> Pose:
        """Stop every motion at once."""

    @abstractmethod
    def set_limits(self, limits: DriveLimits) -> None:
        """How to drive from now on."""

    @abstractmethod
    def look(self, label: str | None = None, min_confidence: float = 0.5) -> list[Sighting]:
        """What the camera sees now, the nearest first.

        Args:
            label: Only things of this kind, such as "cup".
            min_confidence: Leave out what is less certain.
        """

    @abstractmethod
    def track(self, sighting_id: str, seconds: float = 5.0) -> list[Position]:
        """Follow a thing with the camera.

        Args:
            sighting_id: The id of a sighting.
            seconds: How long.

        Returns:
            Where it was, once a second.
        """

    @abstractmethod
    def reach(self, target: Position, height: float, side: Side = Side.RIGHT) -> bool:
        """Move an arm to a place.

        Args:
            target: Above the floor; at most 0.8 m from the robot.
            height: Metres above the floor.
            side: Which arm.

        Returns:
            Whether the arm got there.
        """

    @abstractmethod
    def grip(self, force: float = 10.0, side: Side = Side.RIGHT) -> GripReport:
        """Close a hand.

        Args:
            force: Newtons at most; an egg takes 5.
            side: Which hand.
        """

    @abstractmethod
    def release(self, side: Side = Side.RIGHT) -> GripReport:
        """Open a hand."""

    @abstractmethod
    def say(self, text: str, volume: int = 50) -> None:
        """Speak aloud.

        Args:
            text: In any language.
            volume: Percent.
        """

    @abstractmethod
    def dock(self) -> Battery:
        """Drive to the charger and begin to charge."""

    @abstractmethod
    def measure_distance(self, heading: float) -> float | None:
        """Metres to the next obstacle in a direction; None when there is none within 10 m.

        Args:
            heading: Degrees clockwise from north.
        """
