"""Work in slices that know nothing of each other, and what runs them: this process, several, or a cluster.

A job is what all slices have in common; whoever runs them opens it once for each worker, with a database of
its own. A slice says what to do; what it has come to so far is told again and again, so that a worker that is
lost has lost only what it had not told. The coordinator (`Slices`) hands slices out and takes in what they
come to; it alone writes anything down.

Jobs, slices and what is told are values: they are pickled.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

Asked = TypeVar("Asked")  # a slice
Told = TypeVar("Told")  # what a slice has come to so far
# The same for those who take one or hand it on
Takes = TypeVar("Takes", contravariant=True)
Tells = TypeVar("Tells", covariant=True)
Hears = TypeVar("Hears", contravariant=True)


class Worker(Protocol[Takes, Tells]):
    def run(self, asked: Takes, tell: Callable[[Tells], bool]) -> None:
        """Does a slice, and tells every now and then, at least every few seconds and at its end, all that it
        has come to; when that gives False, it ends the slice as soon as it can."""


class Job(Protocol[Takes, Tells]):
    def opened(self) -> AbstractContextManager[Worker[Takes, Tells]]:
        """A worker, with all that it needs."""


class Slices(Protocol[Asked, Hears]):
    """The coordinator of a job. All of it is called in one thread."""

    def take(self) -> Asked | None:
        """The next slice; None where there is none now. One that is lost can make for another."""

    def told(self, asked: Asked, news: Hears) -> None: ...

    def ended(self, asked: Asked) -> None: ...

    def lost(self, asked: Asked, why: str) -> None:
        """The worker of this slice is no more. why: what became of it, after the word "worker"."""

    def enough(self) -> bool:
        """Whether all slices are to end now; asked several times a second."""


class Engine(Protocol):
    """size: how many workers there are, or will be."""

    @property
    def size(self) -> int: ...

    def run(self, job: Job[Asked, Told], slices: Slices[Asked, Told]) -> None:
        """Until there are no slices left, or it is enough.

        TxfuzzError where no worker can be opened, or one after the other is lost without having told
        anything new.
        """
