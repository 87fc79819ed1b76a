"""Tables in a cell and as text."""

from __future__ import annotations

from typing import Any

import pytest
from awkward import AWKWARD
from plans import a_template, an_image
from records import a_record

from jupyter_slurmdash.notebook.job import Job, JobList
from jupyter_slurmdash.notebook.tables import ImageTable, TemplateTable

EVIL = "<img src=x onerror=alert(1)>"


def test_images_as_text() -> None:
    images = [
        an_image("/opt/a.sif", "python", "bash", size=1500),
        an_image("/opt/longer.sif", version="2.10"),
    ]
    table = ImageTable(images)
    assert repr(table).splitlines() == [
        "name        version  type     apps          size     nodes",
        "a.sif       1        compute  python, bash  1.5 KB   node001",
        "longer.sif  2.10     compute                1 bytes  node001",
    ]
    assert (len(table), table[0], list(table)) == (2, images[0], images)
    assert table.node_errors == []


def test_an_empty_table_is_its_head() -> None:
    assert repr(TemplateTable([])) == "id  name  category  version  source  checked  jobs  problem"
    assert "<tbody></tbody>" in TemplateTable([])._repr_html_()


def test_templates_say_their_problem() -> None:
    class Problem:
        message = "line 3 is wrong"

    table = TemplateTable([a_template(id="broken", problem=Problem())])
    assert "line 3 is wrong" in repr(table)


@pytest.mark.parametrize("text", [EVIL, *AWKWARD], ids=lambda text: ascii(text)[:40])
def test_nothing_in_a_cell_is_markup(text: str, tmp_path: Any) -> None:
    tables = [
        ImageTable([an_image(version=text, name=text, nodes=(text,))]),
        TemplateTable([a_template(display_name=text)]),
        JobList([Job(None, a_record(tmp_path, name=text, reason=text))]),  # type: ignore[arg-type]
    ]
    for table in tables:
        html = table._repr_html_()
        assert "<img" not in html
        assert html.count("<td") == len(table.columns)
        assert "'" not in html.replace("scope='col'", "").replace("style='text-align:left'", "")
