"""Questions to the DNS for TXT records, and what comes back (RFC 1035, section 4). Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass

TXT, INTERNET = 16, 1
NO_SUCH_NAME = 3
# A question, with recursion wanted.
HEAD = struct.pack(">6H", 0x4D53, 0x0100, 1, 0, 0, 0)


@dataclass(frozen=True)
class Texts:
    """TXT records of a name, each with its parts joined. `exists`: there is that name, or one below it."""

    values: tuple[str, ...] = ()
    exists: bool = True


def message_about(name: str) -> str:
    """The question for the TXT records of a name, as it goes over TCP, in hexadecimal."""
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split(".") if label)
    message = HEAD + labels + b"\0" + struct.pack(">2H", TXT, INTERNET)
    return (struct.pack(">H", len(message)) + message).hex()


def understood(hexadecimal: str) -> Texts:
    """What an answer says. Raises ValueError where it is none, or where the name server could not tell."""
    message = bytes.fromhex(hexadecimal)
    try:
        _, flags, questions, answers, *_ = struct.unpack_from(">6H", message)
        code = flags & 0xF
        if code not in (0, NO_SUCH_NAME):
            raise ValueError(f"the name server answers with code {code}")
        place = struct.calcsize(">6H")
        for _ in range(questions):
            place = _after_name(message, place) + 4
        values = []
        for _ in range(answers):
            place = _after_name(message, place)
            kind, _, _, size = struct.unpack_from(">2HIH", message, place)
            place += struct.calcsize(">2HIH")
            if kind == TXT:
                values.append(_text(message[place : place + size]))
            place += size
    except (IndexError, struct.error) as error:
        raise ValueError("the answer is cut off") from error
    return Texts(tuple(values), exists=code == 0)


def _after_name(message: bytes, place: int) -> int:
    while message[place]:
        # The rest of it stands elsewhere in the message.
        if message[place] >= 0xC0:
            return place + 2
        place += message[place] + 1
    return place + 1


def _text(data: bytes) -> str:
    parts = []
    while data:
        parts.append(data[1 : data[0] + 1])
        data = data[data[0] + 1 :]
    return b"".join(parts).decode(errors="replace")
