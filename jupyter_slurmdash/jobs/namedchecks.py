"""The named checks that come with the package: what a template may ask for in its ``validation`` section."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from ..formats.textdata import first_bad_row
from ..slurm.values import gpus
from .checkcontext import CheckContext
from .model import Check

audit = logging.getLogger("jupyter_slurmdash.audit")


def check_gpu_availability(context: CheckContext) -> Iterator[Check]:
    """Does the partition have as many GPUs on a node as the job asks for?"""
    wanted = gpus(str(context.plan.options.get("gres") or ""))
    most = max((node.gpus for node in context.nodes), default=0)
    if wanted > most:
        where = context.partition.name if context.partition else "this cluster"
        yield Check(
            "check_gpu_availability",
            "error",
            f"The job asks for {wanted} GPUs on a node; {where} has at most {most}.",
            "/options/gres",
        )


def validate_dataset_size(context: CheckContext) -> Iterator[Check]:
    """Is there room for the data, unpacked beside itself?"""
    size = sum(file.size for file in context.plan.files if file.type == "data")
    if size > context.free_bytes:
        yield Check(
            "validate_dataset_size",
            "error",
            f"The data has {size} bytes, but only {context.free_bytes} are free where the job runs.",
            "/files",
        )


def validate_dat_format(context: CheckContext) -> Iterator[Check]:
    """Are the .dat files columns of numbers?"""
    for file in context.plan.files:
        if file.name.lower().endswith(".dat"):
            bad = first_bad_row(file.path)
            if bad is not None:
                yield Check(
                    "validate_dat_format",
                    "error",
                    f"{file.name} line {bad[0]}: {bad[1]}",
                    f"/files/{file.slot}",
                )


def notify_user(context: CheckContext) -> Iterator[Check]:
    """After submit: tell the open panels."""
    if context.record is not None:
        context.events.publish(
            "jobs",
            "job_submitted",
            {"job_id": context.record.job_id, "name": context.record.name},
            durable=True,
        )
    return iter(())


def log_submission(context: CheckContext) -> Iterator[Check]:
    """After submit: one line in the audit log."""
    if context.record is not None:
        record = context.record
        audit.info(
            "submitted job_id=%s user=%s template=%s image=%s",
            record.job_id,
            record.user,
            record.template_id,
            record.image_path,
        )
    return iter(())
