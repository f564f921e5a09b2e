"""A drawn seal as an SVG picture: the same outlines, for programs that take no PDF operators."""

from __future__ import annotations

from docproc.licence.page.art import SealArt
from docproc.licence.page.canvas import PT, number

_PATH = {"m": "M", "l": "L", "c": "C", "h": "Z"}
_PAINT = {"B": (True, True), "f": (True, False), "s": (False, True)}
"""Whether a painting operator fills and strokes; ``s`` closes the path first."""


def to_svg(art: SealArt) -> bytes:
    """Write the operators of :func:`docproc.licence.page.art.draw` as SVG 1.1: the same art gives the same bytes.

    Raises:
        ValueError: an operator that the drawing of seals does not use.
    """
    side = number(art.diameter * PT)
    paths, path, stack, colour, width = [], [], [], "", ""
    for token in art.operators.decode("ascii").split():
        if token[0].isdigit() or token[0] in "-.":
            stack.append(token)
            continue
        if token in _PATH:
            path.append(_PATH[token] + " ".join(stack))
        elif token in ("rg", "RG"):
            colour = "#" + "".join(f"{round(float(part) * 255):02x}" for part in stack)
        elif token == "w":
            width = stack[0]
        elif token in _PAINT:
            fills, strokes = _PAINT[token]
            line = f' stroke="{colour}" stroke-width="{width}"' if strokes else ""
            close = "Z" if token == "s" else ""
            paths.append(f'<path d="{"".join(path)}{close}" fill="{colour if fills else "none"}"{line}/>')
            path = []
        elif token not in ("q", "Q", "j"):
            raise ValueError(f"operator {token} is not one of a seal")
        stack = []
    size = f'width="{art.diameter:g}mm" height="{art.diameter:g}mm" viewBox="0 0 {side} {side}"'
    upright = f'transform="matrix(1 0 0 -1 0 {side})" stroke-linejoin="round"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><g {upright}>'
    return "\n".join([head, *paths, "</g></svg>", ""]).encode("ascii")
