"""A robot on an empty floor with a few things on it, in memory."""

# To pyright, pydantic's Field(default) is no default.
# pyright: reportCallIssue=false
import math

from benchmarks.moss.sets.robot import (
    Battery,
    DriveLimits,
    DriveReport,
    GripReport,
    Health,
    Pose,
    Position,
    Robot,
    Side,
    Sighting,
    Status,
)

_THINGS = (("s1", "cup", 2.0, 0.0), ("s2", "cup", 0.5, 3.0), ("s3", "ball", 1.0, 1.0))
_CERTAINTY = 0.9
_REACH_M = 0.8
_HAND_M = 0.1
_SOUTH = (90, 270)


class SimulatedRobot(Robot):
    """Moves at once; time is counted, not spent."""

    def __init__(self) -> None:
        self.pose = Pose(position=Position(), heading=0)
        self.limits = DriveLimits()
        self.labels = {key: label for key, label, _, _ in _THINGS}
        self.places = {key: Position(x=x, y=y) for key, _, x, y in _THINGS}
        self.held: dict[Side, str] = {}
        self.arms: dict[Side, Position] = {}
        self.said: list[str] = []
        self.is_charging = False

    def get_status(self) -> Status:
        battery = Battery(percent=80, minutes_left=95, is_charging=self.is_charging)
        return Status(health=Health.OK, battery=battery, pose=self.pose)

    def get_pose(self) -> Pose:
        return self.pose

    def drive_to(self, target: Position, limits: DriveLimits | None = None) -> DriveReport:
        here = self.pose.position
        distance = math.hypot(target.x - here.x, target.y - here.y)
        heading = (
            math.degrees(math.atan2(target.x - here.x, target.y - here.y)) % 360 if distance else self.pose.heading
        )
        self.pose = Pose(position=target, heading=heading)
        self.is_charging = False
        speed = (limits or self.limits).max_speed
        return DriveReport(pose=self.pose, distance=distance, seconds=distance / speed)

    def drive_by(self, distance: float, heading: float | None = None) -> DriveReport:
        angle = math.radians(self.pose.heading if heading is None else heading)
        here = self.pose.position
        report = self.drive_to(Position(x=here.x + distance * math.sin(angle), y=here.y + distance * math.cos(angle)))
        self.pose = Pose(position=self.pose.position, heading=math.degrees(angle) % 360)
        return report.model_copy(update={"pose": self.pose, "distance": abs(distance)})

    def turn(self, degrees: float) -> Pose:
        self.pose = Pose(position=self.pose.position, heading=(self.pose.heading + degrees) % 360)
        return self.pose

    def stop(self) -> Pose:
        return self.pose

    def set_limits(self, limits: DriveLimits) -> None:
        self.limits = limits

    def look(self, label: str | None = None, min_confidence: float = 0.5) -> list[Sighting]:
        here = self.pose.position
        seen = [
            Sighting(id=key, label=self.labels[key], position=place, confidence=_CERTAINTY)
            for key, place in self.places.items()
            if label in (None, self.labels[key]) and key not in self.held.values() and min_confidence <= _CERTAINTY
        ]
        return sorted(seen, key=lambda each: math.hypot(each.position.x - here.x, each.position.y - here.y))

    def track(self, sighting_id: str, seconds: float = 5.0) -> list[Position]:
        return [self.places[sighting_id]] * int(seconds)

    def reach(self, target: Position, height: float, side: Side = Side.RIGHT) -> bool:
        here = self.pose.position
        is_near = math.hypot(target.x - here.x, target.y - here.y) <= _REACH_M
        if is_near:
            self.arms[side] = target
        return is_near

    def grip(self, force: float = 10.0, side: Side = Side.RIGHT) -> GripReport:
        hand = self.arms.get(side)
        for key, place in self.places.items():
            if hand is not None and math.hypot(place.x - hand.x, place.y - hand.y) < _HAND_M:
                self.held[side] = key
                return GripReport(holds=True, force=force, label=self.labels[key])
        return GripReport(holds=False)

    def release(self, side: Side = Side.RIGHT) -> GripReport:
        key = self.held.pop(side, None)
        if key is not None:
            self.places[key] = self.arms.get(side, self.pose.position)
        return GripReport(holds=False)

    def say(self, text: str, volume: int = 50) -> None:
        self.said.append(text)

    def dock(self) -> Battery:
        self.drive_to(Position())
        self.is_charging = True
        return self.get_status().battery

    def measure_distance(self, heading: float) -> float | None:
        return None if _SOUTH[0] <= heading <= _SOUTH[1] else 4.0
