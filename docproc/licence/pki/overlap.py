"""Two roots that may vouch for one authority: refused when recognised, and of those that are there one steps back.

Whoever runs a recognised root could otherwise make licences of another authority, or ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from docproc.licence.pki.trust_limits import Anchor


def covers_own(anchor: Anchor, own: str) -> bool:
    """Whether another department's root may vouch for our own authority; ``own`` is its credit code."""
    return _vouches_for_others(anchor) and bool(own) and any(_overlap(item, own) for item in anchor.authorities)


def shared(anchor: Anchor, other: Anchor) -> str:
    """The narrower of two beginnings of credit codes for which both of two roots may vouch on one day; or empty."""
    if not (_vouches_for_others(anchor) and _vouches_for_others(other)) or not _meet(anchor, other):
        return ""
    pairs = ((mine, theirs) for mine in anchor.authorities for theirs in other.authorities if _overlap(mine, theirs))
    return next((max(pair, key=len) for pair in pairs), "")


def narrowed(anchors: Sequence[Anchor], own: str) -> tuple[Anchor, ...]:
    """Roots as they count where they overlap all the same: those of a trust folder, or recognised by an older version.

    None but our own roots vouches for our own authority. Of two that share codes the one with the longer beginning
    has them, and of two with the same beginning the earlier in the list.
    """
    return tuple(_narrowed(place, anchors, own) for place in range(len(anchors)))


def _narrowed(place: int, anchors: Sequence[Anchor], own: str) -> Anchor:
    anchor = anchors[place]
    if not _vouches_for_others(anchor):
        return anchor
    taken = {own} if covers_own(anchor, own) else set()
    for other_place, other in enumerate(anchors):
        if other_place == place or not shared(anchor, other):
            continue
        for theirs in other.authorities:
            mine = max((item for item in anchor.authorities if theirs.startswith(item)), key=len, default=None)
            if mine is not None and (mine != theirs or other_place < place):
                taken.add(theirs)
    return replace(anchor, reserved=tuple(sorted(taken))) if taken else anchor


def _vouches_for_others(anchor: Anchor) -> bool:
    """Whether it is another department's root, and vouches for seals."""
    return bool(anchor.name) and "seal" in anchor.use


def _overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _meet(one: Anchor, other: Anchor) -> bool:
    """Whether there is a day on which both are trusted."""
    ends_before = one.valid_to and other.valid_from and one.valid_to < other.valid_from
    begins_after = one.valid_from and other.valid_to and other.valid_to < one.valid_from
    return not ends_before and not begins_after
