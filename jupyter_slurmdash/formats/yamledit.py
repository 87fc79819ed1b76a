"""Another document into a hand-written YAML file: only the lines that must change do.

The text is cut along its tree and put together again from its own pieces, so comments, order, quotes, indentation and
blank lines stay as they were written. (Libraries that load, change and dump a document, such as ruamel.yaml, tie a
comment to the value *before* it: with a removed key goes the comment of the next one, a new key slips under the
heading of the next section, and all is indented anew.)

A comment belongs to the entry below it, or to the line it ends. Entries of a mapping keep their order, new ones come
last; items of a list are known again by their value, their ``name`` or their place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .yamlnodes import Entry, Node, compose, skip
from .yamlsafe import YamlProblem, load
from .yamlwrite import STEP, Piece, entry, flow, item, piece, same, scalar, verified, write

_BOM = "\ufeff"


def edit(text: bytes, document: Mapping[str, Any]) -> bytes:
    """``text`` with the values of ``document``; the very same bytes when it says so already.

    Raises YamlProblem when the text is no YAML that ``load`` reads, or holds comments in places where they cannot be
    kept: then it is for a human to change.
    """
    old = load(text)
    if same(old, document):
        return text
    if not isinstance(old, dict) or not old or not document:
        return write(document)
    source = text.decode("utf-8-sig")
    source = source if source.endswith("\n") else source + "\n"
    result = _attempt(source, old, document, True) or _attempt(source, old, document, False)
    if result is None and "#" in source:
        raise YamlProblem("This file is written in a way that only a human can change. Edit its text.")
    if result is None:
        return write(document)
    return _BOM.encode() + result if text.startswith(_BOM.encode()) else result


def _attempt(source: str, old: Mapping[str, Any], document: Mapping[str, Any], airy: bool) -> bytes | None:
    """The edited text if it reads as ``document``. Blank lines between entries (``airy``) may not: below a literal that
    keeps its last line breaks, one more is part of it."""
    try:
        return verified(_Editor(source, airy).whole(old, document), document)
    except YamlProblem:
        return None


class _Editor:
    def __init__(self, text: str, airy: bool) -> None:
        self.text = text
        self._airy = airy
        self.newline = "\r\n" if "\r\n" in text else "\n"

    def whole(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
        root = compose(self.text)
        if root.flow:
            return self.text[: root.start] + self.flow(root, old, new) + self.text[root.end :]
        return self.text[: root.start] + self.block(root, old, new, len(self.text))

    # -- blocks ---------------------------------------------------------------------------------------------

    def block(self, node: Node, old: Any, new: Any, limit: int) -> str:
        """The block from its first key or dash up to ``limit``, where the line after it begins."""
        ends, leads = self._cut(node, limit)
        kept: list[tuple[str, str]] = []
        plan = _plan(node, old, new)
        used = {index for index, _ in plan}
        # What stands above a removed entry, apart from it by a blank line, belongs to a group and stays.
        for unused in range(len(node.entries)):
            if unused not in used:
                leads[unused + 1] = _group_heading(leads[unused]) + leads[unused + 1]
        for index, value in plan:
            if index is None:
                kept.append(("", self._new(node, value)))
                continue
            found = node.entries[index]
            former = old[found.key] if node.kind == "map" else old[index]
            wanted = value[1] if node.kind == "map" else value
            kept.append((leads[index], self._entry(node, found, former, wanted, ends[index])))
        return _joined(kept, leads[-1], " " * node.column, self._airy)

    def _cut(self, node: Node, limit: int) -> tuple[list[int], list[str]]:
        """Where each entry's lines end, and the lines between that belong to the next (the last: to nobody)."""
        ends, leads = [], [""]
        for index, found in enumerate(node.entries):
            more = node.entries[index + 1 :]
            until = self._line_start(more[0].start) if more else limit
            end = self._own_comments(self._next_line(found.value.end), until, node.column)
            ends.append(end)
            leads.append(self.text[end:until])
        return ends, leads

    def _own_comments(self, position: int, until: int, column: int) -> int:
        """Comments that are indented deeper than the entry belong to what is in it."""
        end = position
        while position < until:
            line = self.text[position : self._next_line(position)]
            bare = line.lstrip(" ")
            if bare.startswith("#") and len(line) - len(bare) > column:
                end = position + len(line)
            elif bare.strip():
                break
            position += len(line)
        return end

    def _entry(self, node: Node, found: Entry, old: Any, new: Any, end: int) -> str:
        if same(old, new):
            return self.text[found.start : end]
        value = found.value
        if _same_kind(value, new):
            if not value.flow:
                return self.text[found.start : value.start] + self.block(value, old, new, end)
            return (
                self.text[found.start : value.start] + self.flow(value, old, new) + self.text[value.end : end]
            )
        return self._replaced(found, piece(new, node.column + STEP), end)

    def _replaced(self, found: Entry, new: Piece, end: int) -> str:
        """The entry with another value: what ends its first line stays there, its own comments come below."""
        value = found.value
        after = self._behind_sign(found)
        same_line = "\n" not in self.text[after : value.start]
        whole_value = same_line and (value.kind == "scalar" or value.flow)
        if whole_value and not value.literal:
            head, rest = self.text[found.start : value.start], value.end
        elif whole_value:
            head, rest = self.text[found.start : value.start], self._header_end(value)
        else:
            head, rest = self.text[found.start : after], after
        if not whole_value and same_line:  # a list or mapping that begins behind the dash
            first_line, comments = self.newline, ""
        else:
            first_line = self.text[rest : self._next_line(rest)]
            between = "" if whole_value else self.text[self._next_line(rest) : self._line_start(value.start)]
            below = max(self._next_line(rest), self._next_line(value.end))
            comments = between + self.text[below:end]
        head = head.rstrip(" ") + (" " + new.head if new.head else "")
        return head + first_line + self._lines(new.lines) + comments

    def _behind_sign(self, found: Entry) -> int:
        """The place behind the ``:`` or the dash."""
        if found.key is None:
            return found.start + 1
        colon = skip(self.text, found.key_end)
        return colon + 1 if self.text[colon : colon + 1] == ":" else found.value.start

    def _header_end(self, value: Node) -> int:
        end = value.start
        while self.text[end] not in " \t\r\n":
            end += 1
        return end

    def _new(self, node: Node, value: Any) -> str:
        if node.kind == "list":
            return self._lines(item(value, node.column))
        key, each = value
        return self._lines(entry(key, each, node.column))

    def _lines(self, lines: Sequence[str]) -> str:
        return "".join(line + self.newline for line in lines)

    def _next_line(self, position: int) -> int:
        """Where the line after the one of ``position`` begins."""
        end = self.text.find("\n", position)
        return end + 1 if end >= 0 else len(self.text)

    def _line_start(self, position: int) -> int:
        return self.text.rfind("\n", 0, position) + 1

    # -- between brackets -----------------------------------------------------------------------------------

    def flow(self, node: Node, old: Any, new: Any) -> str:
        """A collection between brackets, with the comments and line breaks between its entries."""
        text, entries = self.text, node.entries
        if not entries or not new or text[node.start] not in "[{":
            return flow(new)
        leads, tails = self._flow_gaps(node)
        result, end = text[node.start], ""
        for count, (index, value) in enumerate(_plan(node, old, new)):
            wanted = value[1] if node.kind == "map" else value
            lead = leads[index] if index is not None else ""
            if not count:
                result += lead if lead.strip() or "\n" in lead else leads[0]
            else:
                result += "," + end + (lead or ("" if end else " "))
            if index is None:
                result += f"{scalar(value[0])}: {flow(wanted)}" if node.kind == "map" else flow(wanted)
                end = ""
                continue
            found = entries[index]
            former = old[found.key] if node.kind == "map" else old[index]
            result += text[found.start : found.value.start] + self._in_flow(found.value, former, wanted)
            end = tails[index]
        return result + end + leads[-1] + text[node.end - 1]

    def _flow_gaps(self, node: Node) -> tuple[list[str], list[str]]:
        """What stands before each entry (and before the last bracket), and the comment that ends its line."""
        leads, tails = [self.text[node.start + 1 : node.entries[0].start]], []
        starts = [found.start for found in node.entries[1:]] + [node.end - 1]
        for found, start in zip(node.entries, starts, strict=True):
            gap = _without_comma(self.text[found.value.end : start])
            first_line = gap.find("\n") + 1
            cut = first_line if "#" in gap[:first_line] else 0
            tails.append(gap[:cut])
            leads.append(gap[cut:])
        return leads, tails

    def _in_flow(self, value: Node, old: Any, new: Any) -> str:
        if same(old, new):
            return self.text[value.start : value.end]
        return self.flow(value, old, new) if _same_kind(value, new) else flow(new)


