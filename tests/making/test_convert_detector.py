"""The converter's operations on a small graph of every kind it knows, against torch."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper

from workbench.errors import InputError
from workbench.making.convert_detector import OnnxWriter, convert
from workbench.making.tfjs_graph import read_graph

RNG = np.random.default_rng(0)
CONSTANTS: dict[str, Any] = {
    "w1": RNG.standard_normal((3, 3, 3, 4)),
    "b1": RNG.standard_normal(4),
    "wd": RNG.standard_normal((3, 3, 4, 1)),
    "gamma": RNG.random(4) + 0.5,
    "beta": RNG.standard_normal(4),
    "mean": RNG.standard_normal(4),
    "variance": RNG.random(4) + 0.1,
    "w2": RNG.standard_normal((1, 1, 4, 4)),
    "b2": RNG.standard_normal(4),
    "scale": RNG.random(4),
}


def attribute(**values: Any) -> dict[str, Any]:
    kinds = {
        list: lambda v: {"list": {"i": [str(x) for x in v]}},
        str: lambda v: {"s": base64.b64encode(v.encode()).decode()},
    }
    return {k: kinds[type(v)](v) if type(v) in kinds else {"f": v} for k, v in values.items()}


def model(folder: Path) -> Path:
    """x -> conv stride 2 -> + b1 -> relu6 -> depthwise -> batch norm -> relu6 -> 1x1 conv, scale,
    residual, + b2.
    """
    conv = attribute(strides=[1, 1, 1, 1], dilations=[1, 1, 1, 1], padding="SAME")
    two = attribute(strides=[1, 2, 2, 1], dilations=[1, 1, 1, 1], padding="SAME")
    nodes = [
        {"name": "x", "op": "Placeholder"},
        *({"name": name, "op": "Const"} for name in CONSTANTS),
        {"name": "c1", "op": "Conv2D", "input": ["x", "w1"], "attr": two},
        {"name": "a1", "op": "Add", "input": ["c1", "b1"]},
        {"name": "r1", "op": "Relu6", "input": ["a1"]},
        {"name": "d", "op": "DepthwiseConv2dNative", "input": ["r1", "wd"], "attr": conv},
        {
            "name": "n",
            "op": "FusedBatchNorm",
            "input": ["d", "gamma", "beta", "mean", "variance"],
            "attr": attribute(epsilon=0.001),
        },
        {"name": "r2", "op": "Relu6", "input": ["n"]},
        {"name": "c2", "op": "Conv2D", "input": ["r2", "w2"], "attr": conv},
        {"name": "m", "op": "Mul", "input": ["c2", "scale"]},
        {"name": "s", "op": "AddN", "input": ["m", "r1"]},
        {"name": "y", "op": "Add", "input": ["b2", "s"]},
    ]
    weights = [
        {"name": k, "shape": list(v.shape), "dtype": "float32"} for k, v in CONSTANTS.items()
    ]
    data = b"".join(v.astype(np.float32).tobytes() for v in CONSTANTS.values())
    (folder / "part1").write_bytes(data[:100])
    (folder / "part2").write_bytes(data[100:])
    manifest = [{"paths": ["part1", "part2"], "weights": weights}]
    path = folder / "model.json"
    path.write_text(json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": manifest}))
    return path


def reference(x: Any) -> Any:
    c = {k: torch.tensor(v, dtype=torch.float32) for k, v in CONSTANTS.items()}

    def first(name: str) -> Any:
        return c[name][None, :, None, None]

    # TensorFlow's SAME puts the odd row and column of padding behind: 8 cells at stride 2 need one
    y = F.conv2d(F.pad(x, (0, 1, 0, 1)), c["w1"].permute(3, 2, 0, 1), stride=2)
    r1 = F.relu6(y + first("b1"))
    d = F.conv2d(r1, c["wd"].permute(2, 3, 0, 1), padding=1, groups=4)
    n = (d - first("mean")) / torch.sqrt(first("variance") + 0.001) * first("gamma") + first("beta")
    return F.conv2d(F.relu6(n), c["w2"].permute(3, 2, 0, 1)) * first("scale") + r1 + first("b2")


def test_every_operation_equals_torch_for_any_batch(tmp_path: Path) -> None:
    writer = OnnxWriter(read_graph(model(tmp_path)))
    writer.done["x"] = "x", 8
    name, side = writer.tensor("y")
    assert side == 4
    graph = helper.make_graph(
        writer.nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4, 4, 4])],
        writer.weights,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    session = onnxruntime.InferenceSession(
        made.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for batch in (1, 3):
        x = torch.randn(batch, 3, 8, 8, generator=torch.Generator().manual_seed(batch))
        np.testing.assert_allclose(
            session.run(None, {"x": x.numpy()})[0], reference(x).numpy(), atol=1e-4
        )


def test_quantised_weights_are_scaled_back(tmp_path: Path) -> None:
    (tmp_path / "bin").write_bytes(bytes([0, 128, 255]))
    quantised = {
        "name": "w",
        "shape": [3],
        "dtype": "float32",
        "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0},
    }
    path = tmp_path / "model.json"
    path.write_text(
        json.dumps(
            {
                "modelTopology": {"node": []},
                "weightsManifest": [{"paths": ["bin"], "weights": [quantised]}],
            }
        )
    )
    assert read_graph(path).constants["w"].tolist() == [-1.0, 63.0, 126.5]


def test_shards_are_read_beside_the_model_only(tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_bytes(b"\0" * 4)
    folder = tmp_path / "model"
    folder.mkdir()
    manifest = [
        {"paths": ["../secret"], "weights": [{"name": "w", "shape": [1], "dtype": "float32"}]}
    ]
    (folder / "model.json").write_text(
        json.dumps({"modelTopology": {"node": []}, "weightsManifest": manifest})
    )
    with pytest.raises(InputError, match="secret"):
        read_graph(folder / "model.json")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a TensorFlow.js"),
        ("[]", "not a TensorFlow.js"),
        ('{"modelTopology": {}}', "not a TensorFlow.js"),
    ],
)
def test_other_files_are_input_errors(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(InputError, match=reason):
        read_graph(path)


def test_another_model_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another model"):
        convert(model(tmp_path), tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_a_truncated_shard_is_named(tmp_path: Path) -> None:
    path = model(tmp_path)
    (tmp_path / "part2").write_bytes(b"")
    with pytest.raises(InputError, match="end before"):
        read_graph(path)
