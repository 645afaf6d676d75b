"""`adas models`: list, pull, verify and bench models; make a manifest, and other forms of a model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adas_runtime.errors import AdasError

if TYPE_CHECKING:
    from adas_runtime.perception.models.manifest import Manifest, Precision
    from adas_runtime.perception.models.providers import InferenceParams

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[MODEL]...", help="Names or manifest files; all shipped ones by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result for machines.")]
OfPrecision = Annotated[
    str | None,
    typer.Option("--precision", metavar="FORM", help="fp32, fp16 or int8; what inference.yaml says by default."),
]
OfInference = Annotated[
    Path | None, typer.Option("--inference", metavar="FILE", help="Another inference.yaml, such as that of the car.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    models = typer.Typer(
        name="models",
        help="Neural networks: what each is, where it may run, and the proof of it.",
        no_args_is_help=True,
    )
    models.command("list")(list_)
    models.command("pull")(pull)
    models.command("verify")(verify)
    models.command("bench")(bench)
    models.command("new")(new)
    models.command("convert")(convert)
    app.add_typer(models)


def _manifests(names: list[str] | None) -> list[tuple[Path, Manifest]]:
    from adas_runtime.perception.models.manifest import load_manifest, manifest_path, model_names

    paths = [manifest_path(name) for name in names or model_names()]
    return [(path, load_manifest(path)) for path in paths]


def _precision(text: str | None) -> Precision | None:
    known: dict[str, Precision] = {"fp32": "fp32", "fp16": "fp16", "int8": "int8"}
    if text is not None and text not in known:
        raise typer.BadParameter(f"--precision {text}: take fp32, fp16 or int8")
    return known[text] if text is not None else None


def _params(path: Path | None) -> InferenceParams:
    from adas_runtime.perception.models.providers import load_inference

    return load_inference(path)


def list_(names: Names = None, as_json: AsJson = False) -> int:
    """List models: what they do, where they may run, their forms, and whether their files are here."""
    from adas_runtime.console import print_json, print_table
    from adas_runtime.perception.models.store import model_path

    records: list[dict[str, Any]] = []
    for path, manifest in _manifests(names):
        forms = []
        for precision in manifest.forms.precisions:
            form = manifest.forms.get(precision)
            assert form is not None
            file = model_path(form, path)
            forms.append(
                {
                    "precision": precision,
                    "is_here": file.is_file(),
                    "path": str(file),
                    "url": form.url or "",
                    "size_bytes": form.size_bytes,
                    "sha256": form.sha256,
                }
            )
        records.append(
            {
                "name": manifest.name,
                "title": manifest.title,
                "decoder": manifest.decoder.name,
                "input_px": [manifest.input.width_px, manifest.input.height_px],
                "classes": list(manifest.classes),
                "markets": list(manifest.markets),
                "licence": manifest.licence,
                "trained": {"regions": list(manifest.training.regions), "date": manifest.training.date.isoformat()},
                "forms": forms,
            }
        )
    if as_json:
        print_json(records)
        return 0
    rows = [
        (
            item["name"],
            item["decoder"],
            "x".join(map(str, item["input_px"])),
            ", ".join(f"{form['precision']} {'here' if form['is_here'] else 'to pull'}" for form in item["forms"]),
            ", ".join(item["markets"]),
            f"{', '.join(item['trained']['regions'])} {item['trained']['date']}",
            item["licence"],
            item["title"],
        )
        for item in records
    ]
    print_table(("name", "decoder", "input", "forms", "markets", "trained", "licence", "what it does"), rows)
    return 0


def pull(names: Names = None, as_json: AsJson = False) -> int:
    """Fetch the files of models that have an address; goes on where it was cut off, keeps nothing unproven."""
    from adas_runtime.console import print_json
    from adas_runtime.perception.models import pull as pulling
    from adas_runtime.perception.models.store import model_path

    records = []
    for path, manifest in _manifests(names):
        for precision in manifest.forms.precisions:
            form = manifest.forms.get(precision)
            if form is None or form.url is None:
                continue
            progress = _Progress(f"{manifest.name} {precision}")
            try:
                done = pulling.pull(
                    form.url,
                    sha256=form.sha256,
                    size_bytes=form.size_bytes,
                    target=model_path(form, path),
                    progress=progress,
                )
            finally:
                progress.end()
            records.append(
                {
                    "name": manifest.name,
                    "precision": precision,
                    "path": str(done.path),
                    "fetched_bytes": done.fetched_bytes,
                    "resumed_bytes": done.resumed_bytes,
                }
            )
    if as_json:
        print_json(records)
    else:
        for item in records:
            what = f"fetched {item['fetched_bytes']} bytes" if item["fetched_bytes"] else "was here"
            print(f"{item['name']} {item['precision']}: {what}, {item['path']}")
        if not records:
            print("nothing to fetch: every file lies beside its manifest")
    return 0


class _Progress:
    """One line on a terminal, nothing in a pipe."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._is_shown = False

    def __call__(self, done: int, whole: int) -> None:
        if sys.stderr.isatty():
            self._is_shown = True
            print(f"\r{self._title}: {done / 1e6:.1f} of {whole / 1e6:.1f} MB", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._is_shown:
            print(file=sys.stderr)


def verify(
    names: Names = None,
    precision: OfPrecision = None,
    market: Annotated[str | None, typer.Option(metavar="MARKET", help="Also whether they may run there.")] = None,
    inference: OfInference = None,
    as_json: AsJson = False,
) -> int:
    """Load each form of each model as the car would: hash, operators, shapes, provider, golden output."""
    from adas_runtime.config import shown_path
    from adas_runtime.console import print_json, print_table
    from adas_runtime.perception.models.manifest import market_lineage, model_names, require_market
    from adas_runtime.perception.models.model import prove_model

    wanted, params = _precision(precision), _params(inference)
    lineage = market_lineage(market) if market is not None else None
    records: list[dict[str, Any]] = []
    for name in names or model_names():
        try:
            [(path, manifest)] = _manifests([name])
        except AdasError as error:
            print(f"adas: {error.line()}", file=sys.stderr)
            records.append({"name": name, "precision": "", "is_good": False, "finding": error.line()})
            continue
        for form in (wanted,) if wanted is not None else manifest.forms.precisions:
            record: dict[str, Any] = {"name": manifest.name, "precision": form, "is_good": False, "finding": ""}
            try:
                if lineage is not None:
                    require_market(manifest, lineage, shown_path(path))
                report = prove_model(path, manifest, params=params, precision=form).report
                record |= {
                    "is_good": True,
                    "provider": report.provider,
                    "is_reduced": report.is_reduced,
                    "device": report.device,
                    "golden_gap": report.golden_gap,
                    "load_s": round(report.load_s, 3),
                    "sha256": report.sha256,
                }
            except AdasError as error:
                record["finding"] = error.line()
                print(f"adas: {error.line()}", file=sys.stderr)
            records.append(record)
    if as_json:
        print_json(records)
    else:
        rows = [
            (
                str(item["name"]),
                str(item["precision"]),
                "good" if item["is_good"] else "refused",
                f"{item['provider']}{' (reduced)' if item['is_reduced'] else ''}" if item["is_good"] else "",
                f"{item['golden_gap']:.2g}" if item["is_good"] else "",
                f"{item['load_s']:.2f}" if item["is_good"] else "",
            )
            for item in records
        ]
        print_table(("name", "form", "verdict", "provider", "golden gap", "load [s]"), rows)
    return 0 if all(item["is_good"] for item in records) else 2


def bench(
    names: Names = None,
    precision: OfPrecision = None,
    runs: Annotated[int, typer.Option(min=1, max=100_000, help="Pictures that are measured.")] = 200,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Picture to look at; a drawn one of 1280x720 by default.")
    ] = None,
    inference: OfInference = None,
    as_json: AsJson = False,
) -> int:
    """Measure models here: p50 and p99 of a picture, its decoding apart, and the share outside inference."""
    import cv2

    from adas_runtime.console import print_json, print_table
    from adas_runtime.perception.models import bench as benching
    from adas_runtime.perception.models.convert import read_pictures
    from adas_runtime.perception.models.golden import seeded_picture
    from adas_runtime.perception.models.model import prove_model

    cv2.setNumThreads(1)
    wanted, params = _precision(precision), _params(inference)
    image = read_pictures([picture], 1)[0] if picture is not None else seeded_picture(1, 1280, 720)
    found = []
    for path, manifest in _manifests(names):
        for form in (wanted,) if wanted is not None else manifest.forms.precisions:
            model = prove_model(path, manifest, params=params, precision=form)
            found.append(benching.bench(model, image, runs))
    if as_json:
        print_json([item.as_json() for item in found])
        return 0
    rows = [
        (
            item.report.model,
            item.report.precision,
            f"{item.report.provider}{' (reduced)' if item.report.is_reduced else ''}",
            f"{item.p50_ms:.2f}",
            f"{item.p99_ms:.2f}",
            f"{item.infer_p50_ms:.2f}",
            f"{100 * item.outside_share:.0f} %",
        )
        for item in found
    ]
    print_table(("name", "form", "provider", "p50 [ms]", "p99 [ms]", "inference p50 [ms]", "outside inference"), rows)
    return 0


