"""One live graph per ROS domain on a machine: two guards that command one car would be a danger."""

from __future__ import annotations

import os
import socket
import struct
from types import TracebackType

from typing_extensions import Self

from adas_runtime.errors import AdasError


def domain_id() -> int:
    """The ROS domain of this environment.

    Raises:
        AdasError: `ROS_DOMAIN_ID` is no number from 0 to 232.
    """
    text = os.environ.get("ROS_DOMAIN_ID", "").strip() or "0"
    if not text.isdecimal() or int(text) > 232:
        raise AdasError(f"{text!r} is no domain", where="ROS_DOMAIN_ID", mend="set a number from 0 to 101, or unset it")
    return int(text)


class DomainLock:
    """Holds a domain while the `with` block runs; the kernel frees it whatever ends the process.

    An abstract socket instead of a lock file: it leaves nothing behind, needs no folder, and reaches exactly as far as
    DDS on this machine does, the network namespace.

    Raises:
        AdasError: Another live graph holds it.
    """

    def __init__(self, domain: int) -> None:
        self._domain = domain
        self._name = f"\0adas_runtime/up/{domain}"
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            held.bind(self._name)
            held.listen(1)
        except OSError:
            held.close()
            raise AdasError(
                f"a live graph runs already in ROS domain {self._domain}{self._holder()}",
                where="adas up",
                mend="stop it, or take another ROS_DOMAIN_ID",
            ) from None
        self._socket = held
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()

    def _holder(self) -> str:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.settimeout(0.2)
                probe.connect(self._name)
                raw = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            except OSError:
                return ""
        return f" (process {struct.unpack('3i', raw)[0]})"


def free_domain(candidates: range = range(60, 100)) -> int:
    """A domain that no live graph of this machine holds, for a demo that must not meet anything else.

    Raises:
        AdasError: All are taken.
    """
    for domain in candidates:
        try:
            with DomainLock(domain):
                return domain
        except AdasError:
            continue
    raise AdasError("every ROS domain that a demo takes is in use", where="adas demo", mend="stop another live graph")
