"""The example notebook, in a real kernel."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from settings import private_values
from shells import write

EXAMPLE = Path(__file__).parents[2] / "notebooks" / "examples" / "first_job.ipynb"


def test_the_first_job_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = json.dumps({"SlurmDash": private_values(tmp_path)})
    write(tmp_path / "config" / "jupyter_slurmdash_config.json", config)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    (tmp_path / "here").mkdir()
    notebook = nbformat.read(EXAMPLE, as_version=4)
    client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path / "here")}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert [output for output in outputs if output.output_type == "error"] == []
    texts = [output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs]
    text = "\n".join(texts)
    assert "pi is about 3.1" in text
    assert " COMPLETED" in text
    assert "pi.txt" in text
    widgets = [
        output for output in outputs if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ]
    assert len(widgets) == 1, "the form shows"
    assert "'is_cluster': False" in text
