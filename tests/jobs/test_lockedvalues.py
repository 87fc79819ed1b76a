"""Whatever form and locks there may be: a job has decided parameters as they were decided, or it is refused."""

from __future__ import annotations

import json
import math
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from plans import a_plan

from jupyter_slurmdash.errors import InvalidInput
from jupyter_slurmdash.formats.fields import BRANCHES, FormSchema
from jupyter_slurmdash.jobs.edits import final_script
from jupyter_slurmdash.jobs.lockchecks import check_locks
from jupyter_slurmdash.jobs.model import JobSpec, Plan, ScriptEdit
from jupyter_slurmdash.jobs.prepare import parameters
from jupyter_slurmdash.jobs.script import generate_script
from jupyter_slurmdash.templates.locks import Lock, Locks
from jupyter_slurmdash.templates.model import Template
from jupyter_slurmdash.templates.reader import read_template

NAMES = ("n", "word", "flag", "any")
VALUES: list[Any] = [
    *(0, 1, 2, 3, 7, -5, 10**30, 0.5, 2.0, math.nan, math.inf),
    *("0", "3", "99", "nan", "x", "yes", "two words", "a\nN=9\nb", "$(echo 3)", "'", "true", " 3 "),
    *(True, False),
]
# Without line breaks: what a template or a policy says in one line.
_plain = [value for value in VALUES if not (isinstance(value, float) and not math.isfinite(value))]
_numbers = st.sampled_from([0, 1, 2, 3, 7, 0.5])
_types = st.sampled_from(
    [
        *("integer", "number", "string", "boolean"),
        *(["integer", "string"], ["number", "null"], ["string", "null"], ["boolean", "integer"]),
    ]
)
_words = st.fixed_dictionaries(
    {},
    optional={
        "type": _types,
        "default": st.sampled_from(_plain),
        "enum": st.lists(st.sampled_from(_plain), min_size=1, max_size=4),
        "minimum": st.sampled_from([0, 1, -10]),
        "maximum": st.sampled_from([2, 3, 50]),
        "exclusiveMaximum": st.sampled_from([3, 8]),
        "multipleOf": st.sampled_from([1, 0.5]),
        "minLength": st.just(1),
        "pattern": st.just("^[a-z0-9$]"),
        "x-maximum": st.sampled_from(NAMES),
    },
)
_fields = st.dictionaries(st.sampled_from(NAMES), _words, min_size=1)
_conditions = st.builds(
    lambda name, value, must: {
        "properties": {name: {"const": value}},
        **({"required": [name]} if must else {}),
    },
    st.sampled_from(NAMES),
    st.sampled_from(_plain),
    st.booleans(),
)
_branches = st.dictionaries(st.sampled_from(NAMES), st.one_of(st.just(False), _words), max_size=2)
_rules = st.builds(
    lambda when, then, other: {"if": when, "then": {"properties": then}, "else": {"properties": other}},
    _conditions,
    _branches,
    _branches,
)
_schemas = st.builds(
    lambda fields, rules, needs: {
        "properties": fields,
        **({"allOf": rules} if rules else {}),
        **(
            {"dependentSchemas": {name: {"properties": more} for name, more in needs.items()}}
            if needs
            else {}
        ),
    },
    _fields,
    st.lists(_rules, max_size=1),
    st.dictionaries(st.sampled_from(NAMES), _branches, max_size=1),
)
_scalars = st.sampled_from(_plain)
_locks = st.one_of(
    st.builds(
        lambda value, hide: {"fixed": value, **hide}, _scalars, st.sampled_from([{}, {"hidden": True}])
    ),
    st.just({"hidden": True}),
    st.builds(
        lambda most, hide: {"maximum": most, **hide}, _numbers, st.sampled_from([{}, {"hidden": True}])
    ),
    st.builds(lambda least: {"minimum": least}, _numbers),
    st.builds(lambda low, more: {"minimum": low, "maximum": low + more}, _numbers, _numbers),
    st.builds(lambda values: {"enum": values}, st.lists(_scalars, min_size=1, max_size=3)),
)
_by_name = st.dictionaries(st.sampled_from(NAMES), _locks, min_size=1, max_size=3)
# A form that is left as it was gives the template's own values.
AS_IT_WAS = object()
_values = st.one_of(st.none(), st.just(""), st.sampled_from(VALUES), st.just(AS_IT_WAS))
_given = st.dictionaries(st.sampled_from(NAMES), _values)


