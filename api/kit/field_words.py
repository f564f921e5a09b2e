"""Names and values of fields in the words of the matter."""

from __future__ import annotations

from dataclasses import dataclass

from docproc.errors import NotFoundError
from docproc.fields import FieldType
from docproc.matter.model import Column, FieldSpec, Matter, Option


@dataclass(frozen=True, slots=True)
class Spec:
    """What the matter says of a field or a column."""

    label: str
    type: FieldType | None
    options: tuple[Option, ...]
    unit: str
    sensitive: bool = False
    mendable: bool = False
    """An official may change what the applicant wrote."""


def spec_of(matter: Matter, material: str | None, name: str) -> Spec:
    """What the matter says of a field; the name itself where it says nothing."""
    stem, _, rest = name.partition(".")
    try:
        specs = matter.fields_of(material) if material is not None else ()
    except NotFoundError:
        specs = ()
    for spec in specs:
        if spec.name == stem:
            number, _, column = rest.partition(".")
            inner = next((c for c in spec.columns if c.name == column), None)
            return (
                _column(spec, number, inner)
                if inner is not None
                else Spec(_plain(spec), spec.field_type, spec.options, spec.unit, spec.is_sensitive, spec.mendable)
            )
    return Spec(name, None, (), "")


def words(spec: Spec, value: str | None) -> str:
    """A value in words."""
    if value is None:
        return "未能识别"
    if value == "":
        return "（空白）"
    if spec.type is not None and spec.type.is_presence:
        return "有" if value == "present" else value
    if spec.options:
        labels = {o.value: o.label for o in spec.options}
        return "、".join(labels.get(part, part) for part in value.split(","))
    return f"{value} {spec.unit}".strip()


def _column(spec: FieldSpec, number: str, column: Column) -> Spec:
    return Spec(
        f"{_plain(spec)} {number} · {column.label}", column.field_type, column.options, "", mendable=spec.mendable
    )


def _plain(spec: FieldSpec) -> str:
    return spec.label.replace("\n", "")
