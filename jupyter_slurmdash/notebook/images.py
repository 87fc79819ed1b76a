"""What a cell asks of the catalogue beside the list of images: families, and where an image lies."""

from __future__ import annotations

from ..errors import ImageNotFound
from ..images.catalog import Catalog
from ..images.families import Family, PartitionNodes, Whereabouts
from ..images.model import Image
from .tables import Table


class FamilyTable(Table[Family]):
    """Families with their versions, the newest first."""

    columns = ("family", "versions", "newest", "nodes")

    def row(self, item: Family) -> tuple[str, ...]:
        newest = item.versions[0]
        versions = ", ".join(dict.fromkeys(image.version or "-" for image in item.versions))
        return (item.name, versions, newest.name, ", ".join(newest.nodes))


class WhereTable(Table[PartitionNodes]):
    """The nodes of each partition with and without an image; ``shared`` when every node sees it."""

    columns = ("partition", "with it", "without it")

    def __init__(self, where: Whereabouts) -> None:
        super().__init__(where.partitions)
        self._where = where
        self.shared = where.shared

    def row(self, item: PartitionNodes) -> tuple[str, ...]:
        return (item.partition, ", ".join(item.nodes_with), ", ".join(item.nodes_without))

    def to_json(self) -> dict[str, object]:
        """The contract's ``ImageWhere``."""
        return self._where.to_json()


def find_image(catalog: Catalog, image: str) -> Image:
    """An image by its file name (the newest version) or its id. Raises ImageNotFound."""
    found = catalog.find_by_name(image)
    if found is not None:
        return found
    try:
        return catalog.image(image)
    except ImageNotFound:
        broken = [each for each in catalog.images() if image in (each.name, each.name.removesuffix(".sif"))]
        if broken:
            return broken[0]
        raise
