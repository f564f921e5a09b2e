"""Seal objects according to GB/T 38540: export art for a seal maker, make development samples, check an object."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from docproc.cli.common import Json, emit, out, read_settings

Owner = Annotated[str, typer.Option(help="Registered name of the authority, as in the certificate.")]
Diameter = Annotated[float, typer.Option(help="Of the art, mm.")]
Purpose = Annotated[str, typer.Option(help="Line below the star, for a 专用章.")]
Emblem = Annotated[bool, typer.Option("--emblem", help="With the national emblem, for a government.")]
File = Annotated[Path, typer.Argument(help="Seal object, DER.", exists=True, dir_okay=False)]


def seal_art(
    owner: Owner,
    to: Annotated[Path, typer.Option("--out", help="SVG file to write.")],
    diameter: Diameter = 42.0,
    purpose: Purpose = "",
    emblem: Emblem = False,
) -> None:
    """Write the art of a seal as SVG: the picture that the seal maker signs."""
    from docproc.assets.paths import SERIF, font
    from docproc.licence.page.art import draw
    from docproc.licence.page.art_svg import to_svg

    to.write_bytes(to_svg(draw(owner, font(SERIF), diameter=diameter, purpose=purpose, emblem=emblem)))
    out.print(f"{to}: {diameter:g} mm", highlight=False)


def seal_make_object(
    certificates: Annotated[
        Path, typer.Option(help="PEM: the seal's certificate, then its issuers.", exists=True, dir_okay=False)
    ],
    owner: Owner,
    filing_number: Annotated[str, typer.Option(help="备案号, in ASCII.")],
    to: Annotated[Path, typer.Option("--out", help="File to write.")],
    diameter: Diameter = 42.0,
    purpose: Purpose = "",
    emblem: Emblem = False,
) -> None:
    """Make a seal object with the sample maker of the development PKI; real ones come from a licensed seal maker."""
    from docproc.assets.paths import SERIF, font
    from docproc.licence.devpki.responder import DevPki
    from docproc.licence.devpki.sm2_pki import MAKER
    from docproc.licence.keys.sm2_signer import load_sm2
    from docproc.licence.page.art import draw
    from docproc.licence.seal import registered_seal
    from docproc.licence.seal.seal_object import make_seal_object

    chain = registered_seal.read_chain(certificates.read_bytes())
    folder = read_settings().certs_dir
    maker = load_sm2(folder / f"{MAKER}.pem", DevPki(folder).passphrase)
    seal = registered_seal.RegisteredSeal(
        name="",
        owner=owner,
        owner_code="",
        kind="official",
        filing_number=filing_number,
        certificates=registered_seal.to_der(chain),
        diameter=diameter,
        art=draw(owner, font(SERIF), diameter=diameter, purpose=purpose, emblem=emblem).compressed(),
        licence_kinds=(),
        valid_from=chain[0].not_valid_before_utc,
        valid_to=chain[0].not_valid_after_utc,
    )
    to.write_bytes(make_seal_object(seal, maker, datetime.now(UTC)))
    out.print(f"{to}: seal object of {owner}", highlight=False)


def seal_check_object(
    file: File,
    trust: Annotated[Path | None, typer.Option(help="Folder of trusted certificates, with `makers`.")] = None,
    as_json: Json = False,
) -> None:
    """Show the contents of a seal object and whether a known maker signed it; exit 1 if not."""
    from docproc.errors import InputError
    from docproc.licence.pki.trust import TrustList
    from docproc.licence.seal.seal_object import check_maker, read_seal_object

    found = read_seal_object(file.read_bytes())
    problem = ""
    try:
        check_maker(found, TrustList.from_folder(trust or read_settings().trust_dir))
    except InputError as error:
        problem = str(error)
    told = {
        "ok": not problem,
        "problem": problem,
        "seal_id": found.seal_id,
        "name": found.name,
        "maker": found.maker.subject.human_friendly,
        "created": found.created.isoformat(),
        "valid_from": found.valid_from.isoformat(),
        "valid_to": found.valid_to.isoformat(),
        "picture": found.picture_type,
        "size_mm": list(found.size_mm),
        "certificates": len(found.certificates),
    }
    if as_json:
        emit(told)
    else:
        for key, value in told.items():
            out.print(f"{key}: {value}", highlight=False)
    if problem:
        raise typer.Exit(1)


def add_to(group: typer.Typer) -> None:
    """Add these commands to ``docproc seal``."""
    for name, command in (("art", seal_art), ("make-object", seal_make_object), ("check-object", seal_check_object)):
        group.command(name)(command)
