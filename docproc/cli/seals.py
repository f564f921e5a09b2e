"""``docproc seal``: the seal registry, where one person proposes and another confirms, and the development PKI."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docproc.cli.common import Json, counting_bar, emit, new_table, out, read_settings
from docproc.errors import AccessError

if TYPE_CHECKING:  # loaded by the commands that need them, so that `docproc --help` is quick
    from docproc.flow.core.access import Caller
    from docproc.flow.core.context import Context
    from docproc.flow.seals.registry import SealChange

Key = Annotated[str, typer.Option(help="API key of the caller; role approver or sealer.", envvar="DOCPROC_KEY")]
Name = Annotated[str, typer.Argument(help="Name of the seal, as in the matter files.")]
Reason = Annotated[str, typer.Option(help="Why, in Chinese; kept in the audit log.")]

seal_app = typer.Typer(help="Seals and the development PKI.", no_args_is_help=True)


@contextmanager
def _opened(key: str) -> Iterator[tuple[Context, Caller]]:
    """The opened service and the caller.

    Raises:
        AccessError: the key is wrong or revoked.
    """
    from docproc.flow.accounts.api_keys import authenticate
    from docproc.flow.core.context import open_context

    ctx = open_context(read_settings())
    try:
        caller = authenticate(ctx, key)
        if caller is None:
            raise AccessError("the key is wrong or revoked: give your own with --key or DOCPROC_KEY")
        yield ctx, caller
    finally:
        ctx.close()


@seal_app.command("list")
def seal_list(key: Key, as_json: Json = False) -> None:
    """List the registered seals and the changes that wait for confirmation."""
    from docproc.flow.seals import registry

    with _opened(key) as (ctx, caller):
        found = registry.list_seals(ctx, caller)
    if as_json:
        emit(found)
        return
    table = new_table("代号", "单位", "备案号", "状态", "证照", "有效期至")
    for seal in found["seals"]:
        table.add_row(
            seal["name"],
            seal["owner"],
            seal["filing_number"],
            seal["state"],
            "、".join(seal["licence_kinds"]),
            seal["valid_to"][:10],
        )
    out.print(table)
    for change in found["changes"]:
        _show(change)


@seal_app.command("add")
def seal_add(
    name: Name,
    certificates: Annotated[
        Path, typer.Option(help="PEM: the seal's certificate, then its issuers.", exists=True, dir_okay=False)
    ],
    owner: Annotated[str, typer.Option(help="Registered name of the authority, as in the certificate.")],
    owner_code: Annotated[str, typer.Option(help="Its unified social credit code.")],
    filing_number: Annotated[str, typer.Option(help="备案号.")],
    licence_kind: Annotated[list[str], typer.Option(help="Kind of licence it may seal; repeat it.")],
    reason: Reason,
    key: Key,
    kind: Annotated[str, typer.Option(help="official (公章) or special (专用章).")] = "official",
    purpose: Annotated[str, typer.Option(help="Line below the star, for a 专用章.")] = "",
    diameter: Annotated[float, typer.Option(help="Of the art, mm.")] = 42.0,
    emblem: Annotated[bool, typer.Option("--emblem", help="With the national emblem, for a government.")] = False,
    record: Annotated[
        Path | None, typer.Option(help="Seal object by GB/T 38540; an SM2 seal needs one.", exists=True, dir_okay=False)
    ] = None,
    valid_from: Annotated[str | None, typer.Option(help="ISO 8601; default the certificate's.")] = None,
    valid_to: Annotated[str | None, typer.Option(help="ISO 8601; default the certificate's.")] = None,
    as_json: Json = False,
) -> None:
    """Propose to register a seal, or to replace the seal of this name."""
    from docproc.flow.seals import registry
    from docproc.flow.seals.new_seal import NewSeal
    from docproc.licence.seal.registered_seal import read_chain, to_pem

    chain = read_chain(certificates.read_bytes())
    own = chain[0]
    new = NewSeal(
        name=name,
        owner=owner,
        owner_code=owner_code,
        kind=kind,
        filing_number=filing_number,
        certificates=to_pem(chain),
        licence_kinds=tuple(licence_kind),
        valid_from=_moment(valid_from) or own.not_valid_before_utc,
        valid_to=_moment(valid_to) or own.not_valid_after_utc,
        diameter=diameter,
        purpose=purpose,
        emblem=emblem,
        record=base64.b64encode(record.read_bytes()).decode() if record else "",
    )
    with _opened(key) as (ctx, caller):
        _answer(registry.propose_seal(ctx, caller, new, reason), as_json)


@seal_app.command("suspend")
def seal_suspend(name: Name, reason: Reason, key: Key, as_json: Json = False) -> None:
    """Propose to suspend a seal."""
    from docproc.flow.seals import registry

    with _opened(key) as (ctx, caller):
        _answer(registry.propose_change(ctx, caller, name, "suspend", reason), as_json)


@seal_app.command("resume")
def seal_resume(name: Name, reason: Reason, key: Key, as_json: Json = False) -> None:
    """Propose to resume the use of a suspended seal."""
    from docproc.flow.seals import registry

    with _opened(key) as (ctx, caller):
        _answer(registry.propose_change(ctx, caller, name, "resume", reason), as_json)


@seal_app.command("confirm")
def seal_confirm(
    change: Annotated[str, typer.Argument(help="Number of the change, see `docproc seal list`.")],
    key: Key,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it instead.")] = False,
    as_json: Json = False,
) -> None:
    """Confirm or refuse a change that another person proposed."""
    from docproc.flow.seals import registry

    with _opened(key) as (ctx, caller):
        _answer(registry.confirm_change(ctx, caller, change, refuse=refuse), as_json)


@seal_app.command("batch")
def seal_batch(
    key: Annotated[str, typer.Option(help="API key of a sealer.", envvar="DOCPROC_KEY")],
    matter: Annotated[str | None, typer.Option(help="Only licences of this matter.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 10_000,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Also those whose sealing failed.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the sealer; 0: only release.")] = 3600,
    as_json: Json = False,
) -> None:
    """Release all approved applications for sealing and show the sealer's progress; safe to run again."""
    from docproc.flow.review.batch_release import batch_progress, release_batch

    with _opened(key) as (ctx, caller), counting_bar() as show:
        released = release_batch(
            ctx,
            caller,
            matter=matter,
            limit=limit,
            retry_failed=retry_failed,
            progress=lambda n: show("签章放行", n, n),
        )
        numbers, begin = released.numbers, time.monotonic()
        state = batch_progress(ctx, numbers)
        while wait and state.pending and time.monotonic() - begin < wait:
            time.sleep(max(0.5, len(numbers) / 2000))  # each look asks for all of them
            state = batch_progress(ctx, numbers)
            show("制证签章", state.sealed, len(numbers))
    told = [{"number": number, "reason": reason} for number, reason in (*state.failed, *released.refused)]
    answer = {"applications": len(numbers), "sealed": state.sealed, "pending": state.pending, "problems": told}
    answer["seconds"] = round(time.monotonic() - begin, 2)
    if as_json:
        emit(answer)
    else:
        out.print(f"{len(numbers)} application(s): {state.sealed} sealed, {state.pending} pending", highlight=False)
        for item in told:
            out.print(f"{item['number']}  {item['reason']}", highlight=False)
    if told:
        raise typer.Exit(1)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time; write 2026-11-23 or 2026-11-23T10:00:00+08:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _answer(change: SealChange, as_json: bool) -> None:
    if as_json:
        emit(change)
    else:
        _show(change)


def _show(change: SealChange) -> None:
    told = (
        f"{change['id']}  {change['action']} {change['seal']}: {change['state']}, proposed by {change['proposed_by']}"
    )
    out.print(told, highlight=False)
    if change["state"] == "open":
        out.print(f"  another person confirms it with `docproc seal confirm {change['id']}`", highlight=False)


@seal_app.command("dev-pki")
def dev_pki(
    folder: Annotated[Path | None, typer.Option("--out", help="Folder; default the one of the settings.")] = None,
    as_json: Json = False,
) -> None:
    """Make the development PKI (root, issuing CA, seals, time-stamp, status; an SM2 chain), or add what one lacks."""
    from docproc.licence.devpki.pki import make_dev_pki
    from docproc.licence.devpki.sm2_pki import make_sm2_pki

    settings = read_settings()
    place = folder or settings.certs_dir
    given = {"authority_code": settings.authority_code} if settings.authority_code else {}
    now = datetime.now(UTC)
    make_dev_pki(place, at=now, authority=settings.authority_name, **given)
    make_sm2_pki(place, at=now, authority=settings.authority_name, **given)
    if as_json:
        emit({"folder": str(place)})
    else:
        out.print(f"development PKI in {place}; trusted by nobody, for development only")
