"""The tables, as SQLAlchemy Core sees them. The schema itself is made by ``migrations/`` and a test holds both equal.

Times are seconds since the epoch (float, UTC); JSON columns hold plain lists and objects.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

images = Table(
    "apptainer_images",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("node", String(255), nullable=False),
    Column("partitions", JSON, nullable=False),
    Column("type", String(16), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("version", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("facts_id", String(32), nullable=False),
    Column("digest", String(80)),
    Column("verdict", JSON(none_as_null=True)),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("last_scanned", Float, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Index("idx_images_node", "node"),
    Index("idx_images_type", "type"),
    Index("idx_images_active", "is_active", "updated_at", "last_scanned"),
)

# What images say of themselves, once for all that say the same. Which are still meant only ``images`` knows: there is
# no foreign key, whose check would look through all of them for each row that goes.
image_facts = Table(
    "image_facts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("facts", JSON, nullable=False),
)

scans = Table(
    "image_scans",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("nodes", JSON, nullable=False),
)

upload_sessions = Table(
    "upload_sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("user", String(255), nullable=False),
    Column("template_id", String(200)),
    Column("state", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Index("idx_upload_sessions_expires", "expires_at"),
)

upload_files = Table(
    "upload_files",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("session_id", String(36), ForeignKey("upload_sessions.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("type", String(16), nullable=False),
    Column("slot", String(100), nullable=False),
    Column("size", BigInteger),
    Column("offset", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", String(64)),
    Column("problem", Text),
    Column("pinned", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Index("idx_upload_files_session", "session_id"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("run_id", String(36), primary_key=True),
    Column("cluster", String(255), nullable=False),
    Column("job_id", String(64)),
    Column("user", String(255), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("raw_state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("partition", String(255), nullable=False),
    Column("nodes", Text, nullable=False),
    Column("workdir", Text, nullable=False),
    Column("ours", Boolean, nullable=False),
    Column("template_id", String(200)),
    Column("template_version", String(64)),
    Column("template_hash", String(64)),
    Column("image_id", String(36)),
    Column("image_path", Text),
    Column("sif_id", String(64)),
    Column("image_digest", String(80)),
    Column("image_size", BigInteger),
    Column("image_mtime_ns", BigInteger),
    Column("request", JSON, nullable=False),
    Column("script", Text, nullable=False),
    Column("idempotency_key", String(100)),
    Column("submitted_at", Float),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("elapsed", Integer),
    Column("time_limit", Integer),
    Column("exit_code", Integer),
    Column("seen_at", Float),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("user", "idempotency_key", name="uq_jobs_idempotency"),
    Index("idx_jobs_job_id", "cluster", "job_id"),
    Index("idx_jobs_user_created", "user", "created_at"),
    Index("idx_jobs_state", "state"),
    Index(
        "idx_jobs_history",
        *("user", "cluster", "created_at", "template_id", "state", "submitted_at", "started_at", "elapsed"),
    ),
)

template_checks = Table(
    "template_checks",
    metadata,
    Column("user", String(255), primary_key=True),
    Column("cluster", String(255), primary_key=True),
    Column("template_id", String(200), primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("level", String(16), nullable=False),
    Column("steps", JSON, nullable=False),
    Column("checked_at", Float, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("origin", String(36), nullable=False),
    Column("time", Float, nullable=False),
    Column("user", String(255), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("type", String(64), nullable=False),
    Column("data", JSON, nullable=False),
    Index("idx_events_time", "time"),
    sqlite_autoincrement=True,
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("owner", String(36), nullable=False),
    Column("expires_at", Float, nullable=False),
)
