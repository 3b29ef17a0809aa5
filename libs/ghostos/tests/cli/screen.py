"""A terminal of a test's own: a command runs on it, and what a person would see there is read from its screen."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import pyte


class Screen:
    """A command on a terminal, as its screen shows it.

    Args:
        shell: Where the command is started.
        words: What it is told.
        columns, lines: The terminal's size.
        variables: Beside those of the shell.
    """

    def __init__(self, shell, *words, columns=80, lines=36, variables=None):
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(shell.folder)
            command = shell.command(*words)
            environment = {**shell.variables, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(variables or {})}
            time.sleep(0.2)  # until the terminal has its size
            os.execve(command[0], command, environment)  # noqa: S606 - the child of a fork
        self._screen = pyte.HistoryScreen(columns, lines, history=1000)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self._is_over = False
        self._set_size(columns, lines)

    @property
    def rows(self):
        """What is on the screen, without trailing blanks."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self):
        return "\n".join(self.rows)

    @property
    def history(self):
        """What has scrolled away above the screen."""
        rows = self._screen.history.top
        return ["".join(row[at].data for at in range(self._screen.columns)).rstrip() for row in rows]

    @property
    def margins(self):
        """The rows that scroll, counted from 0; None where all do."""
        return self._screen.margins

    @property
    def cursor(self):
        """Row and column."""
        return self._screen.cursor.y, self._screen.cursor.x

    def background(self, row, column):
        return self._screen.buffer[row][column].bg

    def resize(self, columns, lines):
        self._screen.resize(lines, columns)
        self._screen.set_margins()  # as terminals do
        self._set_size(columns, lines)
        os.kill(self.pid, signal.SIGWINCH)

    def type(self, text):
        os.write(self._fd, text.encode())

    def see(self, wanted, *, timeout_s=30):
        """Wait until the screen shows a text, or a function of this screen says yes."""
        give_up_at = time.monotonic() + timeout_s
        while not (wanted(self) if callable(wanted) else wanted in self.text):
            if time.monotonic() > give_up_at or not self._read():
                raise AssertionError(f"{wanted!r} was not seen on:\n{self.text}")

    def settle(self, *, seconds=0.5):
        """Take in what comes for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._read(timeout_s=0.05):
            pass

    def wait(self):
        """Return the command's exit status once it has ended; what it wrote is on the screen."""
        give_up_at = time.monotonic() + 30
        while self._read():
            assert time.monotonic() < give_up_at, f"it has not ended:\n{self.text}"
        self._is_over = True
        os.close(self._fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def end(self):
        """End the command, if it has not ended."""
        if not self._is_over:
            os.kill(self.pid, signal.SIGKILL)
            os.close(self._fd)
            os.waitpid(self.pid, 0)

    def _set_size(self, columns, lines):
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self, *, timeout_s=1.0):
        if select.select([self._fd], [], [], timeout_s)[0]:
            try:
                data = os.read(self._fd, 65536)
            except OSError:  # the other side has ended
                return False
            self.raw += data
            self._stream.feed(data)
            return bool(data)
        return True
