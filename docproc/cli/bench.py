"""``docproc bench``: measure accuracy and speed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from docproc.cli.common import Json, counting_bar, emit, new_table, out

if TYPE_CHECKING:
    from docproc.bench.service import Store

SAMPLE = Path("samples/scans/02-trader-good")
bench_app = typer.Typer(help="Measure accuracy and speed.", no_args_is_help=True)


@bench_app.command("read")
def bench_read(
    pages: Annotated[int, typer.Option(help="Approximate number of generated pages for each pipeline.")] = 40,
    seed: Annotated[int, typer.Option(help="Seed of the generated pages.")] = 1,
    real: Annotated[Path | None, typer.Option(help="Folder of photographs to read as well.")] = None,
    labels: Annotated[Path | None, typer.Option(help="JSON {file: {field: value as printed}} for them.")] = None,
    as_json: Json = False,
) -> None:
    """Compare stock PaddleOCR, our pipeline for free pages and our pipeline for registered forms."""
    from docproc.bench.read import run

    if (real is None) != (labels is None):
        raise typer.BadParameter("give --real and --labels together")
    result = run(seed, pages, real, labels)
    if as_json:
        emit(result)
        return
    table = new_table(
        "path",
        "pages",
        "fields",
        "exact",
        "character error",
        "abstained",
        "wrong unseen",
        "CPU s/page",
        "start s",
        "MB",
    )
    for name, item in result["paths"].items():
        rates = (f"{item[key]:.4f}" for key in ("exact", "character_error", "abstained", "wrong_unseen"))
        cost = (f"{item['cpu_seconds_page']:.3f}", f"{item['start']['wall_seconds']:.2f}", f"{item['peak_mb']:.0f}")
        table.add_row(name, str(item["pages"]), str(item["fields"]), *rates, *cost)
    out.print(table)


@bench_app.command("soak")
def bench_soak(
    pages: Annotated[int, typer.Option(min=40, help="Pages that each reader reads.")] = 1000,
    readers: Annotated[str, typer.Option(help="Numbers of readers, separated by commas.")] = "1,2",
    sample: Annotated[Path, typer.Option(help="Folder of a sample, whose pages are read in turn.")] = SAMPLE,
    as_json: Json = False,
) -> None:
    """Measure how long readers take to start, how their memory grows, and how fast several of them read together."""
    from docproc.bench.soak import run

    with counting_bar() as tell:
        result = run(sample, whole_numbers(readers), pages, tell)
    if as_json:
        emit(result)
        return
    table = new_table("readers", "pages", "pages/s", "CPU s/page", "start s", "MB", "growth kB/page")
    for item in result["runs"]:
        table.add_row(*map(str, item.values()))
    out.print(table)
    if "ratio" in result:
        few, many = result["runs"][0]["readers"], result["runs"][-1]["readers"]
        out.print(f"{many} readers read {result['ratio']} times the pages of {few}", highlight=False)


@bench_app.command("flow")
def bench_flow(
    workers: Annotated[str, typer.Option(help="Numbers of readers and sealers, separated by commas.")] = "1,2",
    applications: Annotated[int, typer.Option(min=3, help="Applications in each run.")] = 6,
    stores: Annotated[
        str, typer.Option(help="`embedded`, `distributed` (on the servers in the settings), or both after a comma.")
    ] = "embedded",
    sample: Annotated[Path, typer.Option(help="Folder of a sample that passes.")] = SAMPLE,
    as_json: Json = False,
) -> None:
    """Measure pages and seals per second and the cost of each step, with a new service for each number of workers."""
    from docproc.bench.flow import run

    with counting_bar() as tell:
        result = run(sample, whole_numbers(workers), applications, store_names(stores), tell)
    if as_json:
        emit(result)
        return
    table = new_table("store", "workers", "pages/s", "CPU s/page", "seals/s", "step", "times", "wall s", "CPU s")
    for item in result["runs"]:
        keys = ("store", "workers", "pages_per_second", "cpu_s_page", "seals_per_second")
        head = tuple(str(item[key]) for key in keys)
        for name, cost in item["stages"].items():
            table.add_row(*head, name, str(int(cost["times"])), f"{cost['wall_s']:.2f}", f"{cost['cpu_s']:.2f}")
            head = ("",) * len(keys)
    out.print(table)
    for item in result["ratios"]:
        few, many = item["workers"]
        rates = f"{item['pages_per_second']} times the pages, {item['seals_per_second']} times the seals"
        out.print(f"{item['store']}: {many} workers did {rates} of {few}", highlight=False)


@bench_app.command("stored")
def bench_stored(
    rows: Annotated[str, typer.Option(help="Numbers of stored applications, separated by commas.")] = "1000,1000000",
    rounds: Annotated[int, typer.Option(min=2, help="Applications submitted to each service.")] = 6,
    seed: Annotated[int, typer.Option(help="Seed of the stored data.")] = 1,
    sample: Annotated[Path, typer.Option(help="Folder of a sample that passes.")] = SAMPLE,
    as_json: Json = False,
) -> None:
    """Measure the cost of a page with few and with many stored applications, on the servers in the settings."""
    from docproc.bench.stored import run

    with counting_bar() as tell:
        result = run(sample, whole_numbers(rows), rounds, seed, tell)
    if as_json:
        emit(result)
        return
    keys = ("stored", "pages", "cpu_s_page", "hand_in", "worker", "database", "hand_in_ms")
    table = new_table("stored", "pages", "CPU s/page", "handing in", "worker", "database", "answer, ms")
    for item in result["sizes"]:
        table.add_row(*(str(item[key]) for key in keys))
    out.print(table)
    out.print(f"a page costs {result['ratio']} times as much beside the most as beside the fewest", highlight=False)


@bench_app.command("load")
def bench_load(
    seconds: Annotated[float, typer.Option(min=3, help="Length of each rush.")] = 60,
    minutes: Annotated[float, typer.Option(min=0, help="The same in minutes: 60 for an hour of each.")] = 0,
    readers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes that read.")] = 1,
    stores: Annotated[
        str, typer.Option(help="`embedded`, or `distributed`: on the servers in the settings.")
    ] = "embedded",
    file: Annotated[Path, typer.Option(help="JPEG to submit.")] = SAMPLE / "01-application-1.jpg",
    as_json: Json = False,
) -> None:
    """Measure how fast kiosks are answered at the reading capacity and at twice that; exit 1 if a file is lost."""
    from docproc.bench.load import marked_jpeg, run

    (store,) = store_names(stores)
    with counting_bar() as tell:
        result = run(marked_jpeg(file), 60 * minutes or seconds, readers, store, tell=tell)
    if as_json:
        emit(result)
    else:
        table = new_table("files/s", "files", "503", "without Retry-After", "p50 s", "p95 s", "p99 s")
        memory = new_table("files/s", "process", "MB first", "most", "last", "growth, MB an hour")
        for item in result["rushes"]:
            names = ("per_second", "files", "refused", "without_retry_after", "p50", "p95", "p99")
            table.add_row(*(str(item[name]) for name in names))
            for process, figures in item["memory"].items():
                memory.add_row(str(item["per_second"]), process, *map(str, figures.values()))
        out.print(table)
        out.print(memory)
        out.print(f"{result['files']} files handed in, {result['lost']} lost", highlight=False)
    if result["lost"]:
        raise typer.Exit(1)


def whole_numbers(text: str) -> list[int]:
    """Numbers above 0, separated by commas."""
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) for part in parts):
        raise typer.BadParameter(f"{text!r}: write whole numbers above 0 with commas, for example 1,2")
    return [int(part) for part in parts]


def store_names(text: str) -> list[Store]:
    """Names of stores, separated by commas."""
    names = text.split(",")
    if not set(names) <= {"embedded", "distributed"}:
        raise typer.BadParameter(f"{text!r}: write embedded, distributed, or both with a comma")
    return cast("list[Store]", names)


@bench_app.command("batch")
def bench_batch(
    applications: Annotated[int, typer.Option(min=2, help="Approved applications to seal.")] = 1000,
    seconds: Annotated[float, typer.Option(min=1, help="Time limit for the sealer, seconds.")] = 3600,
    sample: Annotated[Path, typer.Option(help="Folder of a sample that passes.")] = Path(
        "samples/scans/02-trader-good"
    ),
    as_json: Json = False,
) -> None:
    """Measure seals per second in a batch (B-LTA, with rendering and verification); kills the sealer once midway."""
    from docproc.bench.batch import run

    with counting_bar() as show:
        result = run(sample, applications, seconds, show)
    if as_json:
        emit(result)
    else:
        for key, value in result.items():
            out.print(f"{key}: {value}", highlight=False)
    if result["failed"] or result["doubled"] or result["sealed"] < result["applications"]:
        raise typer.Exit(1)


@bench_app.command("seal")
def bench_seal(
    times: Annotated[int, typer.Option(min=1, help="Seals for each figure; the median counts.")] = 20,
    as_json: Json = False,
) -> None:
    """Measure the CPU time of a seal at each level, compared with stock pyHanko and `openssl speed`."""
    from docproc.bench.seal import run

    result = run(times)
    if as_json:
        emit(result)
        return
    table = new_table("level", "CPU ms", "a second and core", "stock CPU ms", "stock a second and core")
    for level, item in result["profiles"].items():
        other = result["stock"][level]
        figures = (item["cpu_ms"], item["per_second_core"], other["cpu_ms"], other["per_second_core"])
        table.add_row(level, *map(str, figures))
    out.print(table)
    out.print(f"openssl alone, signatures a second: {result['openssl']}", highlight=False)


@bench_app.command("kiosk")
def bench_kiosk(
    files: Annotated[int, typer.Option(min=2, help="Files sent one at a time.")] = 20,
    seconds: Annotated[float, typer.Option(min=3, help="Length of each load.")] = 60,
    readers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes that read.")] = 1,
    sample: Annotated[Path, typer.Option(help="Folder of a sample, whose JPEG files are sent in turn.")] = SAMPLE,
    as_json: Json = False,
) -> None:
    """Measure how soon a kiosk has a first word on a page, and its fields: idle, at capacity, in a rush hour."""
    from docproc.bench.kiosk import run

    with counting_bar() as tell:
        result = run(sample, files, seconds, readers, tell)
    if as_json:
        emit(result)
        return
    table = new_table("load", "files/s", "files", "first word p50 s", "p95 s", "fields p50 s", "p95 s")
    for name, item in result["loads"].items():
        times = (*item["quality_s"].values(), *item["fields_s"].values())
        table.add_row(name, str(item.get("per_second", "")), str(item["files"]), *map(str, times))
    out.print(table)
    out.print(f"machine: {result['machine']}", highlight=False)


@bench_app.command("verify")
def bench_verify(
    files: Annotated[int, typer.Option(min=10, help="Distinct licences, made for the measurement.")] = 100,
    as_json: Json = False,
) -> None:
    """Measure the cost of verifying licences: at the service, by the command, and by stock pyHanko."""
    from docproc.bench.verify import run

    with counting_bar() as show:
        result = run(files, show)
    if as_json:
        emit(result)
        return
    table = new_table("", "CPU ms a file", "a second", "a second and core", "p95 ms")
    service, process = result, result["process"]
    rates = (service["cpu_ms"], service["per_second"], service["per_second_core"], service["p95_ms"])
    table.add_row("at the service, over HTTP", *map(str, rates))
    table.add_row("in one process", str(process["cpu_ms"]), "", "", str(process["p95_ms"]))
    table.add_row("stock pyHanko, no sandbox", str(result["stock"]["cpu_ms"]))
    out.print(table)
    for name, what in (("command", f"docproc verify, {files} files"), ("command_of_one", "docproc verify, one file")):
        out.print(f"{what}: {result[name]['wall_s']} s, {result[name]['cpu_s']} CPU s", highlight=False)
    out.print(f"docproc --help: {result['help']['wall_s']} s, {result['help']['cpu_s']} CPU s", highlight=False)
    out.print(f"machine: {result['machine']}", highlight=False)


@bench_app.command("seal-name")
def bench_seal_name(
    right: Annotated[int, typer.Option(min=1, help="Scans judged against the name on their seal.")] = 500,
    other: Annotated[int, typer.Option(min=0, help="Of them, scans judged against other names.")] = 200,
    hard: Annotated[int, typer.Option(min=0, help="Scans of each hard kind: faded, signed, cut, grey.")] = 40,
    seed: Annotated[int, typer.Option(help="Seed of the scans.")] = 1,
    tuning: Annotated[bool, typer.Option(help="Seals like those that the reader was tuned on.")] = False,
    as_json: Json = False,
) -> None:
    """Measure how often another firm's name on a pressed seal is told, and how often the right one is accused."""
    from docproc.bench.seal_name import run

    with counting_bar() as tell:
        result = run(seed, right, other, hard, tuning=tuning, tell=tell)
    if as_json:
        emit(result)
        return
    table = new_table("judged against", "scans", "same", "differs", "unreadable")
    for kind, item in result["kinds"].items():
        table.add_row(kind, *map(str, item.values()))
    out.print(table)
    out.print(f"CPU seconds a seal: {result['cpu_seconds_seal']}", highlight=False)
