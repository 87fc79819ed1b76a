"""Images over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from ..errors import InvalidInput
from ..images.model import Image
from ..times import moment
from .base import SlurmDashHandler


class ImagesHandler(SlurmDashHandler):
    path = "/api/apptainer/images"

    async def get(self) -> None:
        query = self.query()
        limit, cursor = query.pop("limit"), query.pop("cursor")
        self.send_cached(await self.call(_list, self.dash.catalog, query, limit, cursor))


class ImageHandler(SlurmDashHandler):
    path = "/api/apptainer/images/{id}"

    async def get(self, id: str) -> None:
        catalog = self.dash.catalog
        if _is_uuid(id):
            self.send_cached((await self.call(catalog.image, id)).to_json())
            return
        images = await self.call(catalog.on_node, id)
        self.send_cached(await self.call(_image_list, catalog, images, len(images), None))


class ImageMetadataHandler(SlurmDashHandler):
    path = "/api/apptainer/images/{id}/metadata"

    async def get(self, id: str) -> None:
        self.send_cached((await self.call(self.dash.catalog.image, id)).metadata_json())


class ImageAppsHandler(SlurmDashHandler):
    path = "/api/apptainer/images/{id}/apps"

    async def get(self, id: str) -> None:
        image = await self.call(self.dash.catalog.image, id)
        self.send_cached({"apps": image.metadata_json()["apps"]})


class ImageWhereHandler(SlurmDashHandler):
    path = "/api/apptainer/images/{id}/where"

    async def get(self, id: str) -> None:
        self.send_cached((await self.call(self.dash.catalog.where, id)).to_json())


class ImageRunsHandler(SlurmDashHandler):
    path = "/api/apptainer/images/{id}/runs"

    async def get(self, id: str) -> None:
        image = await self.call(self.dash.catalog.image, id)
        self.send((await self.call(self.dash.jobs.image_runs, image)).to_json())


class ImageDraftHandler(SlurmDashHandler):
    path = "/api/apptainer/images/{id}/draft"

    async def get(self, id: str) -> None:
        self.send((await self.call(self.dash.template_draft, id, self.query().get("app"))).to_json())


class ImageDigestHandler(SlurmDashHandler):
    path = "/api/apptainer/images/{id}/digest"

    async def get(self, id: str) -> None:
        self.send((await self.call(self.dash.integrity.task, "digest", id)).to_json())

    async def post(self, id: str) -> None:
        self.send((await self.call(self.dash.integrity.start, "digest", id)).to_json(), 202)


class ImageVerifyHandler(SlurmDashHandler):
    path = "/api/apptainer/images/{id}/verify"

    async def get(self, id: str) -> None:
        self.send((await self.call(self.dash.integrity.task, "verify", id)).to_json())

    async def post(self, id: str) -> None:
        self.send((await self.call(self.dash.integrity.start, "verify", id)).to_json(), 202)


class FamiliesHandler(SlurmDashHandler):
    path = "/api/apptainer/families"

    async def get(self) -> None:
        families = await self.call(self.dash.catalog.families, **self.query())
        self.send_cached({"families": [family.to_json() for family in families], "total": len(families)})


class ScansHandler(SlurmDashHandler):
    path = "/api/apptainer/scan"

    async def post(self) -> None:
        scan = await self.call(self.dash.catalog.start_scan, self.body().get("nodes") or None)
        self.send(scan.to_json(), 202)


class ScanHandler(SlurmDashHandler):
    path = "/api/apptainer/scan/{scan_id}"

    async def get(self, scan_id: str) -> None:
        self.send((await self.call(self.dash.catalog.get_scan, scan_id)).to_json())


def _list(catalog: Any, query: dict[str, Any], limit: int, cursor: str | None) -> dict[str, Any]:
    # What is there already is read before a scan would be in the way.
    images = catalog.images(**query)
    catalog.refresh_if_stale()
    return _image_list(catalog, images, limit, cursor)


def _image_list(catalog: Any, images: Sequence[Image], limit: int, cursor: str | None) -> dict[str, Any]:
    """A page of the images as the contract's ``ImageList``."""
    start = _start(images, cursor) if cursor else 0
    page = images[start : start + limit]
    more = start + len(page) < len(images)
    looks = catalog.looks()
    return {
        "images": [image.to_json() for image in page],
        "total": len(images),
        "next_cursor": f"{start + len(page)}.{page[-1].id}" if more and page else None,
        "scanned_at": moment(looks.at),
        "scanning": catalog.scanning,
        "read_only": catalog.read_only,
        "node_errors": [error.to_json() for error in looks.node_errors()],
    }


def _start(images: Sequence[Image], cursor: str) -> int:
    """Where the page after ``cursor`` begins, also when images came or went since the page before."""
    number, _, last = cursor.partition(".")
    if not number.isdecimal() or len(number) > 9:
        raise InvalidInput("The cursor is not one that this list gave. Begin without one.")
    return next((index + 1 for index, image in enumerate(images) if image.id == last), int(number))


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


routes = [
    ImagesHandler,
    ImageHandler,
    ImageMetadataHandler,
    ImageAppsHandler,
    ImageWhereHandler,
    ImageRunsHandler,
    ImageDraftHandler,
    ImageDigestHandler,
    ImageVerifyHandler,
    FamiliesHandler,
    ScansHandler,
    ScanHandler,
]
