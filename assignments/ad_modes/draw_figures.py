"""Draws the notebook's figures.

python assignments/ad_modes/draw_figures.py
"""

from pathlib import Path

from adkit.drawing.svg import ADJOINT, INPUT, TANGENT, bent_arrow, box, document, text

from autograder.build.pictures import write

ROWS = (62, 132, 202)
PORTS = (116.6, 132.0, 147.4)
"""Where the three arrows meet the box in the middle."""


def forward_flow() -> str:
    """One node in forward mode: the tangents of its arguments, times the local partials, add up."""
    heading = "forward mode: tangents travel with the program, and are added where arrows meet"
    parts = [text(340, 26, heading, size=14, anchor="middle")]
    for name, y, port in zip("₁₂₃", ROWS, PORTS, strict=True):
        parts.append(bent_arrow(176, y, 420, port, TANGENT))
        parts.append(box(110, y, f"v{name}", (f"tangent v̇{name}", TANGENT), colour=INPUT, width=132, height=48))
    for name, x, y in (("₁", 320, 74), ("₂", 268, 124), ("₃", 320, 204)):
        parts.append(text(x, y, f"× ∂v₄/∂v{name}", colour=TANGENT, size=14, anchor="middle"))
    parts.append(box(500, 132, "v₄ = φ(v₁, v₂, v₃)", ("tangent v̇₄", TANGENT), width=160, height=62))
    parts.append(bent_arrow(580, 132, 650, 132, TANGENT))
    sums = "v̇₄ = ∂v₄/∂v₁ · v̇₁ + ∂v₄/∂v₂ · v̇₂ + ∂v₄/∂v₃ · v̇₃"
    parts.append(text(340, 264, sums, colour=TANGENT, size=17, anchor="middle"))
    return document(680, 290, "Forward mode at one node", *parts).svg


def reverse_flow() -> str:
    """One node in reverse mode: the adjoints of the nodes that use it, times the local partials, add up."""
    heading = "reverse mode: adjoints travel against the program, and are added where a node was used"
    parts = [text(340, 26, heading, size=14, anchor="middle")]
    for name, y, port in zip("₂₃₄", ROWS, PORTS, strict=True):
        parts.append(bent_arrow(504, y, 262, port, ADJOINT))
        parts.append(box(570, y, f"v{name}", (f"adjoint v̄{name}", ADJOINT), width=132, height=48))
    for name, x, y in (("₂", 360, 74), ("₃", 412, 124), ("₄", 360, 204)):
        parts.append(text(x, y, f"× ∂v{name}/∂v₁", colour=ADJOINT, size=14, anchor="middle"))
    parts.append(box(166, 132, "v₁, used three times", ("adjoint v̄₁", ADJOINT), width=192, height=62))
    parts.append(bent_arrow(70, 132, 14, 132, ADJOINT))
    sums = "v̄₁ = v̄₂ · ∂v₂/∂v₁ + v̄₃ · ∂v₃/∂v₁ + v̄₄ · ∂v₄/∂v₁"
    parts.append(text(340, 264, sums, colour=ADJOINT, size=17, anchor="middle"))
    return document(680, 290, "Reverse mode at one node", *parts).svg


def figures() -> dict[str, str]:
    """The SVG text of each figure, by file name."""
    return {"forward_flow.svg": forward_flow(), "reverse_flow.svg": reverse_flow()}


if __name__ == "__main__":
    write(Path(__file__).parent / "figures", figures())
