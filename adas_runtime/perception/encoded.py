"""Whether an encoded picture is whole, by its bytes alone and without a decoder."""

from __future__ import annotations


def is_cut(raw: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end; decoders would fill it with grey, or complain in words of their own."""
    if raw.startswith(b"\x89PNG"):
        return b"IEND" not in raw[-4096:] and b"IEND" not in raw
    if not raw.startswith(b"\xff\xd8\xff") or raw.endswith(b"\xff\xd9"):
        return False
    at = 2
    while at + 4 <= len(raw):
        if raw[at] != 0xFF:
            return False  # not a segment: the decoder may judge
        marker = raw[at + 1]
        if marker == 0xD9:
            return False
        if marker == 0xFF:
            at += 1
            continue
        at += 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
        if marker != 0xDA:
            continue
        # entropy-coded data: 0xFF is followed by 0 or a restart marker until the next segment
        while True:
            at = raw.find(b"\xff", at)
            if at < 0 or at + 1 >= len(raw):
                return True
            if raw[at + 1] == 0 or 0xD0 <= raw[at + 1] <= 0xD7:
                at += 2
                continue
            break
    return raw[at : at + 2] != b"\xff\xd9"
