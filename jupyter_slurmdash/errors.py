"""Every error a user can meet, as data: a stable code, an HTTP status, a title and what to do.

The core raises these and knows nothing of HTTP; ``handlers/base.py`` writes them as RFC 9457
``application/problem+json``, the command line prints ``detail``, the notebook shows them as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldError:
    """One thing wrong in an input: ``pointer`` is a JSON Pointer (RFC 6901) into it, or a file's name."""

    pointer: str
    message: str

    def to_json(self) -> dict[str, str]:
        return {"pointer": self.pointer, "message": self.message}


class SlurmDashError(Exception):
    """Base of all expected errors. ``detail`` says what is wrong and what to do, in one or two sentences."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str, errors: Iterable[FieldError] = (), **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        self.extra = extra

    def to_problem(self) -> dict[str, object]:
        """The error as the members of a problem document (without ``request_id``, which the door adds)."""
        return {
            **self.extra,
            "type": f"slurmdash:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "errors": [error.to_json() for error in self.errors],
        }


class InvalidInput(SlurmDashError):
    code, status, title = "invalid-input", 400, "The input is not valid"


class Unauthenticated(SlurmDashError):
    code, status, title = "unauthenticated", 401, "Sign in first"


class Forbidden(SlurmDashError):
    code, status, title = "forbidden", 403, "Not allowed"


class CatalogReadOnly(Forbidden):
    code, title = "catalog-read-only", "The catalogue of images is only read here"


class NotFound(SlurmDashError):
    code, status, title = "not-found", 404, "Not found"


class ImageNotFound(NotFound):
    code, title = "image-not-found", "Image not found"


class ScanNotFound(NotFound):
    code, title = "scan-not-found", "Scan not found"


class TemplateNotFound(NotFound):
    code, title = "template-not-found", "Template not found"


class SessionNotFound(NotFound):
    code, title = "session-not-found", "Upload session not found"


class UploadNotFound(NotFound):
    code, title = "upload-not-found", "Upload not found"


class JobNotFound(NotFound):
    code, title = "job-not-found", "Job not found"


class FileNotInJob(NotFound):
    code, title = "file-not-found", "File not found"


class MethodNotAllowed(SlurmDashError):
    code, status, title = "method-not-allowed", 405, "Method not allowed"


class Conflict(SlurmDashError):
    code, status, title = "conflict", 409, "In conflict with what is there"


class OffsetMismatch(Conflict):
    code, title = "offset-mismatch", "The upload stands at another offset"


class SessionExpired(SlurmDashError):
    code, status, title = "session-expired", 410, "The upload session has expired"


class PreconditionFailed(SlurmDashError):
    code, status, title = "precondition-failed", 412, "Changed by someone else meanwhile"


class PreconditionRequired(SlurmDashError):
    code, status, title = "precondition-required", 428, "Say which version this is based on"


class TooLarge(SlurmDashError):
    code, status, title = "too-large", 413, "Too large"


class UnsupportedMediaType(SlurmDashError):
    code, status, title = "unsupported-media-type", 415, "Unsupported media type"


class TemplateBroken(SlurmDashError):
    code, status, title = "template-broken", 422, "The template has an error"


class ChecksFailed(SlurmDashError):
    code, status, title = "checks-failed", 422, "The job is not ready to submit"


class SchedulerRefused(SlurmDashError):
    code, status, title = "scheduler-refused", 422, "The scheduler refused the job"


class ChecksumMismatch(SlurmDashError):
    code, status, title = "checksum-mismatch", 460, "The checksum does not match the data"


class SchedulerUnavailable(SlurmDashError):
    code, status, title = "scheduler-unavailable", 503, "The scheduler does not answer"


class DatabaseUnavailable(SlurmDashError):
    code, status, title = "database-unavailable", 503, "The database does not answer"


class TransportError(SlurmDashError):
    """A machine could not be reached or did not do what was asked; ``reason`` is one stable word."""

    code, status, title = "node-unreachable", 502, "A node could not be reached"

    def __init__(self, detail: str, reason: str = "failed") -> None:
        super().__init__(detail, reason=reason)
        self.reason = reason


class StorageFailed(SlurmDashError):
    code, status, title = "storage-failed", 500, "The disk failed"


class NoSpace(SlurmDashError):
    code, status, title = "no-space", 507, "Not enough space"
