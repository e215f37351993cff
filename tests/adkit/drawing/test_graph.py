"""Drawings and tables of graphs: everything is there, nothing overlaps, nothing is executed."""

import re
from xml.etree import ElementTree

import adkit
import numpy as np
import pytest
from adkit.drawing.graph import LARGEST_DRAWN, WIDEST
from adkit.graph import Graph, Node

from reference.inputs.ad_modes import shared

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawing):
    return ElementTree.fromstring(drawing.svg)


def boxes(root):
    """(left, top, right, bottom) of each node's box."""
    found = []
    for group in root.iter(SVG + "g"):
        rects = group.findall(SVG + "rect")
        if rects and group.find(SVG + "text") is not None:
            left, top, width, height = (float(rects[-1].get(key)) for key in ("x", "y", "width", "height"))
            found.append((left, top, left + width, top + height))
    return found


def test_every_node_and_every_edge_is_drawn():
    graph = adkit.trace(lambda x, y: [np.exp(x * x), x * y + 2.5], 2)
    root = parsed(adkit.draw(graph))
    assert len(boxes(root)) == len(graph.nodes)
    assert len(root.findall(f".//{SVG}polygon")) == sum(len(node.args) for node in graph.nodes)
    texts = [text.text for text in root.iter(SVG + "text")]
    assert texts == ["v₁", "v₂", "v₃ = v₁ · v₁", "v₄ = exp v₃", "v₅ = v₁ · v₂", "v₆ = 2.5", "v₇ = v₅ + v₆"]


def test_values_tangents_and_adjoints_are_written_into_the_nodes():
    svg = adkit.draw(adkit.toy_graph(), [2, 3, 6, None, -6.9093], [1.0] * 5, [0.5] * 5).svg
    assert "= −6.909<" in svg
    assert svg.count("→ 1<") == 5
    assert svg.count("← 0.5<") == 5
    assert svg.count("= 2<") == 1
    assert "→ tangent" in svg
    assert "← adjoint" in svg


def test_labels_get_subscripts_and_are_escaped():
    svg = adkit.draw(Graph((Node("input"), Node("neg", (0,))), (0,), (1,)), labels=["w1", "<script>"]).svg
    assert "&lt;script&gt; = −w₁" in svg
    assert "<script" not in svg


@pytest.mark.parametrize("what", ["values", "tangents", "adjoints", "labels"])
def test_a_sequence_of_the_wrong_length_is_refused(what):
    with pytest.raises(ValueError, match="4 entries given for a graph of 5 nodes"):
        adkit.draw(adkit.toy_graph(), **{what: ["1"] * 4 if what == "labels" else [1.0] * 4})


@pytest.mark.parametrize("seed", range(5))
def test_boxes_of_thirty_nodes_do_not_overlap_and_lie_on_the_paper(seed):
    graph = shared(np.random.default_rng(seed), constants=2).graph
    assert len(graph.nodes) >= 28
    numbers = [-1234.5] * len(graph.nodes)
    root = parsed(adkit.draw(graph, numbers, numbers, numbers))
    found = boxes(root)
    assert len(found) == len(graph.nodes)
    for index, (left, top, right, bottom) in enumerate(found):
        assert left >= 0
        assert top >= 0
        assert right <= float(root.attrib["width"])
        assert bottom <= float(root.attrib["height"])
        for other_left, other_top, other_right, other_bottom in found[:index]:
            apart = right < other_left or other_right < left or bottom < other_top or other_bottom < top
            assert apart


def test_a_deep_graph_runs_downwards_so_that_it_is_not_too_wide():
    graph = Graph((Node("input"), *(Node("sin", (index,)) for index in range(29))), (0,), (29,))
    root = parsed(adkit.draw(graph))
    assert float(root.attrib["width"]) < WIDEST / 2
    assert float(root.attrib["height"]) > 30 * 40


def test_arguments_stand_before_their_node():
    graph = adkit.toy_graph()
    found = boxes(parsed(adkit.draw(graph)))
    for index, node in enumerate(graph.nodes):
        for arg in node.args:
            assert found[arg][2] < found[index][0]


def test_a_drawing_is_self_contained_and_lies_on_the_pages_own_background(tmp_path):
    drawing = adkit.draw(adkit.figure_4())
    assert not re.search(r"href|url\(|<script|<style|currentColor|@import", drawing.svg)
    assert not [rect for rect in parsed(drawing).iter(SVG + "rect") if rect.get("width") == "100%"]
    drawing.save(tmp_path / "x.svg")
    assert (tmp_path / "x.svg").read_text(encoding="utf-8") == drawing._repr_svg_()
    assert len(repr(drawing)) < 80


def test_a_notebook_draws_small_graphs_only():
    small = Graph((Node("input"),), (0,), (0,))
    assert small._repr_svg_() == adkit.draw(small).svg
    large = Graph((Node("input"),) * (LARGEST_DRAWN + 1), tuple(range(LARGEST_DRAWN + 1)), (0,))
    assert large._repr_svg_() is None


def test_a_table_has_a_row_a_node_and_a_column_for_what_is_given():
    table = adkit.trace_table(adkit.toy_graph(), [2, 3, 6, 0.9093, 6.9093], adjoints=[2.5, 2, 1, None, 1])
    assert table.header == ("node", "value", "adjoint ↑")
    assert table.rows[3] == ("v₄ = sin v₁", "0.9093", "")
    root = ElementTree.fromstring(table._repr_html_())
    assert len(root.findall(".//tbody/tr")) == 5
    assert repr(table).splitlines()[1].split() == ["v₁", "2", "2.5"]


def test_a_table_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="4 entries"):
        adkit.trace_table(adkit.toy_graph(), [1.0] * 4)


def test_a_table_escapes_its_labels():
    table = adkit.trace_table(Graph((Node("input"),), (0,), (0,)), labels=["<b>"])
    assert "<b>" not in table._repr_html_()