def _joined(pieces: Sequence[tuple[str, str]], tail: str, indent: str, airy: bool) -> str:
    """Entries with what stands above each. Above the first there is its parent's key or dash."""
    lead, result = pieces[0]
    lead = lead.lstrip(" \t\r\n")
    parts = [lead + indent + result if lead else result]
    for lead, body in pieces[1:]:
        parts += [_above(lead, airy), indent, body]
    return "".join([*parts, _above(tail, airy)])


def _above(lead: str, airy: bool) -> str:
    # Blanks on an empty line would become part of a literal that has come to stand above it.
    lines = ["\n" if not line.strip() else line for line in lead.splitlines(keepends=True)]
    return "".join(line for line in lines if airy or line != "\n")


def _same_kind(node: Node, new: Any) -> bool:
    """Whether ``node`` can go on as it is with other entries."""
    kind = "map" if isinstance(new, Mapping) else "list" if isinstance(new, list | tuple) else "scalar"
    return kind != "scalar" and kind == node.kind and bool(new) and bool(node.entries)


def _plan(node: Node, old: Any, new: Any) -> list[tuple[int | None, Any]]:
    """The entries to come, each with the index of the one it was, None for a new one."""
    if node.kind == "list":
        return list(zip(_known_again(old, new), new, strict=True))
    keys = [found.key for found in node.entries]
    kept: list[tuple[int | None, Any]] = [
        (index, (key, new[key])) for index, key in enumerate(keys) if key in new
    ]
    return kept + [(None, (key, value)) for key, value in new.items() if key not in old]


