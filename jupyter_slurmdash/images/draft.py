"""A first template for an image, from what the image says of itself: a pure function, in the template file's own shape.

Apps become a choice, labels and help the description, GPU and MPI labels the resources. Whatever comes from the image
is text of a stranger: it is cleaned for the file, and reaches the shell only quoted or through a variable.
"""

from __future__ import annotations

import re
import shlex
from typing import Any, Final

from ..errors import FieldError, InvalidInput
from .model import Image

# The same words as the badges of the panel (labextension/src/text.ts).
_GPU: Final = re.compile(r"\b(gpu|cuda|rocm|nvidia)|[_.-](gpu|cuda|rocm)\b", re.IGNORECASE | re.ASCII)
_MPI: Final = re.compile(r"\b(mpi|openmpi|mpich)|[_.-](mpi|openmpi|mpich)\b", re.IGNORECASE | re.ASCII)
_NO: Final = re.compile(r"(false|no|0|none)", re.IGNORECASE)
_TAG_LABELS: Final = ("framework", "category", "application", "org.opencontainers.image.title")
_APPS_SHOWN: Final = 100

_ARGUMENTS: Final = """\
# xargs takes quotes and blanks as a shell does, but expands and runs nothing.
printf '%s' "${ARGUMENTS:-}" | xargs -r printf '%s\\0' > .slurmdash/arguments
mapfile -d '' -t arguments < .slurmdash/arguments

"""


def says(image: Image, pattern: re.Pattern[str]) -> bool:
    """Whether the image's name or a label that is not denied (``gpu: no``) has the word."""
    labels = image.facts.labels.items()
    return bool(pattern.search(image.name)) or any(
        (pattern.search(name) or pattern.search(value)) and not _NO.fullmatch(value.strip())
        for name, value in labels
    )


def draft(image: Image, app: str | None = None) -> dict[str, Any]:
    """The document of a template that runs ``app`` of the image, or the app that the user chooses, or the image itself.

    Raises InvalidInput for an app that the image does not have.
    """
    apps = [each.name for each in image.facts.apps if _fits(each.name)][:_APPS_SHOWN]
    if app is not None and app not in apps:
        message = f"The image has no app {app[:100]!r}; it has: {', '.join(apps)[:500] or 'none'}."
        raise InvalidInput(message, [FieldError("/query/app", message)])
    chosen = app if app is not None else apps[0] if len(apps) == 1 else None
    gpu, mpi = says(image, _GPU), says(image, _MPI)
    return {
        "template": _head(image, app, gpu, mpi),
        "slurm": _slurm(image, gpu, mpi),
        "apptainer": {
            **({"image_name": image.name} if _fits(image.name) else {}),
            **({"app": chosen} if chosen else {}),
        },
        "parameters": {"type": "object", "properties": _parameters([] if chosen else apps)},
        "script": {"main_exec": _main(image, chosen, bool(apps), " --nv" if gpu else "")},
        "validation": {"post_submit": ["log_submission"]},
    }


def hints(document: dict[str, Any]) -> dict[str, str]:
    """What a human must decide, as comments above the keys that these JSON Pointers name."""
    found = {
        "/template": "A draft from what the image says of itself. Look at all of it before you share it.",
        "/slurm": "Guesses: ask for what the work really needs.",
    }
    if "image_name" not in document["apptainer"]:
        found["/apptainer"] = (
            "The name of the image's file does not fit here; rename it, or choose it in the form."
        )
    if "partition" in document["slurm"]:
        found["/slurm/partition"] = "A partition whose nodes have the image."
    if document["slurm"]["ntasks"] > 1:
        found["/slurm/ntasks"] = (
            "The image speaks of MPI; start its program with srun or mpirun in main_exec."
        )
    if "gres" in document["slurm"]:
        found["/slurm/gres"] = "The image speaks of GPUs; --nv in main_exec gives it those of the job."
    return found


def _head(image: Image, app: str | None, gpu: bool, mpi: bool) -> dict[str, Any]:
    stem = _line(image.name.removesuffix(".sif")) or "image"
    name = f"{stem} {app}" if app else stem
    facts = image.facts
    own = next((each for each in facts.apps if each.name == app), None)
    text = (own.help if own else "") or image.description or facts.help
    labels = [_line(facts.labels[label])[:64] for label in _TAG_LABELS if facts.labels.get(label, "").strip()]
    tags = [*labels, *(["gpu"] if gpu else []), *(["mpi"] if mpi else [])]
    return {
        "id": _id(name),
        "name": name[:100],
        "display_name": name[:200],
        "description": _text(text)[:4000],
        "category": "custom",
        "tags": [tag for tag in dict.fromkeys(tags) if tag],
        "version": "1.0.0",
        "is_public": False,
    }


def _id(name: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-._").lower()[:90]
    return f"{stem or 'image'}-v1"


def _slurm(image: Image, gpu: bool, mpi: bool) -> dict[str, Any]:
    fitting = [name for name in image.partitions if gpu == bool(_GPU.search(name))]
    partition = next(iter([*fitting, *image.partitions]), "")
    return {
        **({"partition": partition} if partition else {}),
        "nodes": 1,
        "ntasks": 2 if mpi else 1,
        "cpus_per_task": 1,
        "mem": "1G",
        "time": "00:10:00",
        **({"gres": "gpu:1"} if gpu else {}),
    }


def _parameters(apps: list[str]) -> dict[str, Any]:
    arguments = {
        "type": "string",
        "title": "Arguments",
        "description": "Command-line arguments, separated by blanks; quotes keep words together",
        "maxLength": 10000,
        "default": "",
    }
    if not apps:
        return {"arguments": arguments}
    choice = {"type": "string", "title": "App", "enum": apps, "default": apps[0]}
    return {"app": choice, "arguments": arguments}


def _main(image: Image, chosen: str | None, has_apps: bool, nv: str) -> str:
    if chosen or has_apps:
        app = shlex.quote(chosen) if chosen else '"$APP"'
        return f'{_ARGUMENTS}apptainer run{nv} --app {app} "$CONTAINER" "${{arguments[@]}}"\n'
    if image.facts.runscript.strip():
        return f'{_ARGUMENTS}apptainer run{nv} "$CONTAINER" "${{arguments[@]}}"\n'
    return (
        "# The image names no program of its own: put the one that you need in the place of cat.\n"
        f'{_ARGUMENTS}apptainer exec{nv} "$CONTAINER" cat /etc/os-release "${{arguments[@]}}"\n'
    )


def _fits(name: str) -> bool:
    return name.isprintable() and 0 < len(name) <= 200


def _line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).strip()[:200]


def _text(text: str) -> str:
    """Several lines, without what a file of text does not hold."""
    lines = (_line(line) for line in text.strip().splitlines())
    return "\n".join(lines)
