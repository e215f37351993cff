"""Pictures of what is wrong: drawn from plain data, and never from a damaged record."""

import json
import xml.etree.ElementTree as ET
from typing import Any

import adkit
import numpy as np
import pytest
from adkit.checks import evidence
from adkit.drawing.wrong import pictures
from nasty import NASTY

FREES_TOO_EARLY = [("forward", 1), ("save", 1), ("forward", 2), ("save", 2), ("free", 2), ("backward", 2)]
VANILLA = [step for i in range(1, 9) for step in (("forward", i), ("save", i))]
VANILLA += [step for i in range(8, 0, -1) for step in (("backward", i), ("free", i))]


def drawn(found: evidence.Evidence | None) -> list[str]:
    """The pictures' labels, after the evidence has been a line of a journal."""
    assert found is not None
    drawings = pictures(json.loads(json.dumps(found)))
    for drawing in drawings:
        ET.fromstring(drawing.svg)
    return [drawing.label for drawing in drawings]


def quadratic(x: Any) -> float:
    return 300.0 + float(np.sum(np.asarray(x) ** 3))


def test_a_transposed_matrix_is_called_one() -> None:
    right = np.arange(9.0).reshape(3, 3)
    (label,) = drawn(evidence.entries(right.T.copy(), right, "A_bar"))
    assert label == "A_bar: 6 of 9 entries differ: yours is the transpose of the right one"


def test_entries_that_agree_to_rounding_are_not_marked() -> None:
    right = np.arange(9.0).reshape(3, 3)
    wrong = right + 1e-12
    wrong[1, 2] = -4
    assert drawn(evidence.entries(wrong, right, "A_bar")) == ["A_bar: 1 of 9 entries differ"]


def test_the_first_illegal_action_is_shown() -> None:
    labels = drawn(evidence.schedule(2, FREES_TOO_EARLY, position=5))
    assert labels == ["n = 2: action 5 is the first that is not legal"]


def test_an_excess_is_shown_with_the_schedules_place_on_the_trade_off() -> None:
    labels = drawn(evidence.schedule(8, VANILLA, memory=3))
    assert labels == ["n = 8: 8 activations in memory, where 3 are allowed", "memory against evaluations for 8 layers"]


def test_an_incomplete_schedule_has_no_place_on_the_trade_off() -> None:
    assert len(drawn(evidence.schedule(8, VANILLA[:-1]))) == 1


def test_the_first_wrong_adjoint_is_the_last_of_the_graph() -> None:
    shows = evidence.adjoints(adkit.toy_graph(), range(5))
    (label,) = drawn(shows(np.array([9.0, 0.7, 2.0, 1.0, 1.0]), np.array([0.5, 0.7, 1.0, 1.0, 1.0])))
    assert "that of v3 is the first wrong one" in label


@pytest.mark.parametrize(("central", "kind"), [(True, "central"), (False, "one-sided")])
def test_the_step_of_a_numerical_gradient_is_read_from_where_it_evaluates(central: bool, kind: str) -> None:
    x, h = np.array([1.0, 2.0]), 1e-3
    watched, points = evidence.watched(quadratic)
    steps = h * np.eye(2)
    given = np.array(
        [(watched(x + s) - watched(x - s)) / (2 * h) if central else (watched(x + s) - watched(x)) / h for s in steps]
    )
    (label,) = drawn(evidence.steps(quadratic, x, points)(given, 3 * x**2))
    assert f"of a {kind} difference" in label
    assert "the step 0.001" in label


def test_a_function_that_is_watched_can_be_mapped() -> None:
    import jax
    import jax.numpy as jnp

    watched, points = evidence.watched(lambda x: jnp.sum(x**2))
    assert jax.vmap(watched)(jnp.ones((3, 2))).tolist() == [2.0, 2.0, 2.0]
    assert points == []


def test_nothing_is_drawn_of_what_is_too_large_or_not_an_answer() -> None:
    assert evidence.entries(np.zeros((40, 40)), np.ones((40, 40)), "A") is None
    assert evidence.entries(np.zeros(3), np.ones(3), "b") is None
    assert evidence.schedule(2, "not a list") is None
    assert evidence.schedule(4, VANILLA * 100) is None
    assert evidence.steps(quadratic, np.ones(2), [])(np.zeros(2), np.ones(2)) is None


@pytest.mark.parametrize("text", NASTY[:30])
def test_no_text_of_an_answer_gets_into_the_evidence(text: str) -> None:
    found = evidence.schedule(2, [("forward", 1), (text, 2)], position=1)
    assert found is not None
    assert found["schedule"]["actions"] == [["forward", 1], ["", 2]]
    assert drawn(found) == ["n = 2: action 1 is the first that is not legal"]


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        {"entries": {}},
        {"entries": {"what": "A", "given": [["x"]], "right": [[1.0]]}},
        {"entries": {"what": "A", "given": [[1.0]], "right": [[1.0, 2.0]]}},
        {"schedule": {"n": "x", "actions": [], "position": None, "memory": None}},
        {"schedule": {"n": 2, "actions": [["free", 2]], "position": 9, "memory": None}},
        {
            "adjoints": {
                "nodes": [["mul", [0, 7], None]],
                "inputs": [],
                "outputs": [0],
                "of": [0],
                "given": [1],
                "right": [2],
            }
        },
        {"steps": {"central": True, "step": 0.0, "error": 1.0, "curve": []}},
        {"unknown": {}},
    ],
)
def test_a_damaged_record_costs_the_picture_alone(damaged: dict[str, Any]) -> None:
    for drawing in pictures(damaged):
        ET.fromstring(drawing.svg)
