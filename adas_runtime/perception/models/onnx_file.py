"""What an ONNX file says of itself, read without running it: operators' version, inputs, outputs, node types.

A few fields of the protobuf message are enough, so the runtime needs no `onnx` package; onnxruntime does not tell the
operators' version, nor whether weights lie in a file beside the model, which no hash of the model covers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5
# numbers of TensorProto.DataType that a manifest can name
DTYPES: Final = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}
FLOAT16: Final = 10
EXTERNAL: Final = 1  # TensorProto.data_location
DEPTH_MAX: Final = 32


class OnnxError(ValueError):
    """The bytes are no ONNX model."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output; a size that the model leaves open is 0."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxInfo:
    """What the file says.

    Args:
        opset: Version of the standard operators; 0 where it names none.
        domains: Other operator sets that it asks for.
        inputs: Inputs without weights of their own.
        outputs: Outputs.
        node_types: Operators used.
        has_fp16: It holds 16 bit floating point weights.
        has_external_weights: Weights lie in another file.
        notes: What the exporter wrote into it, such as the names of the classes.
    """

    opset: int
    domains: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    node_types: frozenset[str]
    has_fp16: bool
    has_external_weights: bool
    notes: dict[str, str]


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise OnnxError("is cut off or is no ONNX model")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of a protobuf message.

    Raises:
        OnnxError: The bytes are none.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == BYTES:
            size, at = _varint(data, at)
        elif kind == FIXED64:
            size = 8
        elif kind == FIXED32:
            size = 4
        else:
            raise OnnxError("is cut off or is no ONNX model")
        if size > len(data) - at:
            raise OnnxError("is cut off or is no ONNX model")
        yield number, data[at : at + size]
        at += size


def _messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, value in fields(data):
        if number == wanted and isinstance(value, memoryview):
            yield value


def _number(data: memoryview, wanted: int) -> int:
    found = 0
    for number, value in fields(data):
        if number == wanted and isinstance(value, int):
            found = value
    return found


def _text(data: memoryview, wanted: int) -> str:
    found = ""
    for value in _messages(data, wanted):
        found = bytes(value).decode("utf-8", "replace")
    return found


def _tensor(info: memoryview) -> Tensor:
    dtype, shape = "", []
    for kind in _messages(info, 2):  # ValueInfoProto.type
        for tensor in _messages(kind, 1):  # TypeProto.tensor_type
            code = _number(tensor, 1)
            dtype = DTYPES.get(code, f"type {code}")
            for sizes in _messages(tensor, 2):
                shape += [_number(dim, 1) for dim in _messages(sizes, 1)]
    return Tensor(_text(info, 1), dtype, tuple(shape))


def _leads_outside(graph: memoryview, depth: int = 0) -> bool:
    """Whether a weight of a graph, of a node's own or of a branch of it lies in another file.

    Raises:
        OnnxError: Branches within branches without end.
    """
    if depth > DEPTH_MAX:
        raise OnnxError("holds graphs nested too deeply")
    tensors = list(_messages(graph, 5))
    for node in _messages(graph, 1):
        for attribute in _messages(node, 5):
            tensors += [*_messages(attribute, 5), *_messages(attribute, 10)]
            for branch in (*_messages(attribute, 6), *_messages(attribute, 11)):
                if _leads_outside(branch, depth + 1):
                    return True
    return any(_number(tensor, 14) == EXTERNAL for tensor in tensors)


def read_onnx(raw: bytes) -> OnnxInfo:
    """What the model in these bytes says of itself.

    Raises:
        OnnxError: They are no ONNX model.
    """
    data = memoryview(raw)
    opset, domains = 0, []
    for entry in _messages(data, 8):  # ModelProto.opset_import
        domain = _text(entry, 1)
        if domain in ("", "ai.onnx"):
            opset = _number(entry, 2)
        else:
            domains.append(domain)
    graphs = list(_messages(data, 7))
    if not graphs:
        raise OnnxError("is no ONNX model: it holds no graph")
    graph = graphs[-1]
    weights, has_fp16 = set(), False
    for tensor in _messages(graph, 5):
        weights.add(_text(tensor, 8))
        has_fp16 = has_fp16 or _number(tensor, 2) == FLOAT16
    return OnnxInfo(
        opset=opset,
        domains=tuple(domains),
        inputs=tuple(item for item in map(_tensor, _messages(graph, 11)) if item.name not in weights),
        outputs=tuple(map(_tensor, _messages(graph, 12))),
        node_types=frozenset(_text(node, 4) for node in _messages(graph, 1)),
        has_fp16=has_fp16,
        has_external_weights=_leads_outside(graph),
        notes={_text(entry, 1): _text(entry, 2) for entry in _messages(data, 14)},
    )
