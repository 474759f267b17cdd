"""REST searches: each type's pages, several types at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from flows.config import Site
from flows.pull.failures import Refused, SiteFailure, refusal
from flows.pull.http import Connection
from flows.pull.pages import Pages, Paging, land_pages
from flows.pull.site_pull import SitePull
from flows.pull.urls import with_query

MOST_FAILED = 3  # types: then the server isn't well, and the others are left for the next run


def search_url(site: Site, resource_type: str, since: str | None) -> str:
    """The address of a type's first page; its lower bound is inclusive, so that nothing falls between pulls."""
    included = [one for one in site.include if one.partition(":")[0] == resource_type]
    parameters = [
        *([("_lastUpdated", f"ge{since}")] if since else []),
        *([("_count", str(site.count))] if site.count else []),
        *(("_include", one) for one in included),
    ]
    return with_query(f"{site.url}/{resource_type}", parameters)


def pull_searches(
    pull: SitePull, connection: Connection, searches: dict[str, Paging], since: dict[str, str | None]
) -> dict[str, str | None]:
    """Lands the pages of each type; gives each type's next lower bound. Raises SiteFailure."""
    failures: list[SiteFailure | OSError] = []
    is_over = threading.Event()

    def search(resource_type: str) -> None:
        if is_over.is_set():
            return
        url = search_url(pull.site, resource_type, since[resource_type])
        pages = Pages(url, f"search of {resource_type}", "page", resource_type)
        try:
            land_pages(pull, connection, pages, searches[resource_type])
        except Refused as refused:
            failures.append(refusal(pages.step, refused))
        except (SiteFailure, OSError) as failure:
            failures.append(failure)
            if isinstance(failure, OSError):
                is_over.set()
        if len(failures) >= MOST_FAILED:
            is_over.set()

    with ThreadPoolExecutor(pull.site.rate.concurrent) as pool:
        list(pool.map(search, searches))
    for failure in failures:
        raise failure
    return {name: paging["bound"] for name, paging in searches.items()}
