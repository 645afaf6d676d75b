"""Writes tiny ONNX models byte by byte, so that tests and the shipped probe need no `onnx` package."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

CODES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "float16": 10}
Value = int | float | str | Sequence[int]


def _varint(value: int) -> bytes:
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field_number: int, value: int) -> bytes:
    return _varint(field_number << 3) + _varint(value)


def block(field_number: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return _varint(field_number << 3 | 2) + _varint(len(raw)) + raw


def tensor(name: str, array: npt.NDArray, *, external: bool = False) -> bytes:
    dims = b"".join(number(1, size) for size in array.shape)
    raw = dims + number(2, CODES[str(array.dtype)]) + block(8, name)
    if external:
        return raw + block(13, block(1, "location") + block(2, "weights.bin")) + number(14, 1)
    return raw + block(9, np.ascontiguousarray(array).tobytes())


def info(name: str, dtype: str, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(block(1, block(2, size) if isinstance(size, str) else number(1, size)) for size in shape)
    return block(1, name) + block(2, block(1, number(1, CODES[dtype]) + block(2, dims)))


def attribute(name: str, value: Value) -> bytes:
    if isinstance(value, str):
        return block(1, name) + block(4, value) + number(20, 3)
    if isinstance(value, float):
        return block(1, name) + _varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, 1)
    if isinstance(value, int):
        return block(1, name) + number(3, value) + number(20, 2)
    return block(1, name) + b"".join(number(8, item) for item in value) + number(20, 7)


def node(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Value) -> bytes:
    raw = b"".join(block(1, item) for item in inputs) + b"".join(block(2, item) for item in outputs)
    return raw + block(4, kind) + b"".join(block(5, attribute(name, value)) for name, value in attributes.items())


@dataclass
class Net:
    """A model under construction."""

    inputs: Sequence[tuple[str, str, Sequence[int | str]]]
    outputs: Sequence[tuple[str, str, Sequence[int | str]]]
    nodes: Sequence[bytes]
    weights: Mapping[str, npt.NDArray] = field(default_factory=dict)
    opset: int = 17
    external: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)

    def bytes(self) -> bytes:
        graph = b"".join(block(1, item) for item in self.nodes) + block(2, "graph")
        graph += b"".join(block(5, tensor(n, a, external=self.external)) for n, a in self.weights.items())
        graph += b"".join(block(11, info(*item)) for item in self.inputs)
        graph += b"".join(block(12, info(*item)) for item in self.outputs)
        raw = number(1, 8) + block(2, "adas") + block(7, graph) + block(8, block(1, "") + number(2, self.opset))
        return raw + b"".join(block(14, block(1, name) + block(2, text)) for name, text in self.notes.items())


def constant_net(outputs: Mapping[str, npt.NDArray], *, shape: Sequence[int], dtype: str = "float32") -> bytes:
    """A model that puts out what is given, whatever it sees: its input counts with weight zero."""
    nodes, weights = [], {}
    nodes.append(node("Cast", ["images"], ["as_float"], to=1))
    nodes.append(node("ReduceMax", ["as_float"], ["most"], keepdims=0))
    weights["zero"] = np.float32(0.0).reshape(())
    nodes.append(node("Mul", ["most", "zero"], ["nothing"]))
    infos = []
    for index, (name, array) in enumerate(outputs.items()):
        weights[f"w{index}"] = array
        if array.dtype == np.float32:
            nodes.append(node("Add", [f"w{index}", "nothing"], [name]))
        else:
            nodes.append(node("Cast", ["nothing"], [f"n{index}"], to=CODES[str(array.dtype)]))
            nodes.append(node("Add", [f"w{index}", f"n{index}"], [name]))
        infos.append((name, str(array.dtype), array.shape))
    return Net([("images", dtype, shape)], infos, nodes, weights).bytes()


def identity_net(shape: Sequence[int], dtype: str = "float32") -> bytes:
    """A model that puts out its input."""
    return Net([("images", dtype, shape)], [("seen", dtype, shape)], [node("Identity", ["images"], ["seen"])]).bytes()


def probe_net() -> bytes:
    """The model that ships as `probe`: three convolutions with weights drawn from a hash."""
    import hashlib

    def weights(name: str, *shape: int) -> npt.NDArray:
        count = int(np.prod(shape))
        drawn = np.frombuffer(hashlib.shake_256(name.encode()).digest(count), dtype=np.uint8)
        scale = 2.0 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.1
        return ((drawn.astype(np.float32) - 127.5) / 127.5 * scale).astype(np.float32).reshape(shape)

    return Net(
        [("images", "float32", (1, 3, 64, 64))],
        [("seen", "float32", (1, 3, 16, 16))],
        [
            node("Conv", ["images", "w1", "b1"], ["c1"], kernel_shape=(3, 3), pads=(1, 1, 1, 1), strides=(2, 2)),
            node("Relu", ["c1"], ["r1"]),
            node("Conv", ["r1", "w2", "b2"], ["c2"], kernel_shape=(3, 3), pads=(1, 1, 1, 1), strides=(2, 2)),
            node("Relu", ["c2"], ["r2"]),
            node("Conv", ["r2", "w3", "b3"], ["seen"], kernel_shape=(1, 1)),
        ],
        {
            "w1": weights("w1", 8, 3, 3, 3),
            "b1": weights("b1", 8),
            "w2": weights("w2", 8, 8, 3, 3),
            "b2": weights("b2", 8),
            "w3": weights("w3", 3, 8, 1, 1),
            "b3": weights("b3", 3),
        },
    ).bytes()
