"""A run held to the threads of its job."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from regionalize.model.job import Job

Given = ParamSpec("Given")
Source = TypeVar("Source")
Result = TypeVar("Result")


def held_to_jobs(
    work: Callable[Concatenate[Source, Job, Given], Result],
) -> Callable[Concatenate[Source, Job, Given], Result]:
    """Return a function of a source and a job that takes no more threads than the job says."""

    @wraps(work)
    def held(source: Source, job: Job, *args: Any, **given: Any) -> Result:
        from regionalize.kernels.threads import at_most

        with at_most(job.jobs):
            return work(source, job, *args, **given)

    return cast("Callable[Concatenate[Source, Job, Given], Result]", held)
