"""What can go wrong in a pull: a try, a request that the server refuses, a site."""

from __future__ import annotations

from flows.errors import SourceError


class FailedTry(Exception):  # noqa: N818 - one try of several: not yet an error
    """A request that may succeed when it is made again, after `retry_after` seconds where the server says so.

    `remedy` is what to do when it never does.
    """

    def __init__(
        self,
        reason: str,
        retry_after: float | None = None,
        remedy: str = "see whether the server is well",
    ) -> None:
        super().__init__(reason)
        self.reason, self.retry_after, self.remedy = reason, retry_after, remedy


class WrongContent(FailedTry):
    """What came is whole, and can't be data: a try must not go on from it."""


class Refused(Exception):  # noqa: N818 - the caller decides whether it is an error
    """An answer that stays the same however often one asks: its HTTP status."""

    def __init__(self, status: int, place: str) -> None:
        super().__init__(f"{place} answered {status}")
        self.status, self.place = status, place

    @property
    def is_gone(self) -> bool:
        return self.status in (404, 410)


class SiteFailure(SourceError):  # noqa: N818 - the word of `meta.pull` and of its line
    """A site's pull ended: at which step, what happened, what to do. Holds no URL's query and no secret."""

    def __init__(self, step: str, happened: str, remedy: str) -> None:
        super().__init__(f"{step}: {happened}; {remedy}")
        self.step, self.happened, self.remedy = step, happened, remedy


class ServerFailure(SiteFailure):
    """The server failed at the step, or refused it, as often as it is worth asking for in one run."""


class WaitTooLong(SiteFailure):
    """The server asks for a longer wait, in seconds, than the site's configuration allows."""

    def __init__(self, step: str, seconds: float, longest: float) -> None:
        super().__init__(
            step,
            f"the server asks to wait {seconds:.0f} seconds, longer than `retry.longest` ({longest:g})",
            "run again later, or raise it",
        )
        self.seconds = seconds


GOES_ON = "the next run goes on from there"


def refusal(step: str, refused: Refused) -> ServerFailure:
    """The failure that an answer makes of a step, with what to do about its status."""
    remedies = {
        400: "the server doesn't take what is asked for; see `types`, `type_filter` and `group` of the site",
        401: "the credentials were refused; check `auth` and its keys with the hospital",
        403: "the credentials don't allow this; ask the hospital for access to the site's `types`",
        404: "nothing is there; check `url`, `group` and `types` of the site",
        405: "the server doesn't offer this; check `source` and `level` of the site",
    }
    return ServerFailure(step, str(refused), remedies.get(refused.status, "ask the hospital, then run again"))