@st.composite
def _templates(draw: st.DrawFn) -> Template:
    """A template that its reader takes, with locks of its own, of the site, or both."""
    schema, own, sites = draw(_schemas), draw(_by_name), draw(_by_name)
    who = draw(st.sampled_from(["own", "site", "both"]))
    data: dict[str, Any] = {"template": {"id": "t-1", "name": "t"}, "parameters": schema}
    if who != "site":
        data["locks"] = {
            "parameters": {name: lock for name, lock in own.items() if name in schema["properties"]}
        }
    data["script"] = {"main_exec": "env -0"}
    text = json.dumps(data).encode()
    template = read_template(text, source="official", path="/t.yaml", modified_at=0.0, known_checks=())
    assume(template.problem is None)
    if who == "own":
        return template
    return replace(template, locks=template.locks | Locks.from_data({"parameters": sites}))


def asked(template: Template, given: Mapping[str, Any]) -> dict[str, Any]:
    fields = (template.parameters or {})["properties"]
    own = {name: fields.get(name, {}).get("default") for name in given}
    return {name: own[name] if value is AS_IT_WAS else value for name, value in given.items()}


def the_plan(template: Template, given: Mapping[str, Any]) -> Plan:
    """Raises InvalidInput where the values are refused."""
    spec = JobSpec(template_id="t-1", parameters=given)
    return a_plan(
        spec=spec, template=template, parameters=parameters(spec, template).values, locks=template.locks
    )


def tried(template: Template, given: Mapping[str, Any]) -> tuple[Plan | None, list[str]]:
    """The plan, or which fields are refused."""
    try:
        return the_plan(template, given), []
    except InvalidInput as error:
        return None, [each.pointer for each in error.errors]


def kinds(lock: Lock) -> list[str]:
    return [kind for kind, value in lock.to_json().items() if kind != "reason" and value is not False]


def environment_of(script: str, place: Path) -> dict[str, str] | None:
    """What the script's main part finds, run by bash as Slurm would; every name stands in the environment before. None
    when the script did not come so far."""
    around = {"PATH": "/usr/bin:/bin", **{name.upper(): "from outside" for name in NAMES}}
    done = subprocess.run(
        ["bash", "-s"],
        input=script.encode(),
        cwd=place,
        env=around,
        capture_output=True,
        timeout=20,
        check=False,
    )
    pairs = [pair.partition("=") for pair in done.stdout.decode().split("\0")]
    found = {name: value for name, _, value in pairs}
    return found if "SHLVL" in found else None


