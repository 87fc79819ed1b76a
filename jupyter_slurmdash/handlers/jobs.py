"""Jobs over HTTP."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from ..errors import FileNotInJob, InvalidInput
from ..jobs.model import JobSpec
from ..times import moment
from .base import SlurmDashHandler

_PIECE = 256 * 1024


class SubmitHandler(SlurmDashHandler):
    path = "/api/jobs/submit"

    async def post(self) -> None:
        spec = JobSpec.from_json(self.resolve_paths(self.body()))
        record, new = await self.call(
            self.dash.jobs.submit, spec, self.request.headers.get("Idempotency-Key")
        )
        self.send(record.to_json(), 201 if new else 200)


class PreviewHandler(SlurmDashHandler):
    path = "/api/jobs/preview"

    async def post(self) -> None:
        spec = JobSpec.from_json(self.resolve_paths(self.body()))
        self.send((await self.call(self.dash.jobs.preview, spec)).to_json())


class EstimateHandler(SlurmDashHandler):
    path = "/api/jobs/estimate"

    async def post(self) -> None:
        spec = JobSpec.from_json(self.resolve_paths(self.body()))
        self.send({"accepted": True, "message": await self.call(self.dash.jobs.test, spec)})


class JobsHandler(SlurmDashHandler):
    path = "/api/jobs"

    async def get(self) -> None:
        query = self.query()
        page = await self.call(
            self.dash.jobs.page,
            state=query["state"] or "",
            q=query["q"] or "",
            since=_seconds(query["since"]),
            limit=query["limit"],
            cursor=query["cursor"],
        )
        watcher = self.dash.jobs.watcher
        self.send_cached(
            {
                "jobs": [job.to_json() for job in page.jobs],
                "total": page.total,
                "next_cursor": page.next_cursor,
                "seen_at": moment(watcher.seen_at),
                "stale": watcher.stale,
            }
        )


class JobHandler(SlurmDashHandler):
    path = "/api/jobs/{id}"

    async def get(self, id: str) -> None:
        self.send((await self.call(self.dash.jobs.refresh, id)).to_json())

    async def delete(self, id: str) -> None:
        self.send((await self.call(self.dash.jobs.cancel, id)).to_json(), 202)


class ScriptHandler(SlurmDashHandler):
    path = "/api/jobs/{id}/script"

    async def get(self, id: str) -> None:
        self.finish(await self.call(self.dash.jobs.script, id), set_content_type="text/plain; charset=utf-8")


class JobDraftHandler(SlurmDashHandler):
    path = "/api/jobs/{id}/draft"

    async def get(self, id: str) -> None:
        self.send((await self.call(self.dash.drafts.of_job, id)).to_json())


class LogHandler(SlurmDashHandler):
    path = "/api/jobs/{id}/log"

    async def get(self, id: str) -> None:
        query = self.query()
        piece = await self.call(self.dash.jobs.log, id, query["stream"], query["offset"], query["limit"])
        self.send(piece.to_json())


class FilesHandler(SlurmDashHandler):
    path = "/api/jobs/{id}/files"

    async def get(self, id: str) -> None:
        record = await self.call(self.dash.jobs.get, id)
        files, truncated = await self.call(self.dash.jobs.files, id)
        self.send(
            {
                "files": [file.to_json() for file in files],
                "total": len(files),
                "workdir": record.workdir,
                "truncated": truncated,
            }
        )


class FileHandler(SlurmDashHandler):
    path = "/api/jobs/{id}/files/{path}"

    async def get(self, id: str, path: str) -> None:
        target = await self.call(self.dash.jobs.file, id, path)
        try:
            file = await self.call(target.open, "rb")
        except OSError as error:  # closed to this user, or gone since
            raise FileNotInJob(f"The file {path!r} cannot be read: {error.strerror}.") from error
        # Always a download, never a page of ours: a result may hold anybody's HTML.
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(target.name, safe='')}")
        with file:
            while piece := await self.call(file.read, _PIECE):
                self.write(piece)
                try:
                    await self.flush()
                except StreamClosedError:  # the download was given up
                    return
        self.finish(set_content_type="application/octet-stream")


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise InvalidInput("`since` is a time such as 2026-01-31T12:00:00Z.") from error


routes = [
    SubmitHandler,
    PreviewHandler,
    EstimateHandler,
    JobsHandler,
    ScriptHandler,
    JobDraftHandler,
    LogHandler,
    FilesHandler,
    FileHandler,
    JobHandler,
]