def _list_of(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(text: str, option: str) -> list[float]:
    try:
        return [float(part) for part in _list_of(text)]
    except ValueError as err:
        raise typer.BadParameter(f"{option} {text}: give numbers with commas between them") from err


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The model, ONNX.")],
    name: Annotated[str, typer.Option(help="Its name: small letters, digits, - and _.")],
    decoder: Annotated[str, typer.Option(help="Layout of its outputs, such as yolov8; docs/models.md lists them.")],
    licence: Annotated[str, typer.Option(help="Its licence (SPDX).")],
    markets: Annotated[str, typer.Option(help="Where it may run, with commas; all for everywhere.")],
    regions: Annotated[str, typer.Option(help="Countries of its training pictures, with commas; or rendered.")],
    trained: Annotated[str, typer.Option(metavar="DATE", help="Day of its training, YYYY-MM-DD.")],
    data: Annotated[str, typer.Option(help="Its training data, and the licence of each set.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for manifest, model and golden file.")],
    classes: Annotated[
        str, typer.Option(help="Names of the classes, with commas; by default those that the file tells.")
    ] = "",
    title: Annotated[str, typer.Option(help="What it does; its name by default.")] = "",
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of its input, where the file leaves it open.")] = "",
    colour: Annotated[str, typer.Option(help="rgb, bgr or grey.")] = "rgb",
    fit: Annotated[str, typer.Option(help="letterbox or stretch.")] = "letterbox",
    crop_top: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share of the rows cut off above.")] = 0.0,
    pad: Annotated[int, typer.Option(min=0, max=255, help="Grey value of the padding.")] = 114,
    mean: Annotated[str, typer.Option(help="Per colour, in grey levels, with commas.")] = "0,0,0",
    std: Annotated[str, typer.Option(help="Per colour, in grey levels, with commas.")] = "255,255,255",
    keypoints: Annotated[str, typer.Option(help="Names of the points, with commas, where the decoder has some.")] = "",
    row_anchors: Annotated[str, typer.Option(help="Rows of lane lines in the input [px], with commas.")] = "",
    column_anchors: Annotated[
        str, typer.Option(help="Columns of flat lane lines in the input [px], with commas.")
    ] = "",
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Golden picture, a real one; a drawn one by default.")
    ] = None,
) -> int:
    """Write the manifest of a model that you bring, with its golden output taken here on the CPU; then prove it."""
    from adas_runtime.perception.models.convert import read_pictures
    from adas_runtime.perception.models.draft import Said, draft

    columns, _, rows = size.lower().partition("x")
    if size and not (columns.isdigit() and rows.isdigit()):
        raise typer.BadParameter(f"--size {size}: write it as 640x384")
    options: dict[str, Any] = {}
    if keypoints:
        options["keypoints"] = _list_of(keypoints)
    if row_anchors:
        options["row_anchors_px"] = _numbers(row_anchors, "--row-anchors")
    if column_anchors:
        options["column_anchors_px"] = _numbers(column_anchors, "--column-anchors")
    said = Said(
        name=name,
        title=title or name,
        licence=licence,
        regions=_list_of(regions),
        trained=trained,
        data=data,
        markets=_list_of(markets),
        decoder=decoder,
        options=options,
        classes=_list_of(classes),
        size_px=(int(columns), int(rows)) if size else None,
        colour=colour,
        fit=fit,
        pad=pad,
        crop_top=crop_top,
        mean=_numbers(mean, "--mean"),
        std=_numbers(std, "--std"),
    )
    draft(file, out, said, read_pictures([picture], 1)[0] if picture is not None else None)
    print(out / f"{name}.yaml")
    return 0