def text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def within(lock: Mapping[str, Any], value: str) -> bool:
    """Does what the job finds keep this lock? In other words than the code under test."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    # JSON's 2 and 2.0 are one number.
    alike = [lock["fixed"]] if "fixed" in lock else lock.get("enum", [value])
    if not any(
        text(each) == value
        or (isinstance(each, int | float) and not isinstance(each, bool) and each == number)
        for each in alike
    ):
        return False
    bounded = "minimum" in lock or "maximum" in lock
    return not bounded or lock.get("minimum", -math.inf) <= number <= lock.get("maximum", math.inf)


def is_kept(template: Template, given: Mapping[str, Any], found: Mapping[str, str]) -> None:
    schema: Mapping[str, Any] = template.parameters or {}
    for name, locks in template.to_json()["locks"]["parameters"].items():
        value = found.get(name.upper())
        if name not in FormSchema(schema).names:
            continue
        assert value != "from outside"
        for lock in locks:
            if value is not None:
                assert within(lock, value), (name, lock, value)
            elif "fixed" in lock:
                # Only a field that depends on others may be away.
                assert BRANCHES & schema.keys()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("job")


# Each is a run of bash.
slow_to_find = settings(
    max_examples=200, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None
)


def test_no_values_get_a_parameter_past_its_locks(place: Path) -> None:
    count = Counter[str]()

    @slow_to_find
    @given(template=_templates(), given=_given)
    def every(template: Template, given: dict[str, Any]) -> None:
        given, locks = asked(template, given), template.locks.parameters
        plan, named = tried(template, given)
        if plan is None:
            assert named
            assert all(pointer.startswith("/parameters/") for pointer in named), named
            count["refused"] += 1
            return
        found = environment_of(generate_script(plan), place)
        assert found is not None
        is_kept(template, given, found)
        count.update(["ran", *{kind for each in locks.values() for lock in each for kind in kinds(lock)}])
        # Hidden ones are as if nobody had said anything of them.
        hidden = [name for name, each in locks.items() if any(lock.hidden for lock in each)]
        said = {name: value for name, value in given.items() if name not in hidden}
        assert the_plan(template, said).parameters == plan.parameters
        count["ran though a hidden one was given"] += said != given

    every()
    print(dict(count))
    assert count["ran"] > 20
    assert count["refused"] > 10


LINES = [
    *("{0}=9", "export {0}=9", "unset {0}", "declare -x {0}=9", "readonly {0}", "{0}+=9", "export -n {0}"),
    *("read {0} <<< 9", "printf -v {0} 9", "mapfile {0} <<< 9", "let {0}=9 || :", "(({0}++)) || :"),
    *(
        ": ${{{0}:=9}}",
        ': "${{{0}=9}}"',
        ": $(( {0} = 9 ))",
        "exec {{{0}}}>/dev/null",
        "for {0} in 9; do :; done",
    ),
    *("# {0}=9", 'echo "${0} ${{{0}}} ${{{0}:-9}}" >/dev/null', "true", "#SBATCH --comment={0}"),
    *("if false; then", "fi", ": '", "'", "cat <<X >/dev/null", "X", "env -0"),
]


@st.composite
def _edited(draw: st.DrawFn, base: str) -> str:
    """The script with lines put in, taken out and moved, as a person might."""
    lines = base.removesuffix("\n").split("\n")
    for _ in range(draw(st.integers(0, 2))):
        line = draw(st.sampled_from(LINES)).format(draw(st.sampled_from(NAMES)).upper())
        lines.insert(draw(st.integers(1, len(lines))), line)
    for _ in range(draw(st.integers(0, 2))):
        line = lines.pop(draw(st.integers(1, len(lines) - 1)))
        if draw(st.booleans(), label="moved"):
            lines.insert(draw(st.integers(1, len(lines))), line)
    return "\n".join(lines) + "\n"


def test_no_edit_by_hand_gets_a_parameter_past_its_locks(place: Path) -> None:
    count = Counter[str]()

    @slow_to_find
    @given(data=st.data(), template=_templates(), given=_given)
    def every(data: st.DataObject, template: Template, given: dict[str, Any]) -> None:
        plan, _ = tried(template, asked(template, given))
        assume(plan is not None)
        assert plan is not None
        base = generate_script(plan)
        edit = ScriptEdit(base, data.draw(_edited(base)))
        plan = replace(plan, spec=replace(plan.spec, edit=edit))
        try:
            script = final_script(plan).text
        except InvalidInput:
            count["no script"] += 1
            return
        checks = list(check_locks(plan, script))
        if checks:
            assert {check.pointer for check in checks} == {"/edit/text"}
            count["refused"] += 1
            return
        found = environment_of(script, place)
        if found is not None:
            is_kept(template, given, found)
        count["ran" if found is not None else "did not come to its main part"] += 1

    every()
    print(dict(count))
    assert count["ran"] > 20
    assert count["refused"] > 10


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("export N=2\n", "", "the line 'export N=2' is missing"),
        ("# --- main_exec ---\n", "# --- main_exec ---\n: ${WORD:=x}\n", "WORD is decided here"),
        ("# --- main_exec ---\n", "# --- main_exec ---\nexec {WORD}>x\n", "WORD is decided here"),
        ("unset WORD\n", "", "the line 'unset WORD' is missing"),
        ("export N=2\n", "python run.py\nexport N=2\n", "this comes before 'unset WORD', which sets what is"),
        ("export N=2\n", "if false; then\nexport N=2\n", "move it below that line"),
    ],
)
def test_what_undoes_a_decided_parameter_is_told(old: str, new: str, words: str) -> None:
    template = Template(
        *("t-1", "t", "T"),
        parameters={"properties": {"n": {"type": "integer"}, "word": {"type": "string"}}},
        main_exec="run",
        locks=Locks.from_data({"parameters": {"n": {"fixed": 2}, "word": {"hidden": True}}}),
    )
    plan = the_plan(template, {})
    base = generate_script(plan)
    assert old in base
    plan = replace(plan, spec=replace(plan.spec, edit=ScriptEdit(base, base.replace(old, new, 1))))
    (check,) = check_locks(plan, final_script(plan).text)
    assert words in check.message


@pytest.mark.parametrize("value", ["101", "x", math.nan, True])
def test_what_is_no_number_is_within_no_bound(value: Any) -> None:
    """In a field that may hold text as well."""
    template = Template(
        *("t-1", "t", "T"),
        parameters={"properties": {"n": {}}},
        locks=Locks.from_data({"parameters": {"n": {"maximum": 100}}}),
    )
    with pytest.raises(InvalidInput, match="at most 100 here"):
        the_plan(template, {"n": value})
