"""What every command needs: the settings, a ``Dash``, and values written as text."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from traitlets import TraitError

from ..config import SlurmDash
from ..dash import load_config
from ..errors import InvalidInput
from ..notebook.api import NotebookDash

Run = Callable[[argparse.Namespace], int]


class AddCommand(Protocol):
    """Adds a command to the parser, under its name and others; gives its own parser for the arguments."""

    def __call__(self, name: str, run: Run, help: str, *aliases: str) -> argparse.ArgumentParser: ...


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[NotebookDash]:
    dash = NotebookDash(settings(arguments))
    try:
        yield dash
    finally:
        dash.close()


def settings(arguments: argparse.Namespace) -> SlurmDash:
    config = load_config()
    for text in arguments.set:
        name, value = pair(text, "--set")
        if name not in SlurmDash.class_trait_names(config=True):
            raise InvalidInput(f"--set {name}: there is no such setting.")
        try:
            config.SlurmDash[name] = SlurmDash.class_traits()[name].from_string(value)
        except (ValueError, TraitError) as error:
            raise InvalidInput(f"--set {name}: {error}") from error
    try:
        return SlurmDash(config=config)
    except TraitError as error:
        raise InvalidInput(f"A setting has a value that it cannot have. {error}") from error


def pair(text: str, where: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InvalidInput(f"{where} takes NAME=VALUE, not {text!r}.")
    return name, value


def pairs(items: Sequence[str], where: str) -> dict[str, str]:
    return dict(pair(item, where) for item in items)


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
