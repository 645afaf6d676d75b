"""Reading what an ONNX file says of itself: right for real ones, harmless for anything else."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx_writer import Net, block, constant_net, identity_net, node, number, probe_net, tensor

from adas_runtime.perception.models.onnx_file import OnnxError, read_onnx

NETS = {
    "probe": probe_net(),
    "identity": identity_net((1, 8, 8, 3), "uint8"),
    "constant": constant_net(
        {"a": np.ones((1, 3), np.float32), "b": np.ones((1, 2), np.int64)}, shape=(1, 3, 4, 4), dtype="float16"
    ),
}


@pytest.mark.parametrize("name", NETS)
def test_it_reads_what_the_onnx_package_reads(name: str) -> None:
    onnx = pytest.importorskip("onnx", reason="the development environment has it: run script/bootstrap")
    model = onnx.load_model_from_string(NETS[name])
    onnx.checker.check_model(model, full_check=True)
    found = read_onnx(NETS[name])
    assert found.opset == model.opset_import[0].version
    for mine, theirs in ((found.inputs, model.graph.input), (found.outputs, model.graph.output)):
        assert [(item.name, item.shape) for item in mine] == [
            (item.name, tuple(dim.dim_value for dim in item.type.tensor_type.shape.dim)) for item in theirs
        ]
        assert [item.dtype for item in mine] == [
            str(onnx.helper.tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type)) for item in theirs
        ]
    assert found.node_types == {node.op_type for node in model.graph.node}


def test_weights_elsewhere_are_found_in_nodes_and_branches_too() -> None:
    outside = tensor("w", np.zeros((1,), np.float32), external=True)
    constant = node("Constant", [], ["w"]) + block(5, block(1, "value") + block(5, outside) + number(20, 4))
    branch = node("If", ["yes"], ["w"]) + block(5, block(1, "then_branch") + block(6, block(1, constant)))
    inside = tensor("w", np.zeros((1,), np.float32))
    harmless = node("Constant", [], ["w"]) + block(5, block(1, "value") + block(5, inside) + number(20, 4))
    for last, is_outside in ((constant, True), (branch, True), (harmless, False)):
        net = Net([("images", "float32", (1,))], [("w", "float32", (1,))], [last])
        assert read_onnx(net.bytes()).has_external_weights is is_outside


@given(st.binary(max_size=400))
def test_any_bytes_are_a_model_or_a_plain_refusal(raw: bytes) -> None:
    with contextlib.suppress(OnnxError):  # any other exception fails the test
        read_onnx(raw)


@given(st.data())
def test_a_damaged_model_is_a_model_or_a_plain_refusal(data: st.DataObject) -> None:
    raw = bytearray(NETS["identity"])
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    with contextlib.suppress(OnnxError):
        read_onnx(cut)
