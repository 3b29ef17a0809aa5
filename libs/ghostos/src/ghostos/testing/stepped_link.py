"""A radio without a process, for tests: time goes by for the driver and its ball at once, step by step."""

from collections.abc import Callable, Sequence

from ghostos.prototypes.spherogpt.bolt._course import Feeling
from ghostos.prototypes.spherogpt.bolt._physics import STEP_S
from ghostos.prototypes.spherogpt.bolt._radio import Radio
from ghostos.prototypes.spherogpt.bolt._radio_adapter import write_packet
from ghostos.prototypes.spherogpt.bolt._radio_codec import READS_FROM
from ghostos.prototypes.spherogpt.bolt._radio_words import Failure, Felt, Wanted
from ghostos.testing.fake_bolt import FakeBolt, FakeBoltGoneError

__all__ = ["SteppedLink"]


class SteppedLink:
    """See `RadioLink`. The same calls send the same packets at the same times.

    Args:
        ball: What is driven.
    """

    def __init__(self, ball: FakeBolt) -> None:
        self._ball = ball
        self._adapter = ball.adapters(ball.name)
        self._radio = Radio(lambda packet: write_packet(self._adapter, packet))
        self._adapter.set_callback(READS_FROM, lambda _, data: self._radio.hear(bytes(data)))
        self._failure: Failure | None = None
        while not self._radio.is_ready:
            self.send(Wanted())

    def send(self, wanted: Wanted) -> None:
        """Have the ball do that, for one step."""
        try:
            self._radio.want(wanted)
            while self._radio.send_due(self._ball.now + STEP_S / 2):
                pass
            self._failure = None
        except FakeBoltGoneError as exc:
            self._failure = Failure(happened=f"The radio of the ball was lost: {exc}.", advice="Bring it nearer.")
        self._ball.advance()

    def felt(self) -> Felt:
        """See `RadioLink`."""
        felt = self._radio.felt
        return felt if self.find_failure() is None else felt.model_copy(update={"vx": 0.0, "vy": 0.0})

    def take_feelings(self) -> Sequence[Feeling]:
        """See `RadioLink`."""
        feelings, self._radio.feelings = self._radio.feelings, []
        return feelings

    def find_failure(self) -> Failure | None:
        """See `RadioLink`."""
        if self._failure is None or self._ball.is_reached:
            return None
        return self._failure

    def watch(self, watcher: Callable[[], object]) -> None:
        """See `RadioLink`: who drives it looks at each step anyway."""

    def close(self) -> None:
        """See `RadioLink`."""
        if self._ball.is_reached:
            self._radio.stop(self._ball.now)
            self._radio.sleep()
        self._adapter.close()
