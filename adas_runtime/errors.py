"""The errors that a user can mend: what is wrong, where, and what to do, in one line."""

from __future__ import annotations


class AdasError(Exception):
    """A wrong input, configuration or wiring, told in one line.

    Args:
        what: What is wrong, with the offending value.
        where: File, file:line, topic or option that holds it; empty where there is none.
        mend: What the user does about it; empty only where nothing can be done.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what = what
        self.where = where
        self.mend = mend
        super().__init__(self.line())

    def line(self) -> str:
        """The whole message on one line: `where: what: mend`."""
        text = ": ".join(part for part in (self.where, self.what) if part)
        if self.mend:
            text = f"{text}; {self.mend}"
        # names come from files and senders: what would steer a terminal, or could not be printed, is spelt out
        return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in " ".join(text.split()))


class ConfigError(AdasError):
    """A market, vehicle, model or input-map file that cannot be used."""


class WiringError(AdasError):
    """A graph that cannot be built: an input without a producer, a name used twice."""


class BagError(AdasError):
    """A recording that cannot be read or written."""


class SignalError(AdasError):
    """A value refused at the border: not finite, out of bounds, unknown enum value, too long."""
