"""Changing what stands on the shelves: save, clone, share, archive, and go back.

A change is based on the hash of what was read, and refused when the file is another by now; check and change happen
under one lock. The former text is always kept. Official templates are the administrator's files and never changed here.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, Final, Literal

from ..errors import (
    Conflict,
    FieldError,
    Forbidden,
    InvalidInput,
    PreconditionFailed,
    PreconditionRequired,
    TemplateBroken,
    TemplateNotFound,
)
from ..events import EventBus
from . import history, shelfwriter, texts
from .history import Version, VersionText
from .init import init_shelves
from .library import Library
from .model import Template
from .packaged import PACKAGED
from .reader import is_id
from .shelfwriter import failures
from .texts import Checked, Note, TemplateDraft

Shelf = Literal["private", "community"]
# "*" in If-Match: whatever is there now.
ANY: Final = "*"
# Of the chain of copies that a copy remembers; as in the template schema.
_ORIGINS: Final = 20


@dataclass(frozen=True)
class _Open:
    """A template's file while it is changed."""

    template: Template
    handle: int
    name: str
    data: bytes
    info: os.stat_result


class Editor:
    """Changes templates of ``library`` for its user, and tells of it on the channel ``templates``."""

    def __init__(self, library: Library, events: EventBus, clock: Callable[[], float] = time.time) -> None:
        self._library = library
        self._events = events
        self._clock = clock
        self._root = library.root
        self._user = library.user

    # -- reading --------------------------------------------------------------------------------------------

    def check(self, text: str | None = None, document: Mapping[str, Any] | None = None) -> Checked:
        """What a text or a document (as an edit of the text, when both are given) would be; nothing is saved."""
        data = text.encode("utf-8", "surrogatepass") if text is not None else None
        if document is not None:
            data = texts.changed(data, document)
        return texts.check(data or b"", self._library.known_checks)

    def draft(
        self,
        document: Mapping[str, Any],
        comments: Mapping[str, str],
        notes: Sequence[Note] = (),
        former: bytes | None = None,
    ) -> TemplateDraft:
        """A document as a text of this user's to be saved: under a free id, with comments by JSON Pointer, or as an
        edit of a ``former`` text, whose own comments stay.

        Raises TemplateBroken.
        """
        head = document["template"]
        head = {**head, "id": self._free_id(head["id"]), "author": self._user}
        whole = {**document, "template": head}
        data = texts.with_comments(whole, comments) if former is None else texts.changed(former, whole)
        found = texts.accept(data, self._library.known_checks).template
        return TemplateDraft(data.decode("utf-8-sig"), found, tuple(notes))

    def text_with_hash(self, template_id: str, digest: str) -> bytes | None:
        """The template's text that had this hash, now or in a former version; None when it is no longer there."""
        try:
            data = self._library.text(template_id)
            if hashlib.sha256(data).hexdigest() == digest:
                return data
            versions = self.versions(template_id)
        except TemplateNotFound:
            return None
        for version in versions:
            if version.hash == digest:
                return history.text_of(self._root, versions, version.version)[1]
        return None

    def origins(self, template_id: str) -> list[str]:
        """What a copy of a template, which may be gone by now, says in ``cloned_from``."""
        try:
            return [template_id, *self._library.get(template_id).cloned_from][:_ORIGINS]
        except TemplateNotFound:
            return [template_id]

    def versions(self, template_id: str) -> list[Version]:
        """The former versions that are kept, the newest first."""
        return self._versions(self._library.get(template_id))

    def version(self, template_id: str, version: str) -> VersionText:
        """A former version's text and what was changed since. Raises NotFound."""
        template = self._library.get(template_id)
        found, data = history.text_of(self._root, self._versions(template), version)
        now = self._library.text(template_id).decode("utf-8", "replace")
        text = data.decode("utf-8", "replace")
        return VersionText(found, text, history.diff(text, now, version, "current"))

    # -- changing -------------------------------------------------------------------------------------------

    def create(
        self, text: str | None = None, document: Mapping[str, Any] | None = None, shelf: Shelf = "private"
    ) -> Template:
        """A new template. Raises TemplateBroken, Conflict when its id is taken, Forbidden, NoSpace."""
        data = self._data(text, document)
        found = texts.accept(data, self._library.known_checks).template
        return self._create(data, found.id, shelf)

    def save(
        self,
        template_id: str,
        text: str | None = None,
        document: Mapping[str, Any] | None = None,
        if_match: str | None = None,
    ) -> Template:
        """Replace a template's text; a ``document`` becomes an edit of it, so that comments stay.

        ``if_match`` is the hash that the change is based on. Raises PreconditionRequired without one,
        PreconditionFailed (with the current hash and text) when the file is another by now, TemplateBroken, Forbidden,
        NoSpace.
        """
        with self._opened(template_id, if_match) as file:
            data = self._data(text, document, file.data)
            found = texts.accept(data, self._library.known_checks).template
            if found.id != file.template.id and file.template.problem is None:
                message = f"The id stays {file.template.id!r} for good; clone the template to have another."
                raise TemplateBroken(message, [FieldError("/template/id", message)])
            other = self._library.find(found.id)
            if other is not None and other.path != file.template.path:
                raise Conflict(f"The id {found.id!r} is already used. Give the template another id.")
            self._require_origins(file.template, found)
            self._replace(file, data)
        return self._changed(found.id)

    def delete(self, template_id: str, if_match: str | None = None) -> Template:
        """Move a template to the user's archive; ``restore`` brings it back. Answers with the archived one."""
        with self._opened(template_id, if_match) as file, failures("archive the template"):
            stamp = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y%m%dT%H%M%S%fZ")
            name = f"{PurePath(file.name).stem[:150]}.{stamp}.yaml"
            with shelfwriter.own_folder(self._root, "archived", self._user) as archive:
                shelfwriter.create(archive, name, file.data, shelfwriter.PRIVATE_FILE)
                try:
                    shelfwriter.remove(file.handle, file.name)
                except OSError:
                    shelfwriter.remove(archive, name)
                    raise
        self._changed(template_id, must_be=False)
        path = str(self._root / "archived" / self._user / name)
        archived = self._library.snapshot().archived.values()
        return self._library.whole(next(each for each in archived if each.path == path))

    def restore(self, template_id: str) -> Template:
        """Bring an archived template back, to the private shelf. Raises Conflict when its id is taken meanwhile."""
        template = next((t for t in self._library.templates(source="archived") if t.id == template_id), None)
        if template is None:
            raise TemplateNotFound(f"There is no archived template {template_id[:200]!r}.")
        archive, name = ("archived", self._user), PurePath(template.path).name
        with failures("restore the template"):
            with shelfwriter.folder(self._root, archive) as handle:
                data, _ = shelfwriter.read_whole(handle, name)
            found = texts.accept(data, self._library.known_checks).template
            data = texts.relabelled(data, {"is_public": False}) if found.is_public else data
            restored = self._create(data, found.id, "private")
            with shelfwriter.folder(self._root, archive) as handle:
                shelfwriter.remove(handle, name)
        self._library.refresh()
        return restored

    def restore_version(self, template_id: str, version: str, if_match: str | None = None) -> Template:
        """Save a former version's text again."""
        found = self.version(template_id, version)
        return self.save(template_id, text=found.text, if_match=if_match)

    def clone(self, template_id: str, new_name: str) -> Template:
        """A private copy under another name, without its author's account. Broken ones cannot be cloned."""
        source = self._library.get(template_id)
        data = self._library.text(template_id)
        texts.accept(data, self._library.known_checks)
        head = {
            "id": self._free_id(new_name),
            "name": new_name,
            "display_name": new_name,
            "author": self._user,
            "is_public": False,
            "cloned_from": self.origins(template_id),
        }
        copy = texts.relabelled(data, head, drop_authors_own=not self._is_mine(source))
        return self.create(text=copy.decode("utf-8-sig"))

    def import_(self, text: str, is_public: bool = False) -> Template:
        """A template from elsewhere. When its id is taken it gets a free one; another's account is left out."""
        data = self._data(text, None)
        found = texts.accept(data, self._library.known_checks).template
        self._library.refresh()
        head: dict[str, Any] = {}
        if self._library.find(found.id) is not None:
            head["id"] = self._free_id(found.id)
        if found.is_public != is_public:
            head["is_public"] = is_public
        data = texts.relabelled(data, head, drop_authors_own=found.author != self._user)
        return self._create(data, head.get("id", found.id), "community" if is_public else "private")

    def share(self, template_id: str) -> Template:
        """Move a private template to the community shelf, for everybody to use. Its private history stays private."""
        return self._move(template_id, "private", "community")

    def unshare(self, template_id: str) -> Template:
        """Take one's own template back from the community shelf."""
        return self._move(template_id, "community", "private")

    # -- the steps ------------------------------------------------------------------------------------------

    def _data(
        self, text: str | None, document: Mapping[str, Any] | None, former: bytes | None = None
    ) -> bytes:
        if (text is None) == (document is None):
            raise InvalidInput("Send either the text or the document of the template.")
        if document is not None:
            return texts.text_of(document, self._library.known_checks, former)
        return (text or "").encode("utf-8", "surrogatepass")

    def _create(self, data: bytes, template_id: str, shelf: Shelf) -> Template:
        name = shelfwriter.file_name(template_id)
        with self._locked() as own:
            self._library.refresh()
            if (other := self._library.find(template_id)) and other.source != "archived":
                raise Conflict(
                    f"The id {template_id!r} is already used by a template of the {other.source} shelf."
                    " Give yours another id."
                )
            with failures("save the template"):
                self._put(own, shelf, name, data)
        return self._changed(template_id)

    def _put(self, own: int, shelf: Shelf, name: str, data: bytes) -> None:
        try:
            if shelf == "private":
                shelfwriter.create(own, name, data, shelfwriter.PRIVATE_FILE)
                return
            with shelfwriter.folder(self._root, ("community",)) as handle:
                shelfwriter.create(handle, name, data, shelfwriter.PUBLIC_FILE)
        except FileExistsError:
            if self._is_there(shelf, name, data):  # a crash came between the two halves of a move
                return
            raise Conflict(
                f"There is already a file {name!r} on the {shelf} shelf. Give the template another id."
            ) from None

    def _is_there(self, shelf: Shelf, name: str, data: bytes) -> bool:
        parts = ("community",) if shelf == "community" else ("private", self._user)
        with shelfwriter.folder(self._root, parts) as handle:
            found, info = shelfwriter.read_whole(handle, name)
        return found == data and info.st_uid == os.geteuid()

    def _replace(self, file: _Open, data: bytes) -> None:
        if data == file.data:
            return
        public = file.template.source == "community"
        mode = shelfwriter.PUBLIC_FILE if public else shelfwriter.PRIVATE_FILE
        with failures("save the template"):
            self._keep(file)
            shelfwriter.replace(file.handle, file.name, data, mode, file.info)

    def _keep(self, file: _Open) -> None:
        owner = file.template.owner if file.template.source == "community" else self._user
        parts, mode = history.folders(file.template.source, owner, file.template.id)[0]
        history.keep(self._root, parts, mode, file.data, file.info, self._clock)

    def _move(self, template_id: str, source: Shelf, target: Shelf) -> Template:
        template = self._library.get(template_id)
        if template.source == target:
            return template
        if template.source != source:
            raise Forbidden(
                f"A template of the {template.source} shelf cannot be moved to the {target} shelf."
            )
        with self._opened(template_id, ANY) as file, self._private() as own, failures("move the template"):
            if file.info.st_uid != os.geteuid():
                raise Forbidden("Only the owner of a shared template can take it back.")
            texts.accept(file.data, self._library.known_checks)
            data = texts.relabelled(file.data, {"is_public": target == "community"})
            self._keep(file)
            self._put(own, target, shelfwriter.file_name(template_id), data)
            shelfwriter.remove(file.handle, file.name)
        return self._changed(template_id)

    @contextmanager
    def _private(self) -> Iterator[int]:
        """The user's own directory; a user's own library is made when the first template is saved."""
        with failures("open your private shelf"):
            if not os.path.isdir(self._root) or self._is_own_root():
                init_shelves(self._root, user=self._user)
            with shelfwriter.own_folder(self._root, "private", self._user) as own:
                yield own

    def _is_own_root(self) -> bool:
        missing = not (self._root / "private" / self._user).is_dir()
        return missing and os.stat(self._root).st_uid == os.geteuid()

    @contextmanager
    def _locked(self) -> Iterator[int]:
        with self._private() as own, shelfwriter.locked(own):
            yield own

    @contextmanager
    def _opened(self, template_id: str, if_match: str | None) -> Iterator[_Open]:
        """The template's file, under the lock, when it may be changed and is what the change is based on."""
        with self._locked():
            self._library.refresh()
            template = self._library.get(template_id)
            self._require_right(template)
            if if_match is None:
                raise PreconditionRequired(
                    "Send If-Match with the hash of the text that your change is based on."
                )
            *parts, name = PurePath(template.path).relative_to(self._root).parts
            with failures("open the template"), shelfwriter.folder(self._root, parts) as handle:
                data, info = shelfwriter.read_whole(handle, name)
                digest = hashlib.sha256(data).hexdigest()
                if if_match not in (ANY, digest):
                    raise PreconditionFailed(
                        "The template was changed meanwhile. Compare it with yours, and save again.",
                        hash=digest,
                        text=data.decode("utf-8", "replace"),
                    )
                yield _Open(template, handle, name, data, info)

    def _require_right(self, template: Template) -> None:
        if template.source == "official" or template.path.startswith(PACKAGED):
            raise Forbidden("Official templates cannot be changed here. Clone it to have your own.")
        if template.source == "archived":
            raise Forbidden("An archived template cannot be changed. Restore it first.")
        if not template.can_edit:
            raise Forbidden(f"This template belongs to {template.owner}. Clone it to have your own.")

    def _require_origins(self, former: Template, found: Template) -> None:
        """A copy of a template that the site has decided about stays one."""
        for name in former.cloned_from:
            if name not in found.cloned_from and self._library.policy.binds_copies(name):
                message = f"The site has rules for {name!r} and its copies: {name!r} stays in cloned_from."
                raise Forbidden(message, [FieldError("/template/cloned_from", message)])

    def _is_mine(self, template: Template) -> bool:
        return template.source == "private" or (bool(template.owner) and template.owner == self._user)

    def _versions(self, template: Template) -> list[Version]:
        if template.path.startswith(PACKAGED) or template.source in ("official", "archived"):
            return []
        owner = template.owner if template.source == "community" else self._user
        places = [parts for parts, _ in history.folders(template.source, owner, template.id)]
        if owner != self._user:
            places = places[:1]
        uid = os.stat(template.path, follow_symlinks=False).st_uid if os.path.lexists(template.path) else -1
        return history.versions(self._root, places, uid)

    def _free_id(self, name: str) -> str:
        """An id for a name in any language."""
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._").lower()[:80] or "template"
        self._library.refresh()
        candidate, number = stem, 1
        while not is_id(candidate) or self._library.find(candidate) is not None:
            number += 1
            candidate = f"{stem}-{number}"
        return candidate

    def _changed(self, template_id: str, must_be: bool = True) -> Template:
        """Let this process's list know at once, and everybody's by an event."""
        self._library.refresh()
        self._events.publish("templates", "templates_changed", {"ids": [template_id]}, durable=True)
        found = self._library.find(template_id)
        if found is None and must_be:
            raise TemplateNotFound(f"The template {template_id!r} was removed by someone else meanwhile.")
        return found  # type: ignore[return-value]