def _known_again(old: Sequence[Any], new: Sequence[Any]) -> list[int | None]:
    """For each new item the index of the old one that it was: by value, by name, by place."""
    found: list[int | None] = [None] * len(new)
    free = dict.fromkeys(range(len(old)))
    for identity in (_value_of, _name_of):
        places: dict[str, list[int]] = {}
        for index in free:
            if (mark := identity(old[index])) is not None:
                places.setdefault(mark, []).append(index)
        for index, each in enumerate(new):
            mark = identity(each) if found[index] is None else None
            if mark is not None and places.get(mark):
                found[index] = places[mark].pop(0)
                del free[found[index]]  # type: ignore[arg-type]
    for index in range(len(new)):
        if found[index] is None and index in free:
            found[index] = index
            del free[index]
    return found


def _value_of(value: Any) -> str | None:
    return json.dumps(value, sort_keys=True)


def _name_of(value: Any) -> str | None:
    name = value.get("name") if isinstance(value, Mapping) else None
    return name if isinstance(name, str) else None


def _group_heading(lead: str) -> str:
    """The comments above an entry up to the last blank line; nothing when there are none."""
    lines = lead.splitlines(keepends=True)
    while lines and lines[-1].strip():
        lines.pop()
    return "".join(lines) if any(line.strip() for line in lines) else ""


def _without_comma(gap: str) -> str:
    position = skip(" " + gap, 0) - 1
    return gap[:position] + gap[position + 1 :] if gap[position : position + 1] == "," else gap
