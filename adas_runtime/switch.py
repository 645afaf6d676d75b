"""A function's own button: on at every start, off by two presses, never by one (GSR2 7(4)(a) and (b))."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

MUTE_BUTTON: Final = "mute"  # takes the sound away and nothing else (GSR2 7(4)(c))
OFF_WITHIN_S: Final = 3.0  # the law asks for a sequence of actions: two presses, the second within this time [D]
OFF_APART_S: Final = 0.2  # presses nearer to each other are one press of a worn contact [D]


@dataclass(frozen=True, slots=True)
class Switch:
    """What the driver set; the defaults hold at every start.

    Args:
        pressed: Buttons that were down in the last driver input.
        pressed_s: When the button was pressed first, `None` when that led to nothing.
        is_off: The function is switched off.
        is_muted: It makes no sound; nothing else changes.
    """

    pressed: tuple[str, ...] = ()
    pressed_s: float | None = None
    is_off: bool = False
    is_muted: bool = False

    def after(self, pressed: tuple[str, ...], now_s: float, button: str) -> Switch:
        """What is set when these buttons are down, for a function whose button is `button`."""
        pressed_s, is_off, is_muted = self.pressed_s, self.is_off, self.is_muted
        if MUTE_BUTTON in pressed and MUTE_BUTTON not in self.pressed:
            is_muted = not is_muted
        if button in pressed and button not in self.pressed:
            since_s = math.inf if pressed_s is None else now_s - pressed_s
            if is_off:
                is_off, pressed_s = False, now_s
            elif OFF_APART_S <= since_s <= OFF_WITHIN_S:
                is_off, pressed_s = True, None
            elif since_s > OFF_WITHIN_S:
                pressed_s = now_s
        return Switch(pressed, pressed_s, is_off, is_muted)

    def started(self) -> Switch:
        """A new start of the vehicle: in force again (GSR2 7(4)(b)); what is still held down is no new press."""
        return Switch(self.pressed)


FRESH: Final = Switch()
