"""Weights to the file that ships: fixed shapes, the layout of `yolov8`, scores made frequencies (docs/objects.md).

python -m training.objects.export out/detector.pt --out out/detector.onnx --slope 1 1 1 --shift 0 0 0 --most 1 1 1
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.objects.nets import Detector, Shipped
from training.objects.shapes import CLASSES

ROWS, COLUMNS = 480, 800  # the largest that one thread looks at in 25 ms


def export(
    weights: Path,
    path: Path,
    *,
    slope: list[float],
    shift: list[float],
    most: list[float],
    rows: int = ROWS,
    columns: int = COLUMNS,
) -> None:
    """Write the file.

    Args:
        weights: Of a `Detector`.
        path: Of the ONNX file.
        slope, shift, most: Of each class, see `Shipped`.
        rows, columns: Size of the input, multiples of 32 [px].
    """
    net = Detector()
    net.load_state_dict(torch.load(weights, map_location="cpu"))
    shipped = Shipped(net, rows, columns, slope, shift, most).eval()
    example = torch.rand(1, 3, rows, columns)
    torch.onnx.export(
        shipped, (example,), str(path), input_names=["image"], output_names=["output0"], opset_version=17, dynamo=False
    )
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


def main() -> None:
    """Export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    many = len(CLASSES)
    parser.add_argument("--slope", type=float, nargs=many, default=[1.0] * many)
    parser.add_argument("--shift", type=float, nargs=many, default=[0.0] * many)
    parser.add_argument("--most", type=float, nargs=many, default=[1.0] * many)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--columns", type=int, default=COLUMNS)
    options = parser.parse_args()
    export(
        options.weights,
        options.out,
        slope=options.slope,
        shift=options.shift,
        most=options.most,
        rows=options.rows,
        columns=options.columns,
    )


if __name__ == "__main__":
    main()
