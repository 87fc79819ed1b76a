"""Template files as templates: the plan's own examples, what is refused and where, and whatever else there may be."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from stopwatch import fastest

from jupyter_slurmdash.formats.yamlsafe import load
from jupyter_slurmdash.handlers.contract import contract
from jupyter_slurmdash.templates.model import FileSlot, Template
from jupyter_slurmdash.templates.reader import RESERVED_IDS, read_template
from jupyter_slurmdash.templates.slots import read_files

DATA = Path(__file__).parent / "data"
CHECKS = (
    "check_gpu_availability",
    "validate_dataset_size",
    "validate_dat_format",
    "notify_user",
    "log_submission",
)
HEAD = "template: {id: t-1, name: t}\n"


def read(text: str | bytes, path: str = "/shelf/community/file.yaml") -> Template:
    data = text.encode() if isinstance(text, str) else text
    return read_template(data, source="community", path=path, modified_at=1e9, known_checks=CHECKS)


def test_the_plans_template_loads_unchanged() -> None:
    text = (DATA / "pytorch_training.yaml").read_bytes()
    template = read(text)
    assert template.problem is None
    assert (template.id, template.name) == ("pytorch-training-v1", "pytorch_training")
    assert template.display_name == "PyTorch 모델 학습"
    assert template.tags == ("gpu", "pytorch", "ml", "deep-learning")
    assert template.is_public
    assert template.slurm == {
        "partition": "gpu",
        "nodes": 1,
        "ntasks": 1,
        "cpus_per_task": 8,
        "mem": "32G",
        "time": "04:00:00",
        "gres": "gpu:1",
        "constraint": "gpu_v100|gpu_a100",
    }
    assert (template.image_name, template.app) == ("pytorch_cuda.sif", "python")
    assert [str(bind) for bind in template.binds] == [
        "/shared/datasets:/datasets:ro",
        "/shared/models:/models:rw",
    ]
    assert [(s.name, s.pattern, s.kind, s.required, s.max_size) for s in template.slots] == [
        ("training_script", "*.py", "input", True, 10 * 1024**2),
        ("dataset", "*.tar.gz", "input", True, 10 * 1024**3),
        ("pretrained_model", "*.pth", "input", False, 2 * 1024**3),
        ("config", "config.yaml", "config", True, None),
    ]
    config = template.slot("config")
    assert config is not None
    assert config.schema is not None
    assert config.schema["required"] == ["learning_rate", "batch_size", "epochs"]
    assert template.output_pattern == "checkpoints/*.pth"
    assert template.pre_exec.startswith("#!/bin/bash\n# 데이터셋 압축 해제\n")
    assert template.pre_submit == ("check_gpu_availability", "validate_dataset_size")
    assert template.post_submit == ("notify_user", "log_submission")
    assert template.hash == hashlib.sha256(text).hexdigest()
    assert template.parameters is None
    json.dumps(template.to_json(), allow_nan=False)


def test_what_we_read_is_what_pyyaml_reads() -> None:
    text = (DATA / "pytorch_training.yaml").read_text(encoding="utf-8")
    assert load(text) == yaml.safe_load(text)


def test_the_plans_file_schema_loads_unchanged() -> None:
    text = (DATA / "file_schema.json").read_text(encoding="utf-8")
    bare = read_files(json.loads(text))
    assert bare.errors == ()
    at_top = read('{"template": {"id": "a", "name": "a"}, ' + text.lstrip().removeprefix("{"))
    below = read(json.dumps({"template": {"id": "a", "name": "a"}, "files": json.loads(text)}))
    for template in (at_top, below):
        assert template.problem is None
        assert template.slots == bare.slots
        assert template.output_pattern == bare.output_pattern == "results_*.vtk"
    assert [(s.name, s.kind, s.required) for s in bare.slots] == [
        ("input_data", "input", True),
        ("mesh_file", "input", True),
        ("initial_condition", "input", False),
        ("config", "config", True),
        ("parameters", "config", False),
    ]
    assert bare.slots[0].validation == "validate_dat_format"
    assert bare.slots[0].max_size == 100 * 1024**2


def test_the_smallest_template() -> None:
    template = read(HEAD)
    assert template == Template(
        id="t-1",
        name="t",
        display_name="t",
        source="community",
        path="/shelf/community/file.yaml",
        hash=hashlib.sha256(HEAD.encode()).hexdigest(),
        modified_at=1e9,
    )
    assert template.slot("x") is None
    assert template.to_json()["files"] == {"slots": [], "output_pattern": ""}


def test_an_unquoted_time_stays_a_time() -> None:
    assert read(HEAD + "slurm: {time: 4:00:00}").slurm == {"time": "4:00:00"}


SLOT = "files: {{input_schema: {{required: [{}]}}}}\n"
BROKEN = [
    ("", "The value is null, must be a mapping", 1, ""),
    ("a: [", "Did not find expected node content", 2, ""),
    ("template: {id: a, name: b}\nslurm: {}\nslurm: {}\n", "'slurm' is here twice", 3, ""),
    ("slurm: {}\n", "template is required", 1, "/template"),
    (
        HEAD + "slrum: {}\n",
        "'slrum' is not known here; known: template, slurm, apptainer, files,",
        2,
        "/slrum",
    ),
    (HEAD + "slurm:\n  tme: 1\n", "'tme' is not known here; known: partition, nodes,", 3, "/slurm/tme"),
    (HEAD + "slurm:\n  array: 5\n", "array is 5, must be text (write it in quotes)", 3, "/slurm/array"),
    (HEAD + 'slurm:\n  partition: "a\\n#SBATCH -x"\n', "one line", 3, "/slurm/partition"),
    ("template:\n  name: b\n  id: ../b\n", "an id has", 3, "/template/id"),
    ("template:\n  name: b\n  id: a/b\n", "an id has", 3, "/template/id"),
    ('template:\n  name: b\n  id: "a\\nb"\n', "an id has", 3, "/template/id"),
    ("template:\n  name: b\n  id: scan\n", "id is 'scan', which is not allowed", 3, "/template/id"),
    ('template:\n  id: a\n  name: "b\\x07"\n', "control characters", 3, "/template/name"),
    (
        "template:\n  id: a\n  name: b\n  version: 1.0\n",
        "version is 1.0, must be text",
        4,
        "/template/version",
    ),
    (HEAD + "apptainer:\n  bind:\n    - data:/data\n", "absolute path", 4, "/apptainer/bind/0"),
    (HEAD + "apptainer:\n  bind:\n    - /a\n    - /a:/b:rx\n", "no mode of a bind", 5, "/apptainer/bind/1"),
    (HEAD + "apptainer:\n  bind: [/a:/b:ro:x]\n", "too many parts", 3, "/apptainer/bind/0"),
    (HEAD + "apptainer:\n  bind: ['/a,/etc:/b']\n", "character", 3, "/apptainer/bind/0"),
    (HEAD + "apptainer:\n  bind: [/a/../etc:/b]\n", "'..'", 3, "/apptainer/bind/0"),
    (HEAD + "apptainer:\n  bind: ['$HOME:/b']\n", "absolute", 3, "/apptainer/bind/0"),
    (
        HEAD + SLOT.format("{name: a, pattern: x}, {name: A, pattern: y}"),
        "Two files have the name 'A'",
        2,
        None,
    ),
    (HEAD + SLOT.format("{name: 1a, pattern: x}"), "does not begin with a digit", 2, None),
    (HEAD + SLOT.format("{name: path, pattern: x}"), "become PATH, a variable of the system", 2, None),
    (HEAD + SLOT.format("{name: Ld_Preload, pattern: x}"), "a variable of the system", 2, None),
    (HEAD + SLOT.format("{name: slurm_job_id, pattern: x}"), "a variable of the system", 2, None),
    (HEAD + SLOT.format("{name: a, pattern: ../x}"), "stay in the job's directory", 2, None),
    (HEAD + SLOT.format("{name: a, pattern: d/*.x}"), "cannot have '/'", 2, None),
    (HEAD + SLOT.format('{name: a, pattern: "x\\ny"}'), "control character", 2, None),
    (HEAD + SLOT.format("{name: a, pattern: x, max_size: 10XB}"), "max_size is '10XB'; a size is", 2, None),
    (
        HEAD + SLOT.format("{name: a, pattern: x, validation: nope}"),
        "'nope' is not known; known: check_gpu",
        2,
        None,
    ),
    (
        HEAD + SLOT.format("{name: a, pattern: x, format: ymal}"),
        "format is 'ymal'; one of json, yaml",
        2,
        None,
    ),
    (HEAD + SLOT.format("{name: a, pattern: x, schema: {type: objet}}"), "type is 'objet'; one of", 2, None),
    (HEAD + SLOT.format("{name: a, pattern: x, schema: {$ref: 'http://x/y'}}"), "leads outside", 2, None),
    (HEAD + "files: {output_pattern: /etc/*}\n", "job's directory", 2, "/files/output_pattern"),
    (
        HEAD + "files: {input_schema: {}}\ninput_file_schema: {}\n",
        "both spellings",
        3,
        "/input_file_schema",
    ),
    (
        HEAD + "files:\n  input_schema:\n    required: []\n    required_files: []\n",
        "both spellings",
        5,
        "/files/input_schema/required_files",
    ),
    (HEAD + "parameters: {type: array}\n", "type is 'array', must be 'object'", 2, "/parameters/type"),
    (HEAD + "parameters: {properties: {a b: {}}}\n", "'a b' is not allowed", 2, None),
    (HEAD + "parameters: {properties: {home: {}}}\n", "become HOME", 2, "/parameters/properties/home"),
    (HEAD + "parameters: {properties: {a: {}, A: {}}}\n", "same variable as 'a'", 2, None),
    (
        HEAD + SLOT.format("{name: a, pattern: x}") + "parameters: {properties: {A: {}}}\n",
        "same variable as a file",
        3,
        None,
    ),
    (HEAD + "parameters: {properties: {a: {type: array}}}\n", "type is 'array'; one of string", 2, None),
    (HEAD + "parameters: {properties: {a: {minimum: x}}}\n", "minimum is 'x', must be a number", 2, None),
    (
        HEAD + "parameters:\n  properties:\n    a:\n      maximum: 3\n      default: 5\n  required: [b]\n",
        "The default does not fit: a is 5, at most 3",
        6,
        "/parameters/properties/a/default",
    ),
    (HEAD + "parameters:\n  properties:\n    a: {default: .inf}\n", "no finite number", 4, None),
    (
        HEAD + "validation:\n  pre_submit: [nope]\n",
        "The check 'nope' is not known",
        3,
        "/validation/pre_submit/0",
    ),
    (HEAD + 'script: {main_exec: "a\\0b"}\n', "NUL", 2, "/script/main_exec"),
]


@pytest.mark.parametrize(("text", "words", "line", "pointer"), BROKEN)
def test_broken_templates_say_where(text: str, words: str, line: int, pointer: str | None) -> None:
    template = read(text)
    assert template.problem is not None
    assert words in template.problem.message
    assert template.problem.line == line
    if pointer is not None:
        assert template.problem.pointer == pointer


def test_the_first_problem_by_line_is_told_with_the_number_of_others() -> None:
    template = read("slurm:\n  tme: 1\nfoo: 1\ntemplate:\n  id: a\n")
    assert template.problem is not None
    assert template.problem.line == 2
    assert template.problem.message.endswith(" 2 more errors in this file.")


def test_a_broken_template_keeps_what_is_known() -> None:
    template = read(
        "template:\n  id: known\n  name: n\n  display_name: 이름\n  tags: [a, 3]\n  category: cfd\n  version: 2\n"
    )
    assert (template.id, template.display_name, template.tags) == ("known", "이름", ("a",))
    assert template.category == "cfd"
    unreadable = read("template:\n  id: known-2\n  name: [\n", "/shelf/official/ml/my file.yaml")
    assert (unreadable.id, unreadable.name, unreadable.category) == ("known-2", "my file", "ml")
    nothing = read(b"\xff\xfe\x00", "/shelf/community/my (copy) \udc80.yaml")
    assert nothing.id == "my-copy"
    assert "\udc80" not in nothing.display_name
    assert read(b"\xff", "/shelf/community/모델.yaml").id == "template"
    assert read("template:\n  id: search\n  name: [\n", "/x/file.yaml").id == "file"


def test_too_much_schema_in_all() -> None:
    patterns = ", ".join(f"p{n}: {{pattern: a}}" for n in range(30))
    slots = ", ".join(f"{{name: s{n}, pattern: x, schema: {{properties: {{{patterns}}}}}}}" for n in range(3))
    template = read(HEAD + SLOT.format(slots))
    assert template.problem is not None
    assert "too much work" in template.problem.message


def test_sizes() -> None:
    slots = read(
        HEAD
        + SLOT.format(
            "{name: a, pattern: x, max_size: 1.5 GiB}, {name: b, pattern: x, max_size: 7},"
            "{name: c, pattern: x, max_size: 3k}, {name: d, pattern: x, max_size: 12B}"
        )
    ).slots
    assert [slot.max_size for slot in slots] == [1536 * 1024**2, 7, 3072, 12]
    assert slots[0] == FileSlot("a", "x", "input", True, max_size=1536 * 1024**2)


def test_the_schema_follows_the_contract() -> None:
    """Options of the template and of the API are the same, and ids cannot hide a route."""
    text = files("jupyter_slurmdash.templates").joinpath("template.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    ours = schema["properties"]["slurm"]["properties"]
    theirs = contract().document["components"]["schemas"]["SlurmOptions"]["properties"]
    assert list(ours) == [*theirs, "other"]
    for name, option in theirs.items():
        known = {key: value for key, value in ours[name].items() if key not in ("description", "$ref")}
        assert {**known, "type": _types(known)} == {**option, "type": _types(option)}
    root = "/api/v2/templates/"
    routes = {
        path.removeprefix(root).split("/")[0] for path in contract().operations if path.startswith(root)
    }
    assert routes - {"{id}"} <= RESERVED_IDS
    assert set(schema["properties"]["template"]["properties"]["id"]["not"]["enum"]) == RESERVED_IDS


def _types(option: dict[str, Any]) -> set[str]:
    types = option["type"]
    return {types} if isinstance(types, str) else set(types)


@pytest.mark.parametrize(
    "field", ["id", "name", "display_name", "description", "category", "author", "version"]
)
def test_awkward_texts(field: str, awkward: str) -> None:
    head = {"id": "a", "name": "b", field: awkward}
    template = read(yaml.safe_dump({"template": head}, allow_unicode=True))
    if template.problem is None and field not in ("description",):
        assert template.to_json()[field] == awkward
        assert awkward.isprintable() or "\u202e" in awkward
    json.dumps(template.to_json()).encode()
    assert "/" not in template.id


SECTIONS = st.sampled_from(
    (
        *("template", "slurm", "apptainer", "files", "parameters", "script", "validation", "id", "name"),
        *("bind", "input_schema", "required", "optional_files", "pattern", "schema", "properties", "type"),
        *("time", "default"),
    )
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SECTIONS, inner, max_size=5),
    max_leaves=25,
)


@given(st.one_of(DOCUMENTS.map(lambda data: yaml.safe_dump(data).encode()), st.binary(max_size=200)))
@settings(max_examples=300, deadline=None)
def test_any_file_is_a_template(text: bytes) -> None:
    template = read(text)
    assert template.id
    json.dumps(template.to_json(), allow_nan=False).encode()


HOSTILE = {
    "patterns": HEAD
    + SLOT.format(
        "{name: a, pattern: x, schema: {properties: {"
        + ", ".join(f"p{n}: {{pattern: '[가-힣]{{9{n % 10}}}'}}" for n in range(50))
        + "}}}"
    ),
    "wide schema": HEAD
    + "parameters: {properties: {"
    + ", ".join(f"p{n}: {{type: string, default: ''}}" for n in range(200))
    + "}}\n",
    "deep schema": HEAD + "parameters: " + "{not: " * 28 + "{}" + "}" * 28 + "\n",
    "long script": HEAD + "script: {main_exec: '" + "x" * 130_000 + "'}\n",
    "many unknown": HEAD + "".join(f"k{n}: {n}\n" for n in range(9000)),
    "many slots": HEAD + SLOT.format(", ".join(f"{{name: s{n}, pattern: x}}" for n in range(2000))),
    "many stars": HEAD + SLOT.format("{name: a, pattern: '" + "*a" * 127 + "'}"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_templates_are_read_or_refused_in_time(name: str) -> None:
    assert fastest(lambda: read(HOSTILE[name])) < 0.2


def test_options_without_a_field() -> None:
    text = (
        "template: {id: x, name: x}\nslurm:\n  ntasks: 2\n"
        "  other: {gpus-per-node: 2, open-mode: append, contiguous: true, overcommit: false}\n"
    )
    template = read(text)
    assert template.slurm == {"ntasks": 2}
    assert template.other == {"gpus-per-node": "2", "open-mode": "append", "contiguous": ""}
    for bad in (
        "{account: a}",
        "{mail-user: a}",
        "{-p: a}",
        "{a b: c}",
        "{hint: [1]}",
        '{hint: "a\\nb"}',
        "[a]",
    ):
        broken = read(f"template: {{id: x, name: x}}\nslurm: {{other: {bad}}}\n")
        assert broken.problem is not None
        assert broken.problem.line == 2
