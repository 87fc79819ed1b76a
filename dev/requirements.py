"""Print what the package, JupyterLab and the development tools require, without the package itself."""

from __future__ import annotations

import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
print("\n".join([*project["dependencies"], *extras["lab"], *extras["postgres"], *extras["dev"]]))