def convert(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name or manifest file.")],
    to: Annotated[str, typer.Option(help="int8 or fp16.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the new file and its golden file.")],
    pictures: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="For int8: pictures or folders of them; may be repeated.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many pictures.")] = 64,
) -> int:
    """Make another form of a model, and print what to write below forms in its manifest."""
    from adas_runtime.perception.models.convert import convert as make
    from adas_runtime.perception.models.convert import read_pictures, require_onnx
    from adas_runtime.perception.models.draft import dump, golden_of, stanza, write_golden
    from adas_runtime.perception.models.golden import golden_picture, read_golden
    from adas_runtime.perception.models.onnx_file import read_onnx
    from adas_runtime.perception.models.store import prove

    if to not in ("int8", "fp16"):
        raise typer.BadParameter(f"--to {to}: take int8 or fp16")
    require_onnx()
    [(path, manifest)] = _manifests([model])
    proven = prove(manifest, "fp32", path)
    images = read_pictures(pictures, count) if pictures else []
    raw = make(proven.raw, to="int8" if to == "int8" else "fp16", given=manifest.input, pictures=images)
    golden = proven.form.golden
    arrays = read_golden(golden, path.parent)
    image = golden_picture(golden, arrays, manifest, str(path))
    outputs, every = golden_of(raw, manifest.input, image, [item.name for item in manifest.outputs])
    former, _ = golden_of(proven.raw, manifest.input, image, [item.name for item in manifest.outputs])
    out.mkdir(parents=True, exist_ok=True)
    file, golden_file = out / f"{manifest.name}.{to}.onnx", out / f"{manifest.name}.{to}.npz"
    file.write_bytes(raw)
    digest = write_golden(golden_file, outputs, every, image if golden.seed is None else None)
    entry = stanza(file.name, raw, read_onnx(raw).opset, golden_file.name, digest, every, golden.seed is not None)
    if golden.seed is not None:
        entry["golden"]["seed"] = golden.seed
    # another processor may round the last step of 8 or 16 bit the other way, and later layers carry it on
    greatest = max(float(abs(value.astype("float64")).max()) for value in outputs.values())
    entry["golden"]["atol"] = float(f"{max(0.001, (0.02 if to == 'int8' else 0.01) * greatest):.2g}")
    print(dump({to: entry}), end="")
    for name, value in outputs.items():
        gap = abs(value.astype("float64") - former[name].astype("float64")).max()
        print(f"adas: {name} differs from fp32 by at most {gap:.4g} on the golden picture", file=sys.stderr)
    return 0
