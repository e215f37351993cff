"""The notebooks open in JupyterLab, run there, and what a test reads is what the page shows."""

NOTEBOOK = "matrix_gradients.ipynb"


def test_a_notebook_runs_in_jupyterlab_with_what_the_handout_holds(lab):
    notebook = lab.open(NOTEBOOK)
    setup = notebook.find("import adkit")
    assert notebook.run_cell(setup) == ""
    example = notebook.find("pull_back(Y_bar)[0]")
    assert notebook.run_cell(example).startswith("largest difference:")
    assert notebook.cells()[example]["outputs"]


def test_what_is_typed_into_a_cell_runs_before_it_is_saved_and_is_in_the_file_after(lab):
    notebook = lab.open(NOTEBOOK)
    stub = notebook.find("def svd_vjp(")
    notebook.set_source(stub, "print(6 * 7)  # mine")
    assert notebook.run_cell(stub) == "42"
    file = lab.folder / NOTEBOOK
    assert "# mine" not in file.read_text(encoding="utf-8")
    notebook.save()
    assert "# mine" in file.read_text(encoding="utf-8")


def test_running_all_cells_shows_an_error_where_it_was_raised(lab):
    notebook = lab.open("ad_modes.ipynb")
    notebook.set_source(notebook.find("import adkit"), "1 / 0")
    notebook.run_all()
    assert "ZeroDivisionError" in notebook.output_text(notebook.find("1 / 0"))
