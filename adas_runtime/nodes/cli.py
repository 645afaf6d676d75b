"""`adas driver-camera`: the process that looks at the driver, beside `adas up`."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("driver-camera")(driver_camera)


def driver_camera(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Number or path of the camera, or a film.")],
    market: Annotated[str, typer.Option(help="Market: name or file.")],
    vehicle: Annotated[str, typer.Option(help="Vehicle whose file declares the driver camera: name or file.")],
) -> int:
    """Look at the driver and send his state to the live graph until Ctrl-C; no picture leaves this process."""
    from adas_runtime.nodes.driver_camera import run

    return run(device, market, vehicle)
