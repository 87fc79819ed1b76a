"""Any template that is good: a Hypothesis strategy of documents that fit the schema and the rules beyond it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from template_place import CHECKS

from jupyter_slurmdash.templates.reader import RESERVED_IDS
from jupyter_slurmdash.templates.rules import reserved

_odd = st.sampled_from(
    ["yes", "010", "1e3", "a: b", "- x", "#", "a #b", "~", "4:00:00", "'", '"', "한글 이름", "😀", "|"]
)
_line_characters = st.characters(
    exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff\u2028\u2029"
)
line = _odd | st.text(_line_characters, min_size=1, max_size=60)
text = _odd | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff"), max_size=200
)
ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}", fullmatch=True).filter(
    lambda id: id not in RESERVED_IDS
)
variables = st.from_regex(r"[a-z_][a-z0-9_]{0,20}", fullmatch=True).filter(lambda name: not reserved(name))
checks = st.lists(st.sampled_from(CHECKS), max_size=3)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)

head = st.fixed_dictionaries(
    {"id": ids, "name": line},
    optional={
        "display_name": line,
        "description": text,
        "category": st.sampled_from(["ml", "cfd", "structural", "molecular", "data", "custom", "기상 모델"]),
        "tags": st.lists(line, max_size=5),
        "version": line,
        "author": line,
        "is_public": st.booleans(),
    },
)
slurm = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("partition", "gres", "constraint", "account", "qos", "array", "mail_user"), line),
        **{name: st.integers(1, 1000) for name in ("ntasks", "ntasks_per_node", "cpus_per_task")},
        "nodes": st.integers(1, 99) | st.just("1-4"),
        "mem": st.integers(1, 10**6) | st.just("32G"),
        "time": st.integers(1, 10**5) | st.sampled_from(["04:00:00", "2-00:00:00", "4:00"]),
        "nice": st.integers(-100, 100),
        "exclusive": st.booleans(),
        "requeue": st.booleans(),
    },
)
_paths = st.from_regex(r"/[a-z0-9_./가-힣-]{1,20}", fullmatch=True).filter(lambda path: ".." not in path)
apptainer = st.fixed_dictionaries(
    {},
    optional={
        "image_name": line,
        "app": line,
        "bind": st.lists(
            st.builds("{}:{}:{}".format, _paths, _paths, st.sampled_from(["ro", "rw"])) | _paths, max_size=3
        ),
    },
)
_schemas = st.fixed_dictionaries(
    {"type": st.just("object")},
    optional={
        "properties": st.dictionaries(
            line,
            st.fixed_dictionaries(
                {},
                optional={
                    "type": st.sampled_from(["string", "number", "integer", "boolean"]),
                    "minimum": numbers,
                    "enum": st.lists(line | numbers, min_size=1, max_size=3, unique_by=repr),
                    "description": text,
                },
            ),
            max_size=3,
        ),
        "required": st.lists(line, max_size=2, unique=True),
    },
)
_patterns = st.sampled_from(["*.py", "config.yaml", "*", "init_[0-9].dat", "한글*.csv"])


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Any]:
    """A document with every section that a template may have, each of them or not."""
    names = draw(st.lists(variables, max_size=8, unique_by=str.upper))

    def slots() -> list[dict[str, Any]]:
        return [
            {"name": names.pop(), "pattern": draw(_patterns), **draw(_about_slots)}
            for _ in range(draw(st.integers(0, min(2, len(names)))))
        ]

    document: dict[str, Any] = {"template": draw(head)}
    for name, section in (("slurm", slurm), ("apptainer", apptainer)):
        if draw(st.booleans()):
            document[name] = draw(section)
    if draw(st.booleans()):
        document["files"] = {
            kind: {"required": slots(), "optional": slots()} for kind in ("input_schema", "config_schema")
        }
        if draw(st.booleans()):
            document["files"]["output_pattern"] = "results/*.csv"
    if names and draw(st.booleans()):
        document["parameters"] = {"type": "object", "properties": {name: draw(_fields) for name in names}}
    if draw(st.booleans()):
        document["script"] = draw(
            st.fixed_dictionaries({}, optional=dict.fromkeys(("pre_exec", "main_exec", "post_exec"), text))
        )
    if draw(st.booleans()):
        document["validation"] = {"pre_submit": draw(checks), "post_submit": draw(checks)}
    return document


_about_slots = st.fixed_dictionaries(
    {},
    optional={
        "description": text,
        "type": line.filter(lambda word: len(word) <= 64),
        "max_size": st.integers(0, 2**40) | st.sampled_from(["10MB", "1.5 GiB", "7k"]),
        "format": st.sampled_from(["json", "yaml", "csv"]),
        "schema": _schemas,
        "validation": st.sampled_from(CHECKS),
    },
)
_fields = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")}, optional={"title": line, "default": text, "description": text}
    ),
    st.fixed_dictionaries({"type": st.just("boolean")}, optional={"default": st.booleans()}),
    st.fixed_dictionaries(
        {"type": st.just("number")}, optional={"default": numbers, "multipleOf": st.just(0.5)}
    ).filter(lambda field: "default" not in field or "multipleOf" not in field),
    st.lists(line, min_size=1, max_size=3, unique=True).map(
        lambda words: {"type": "string", "enum": words, "default": words[0]}
    ),
)
