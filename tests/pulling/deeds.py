"""What a server can do wrong: each function gives a deed, which makes another answer of the calm one."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
from collections.abc import Callable
from typing import Any

from tests.pulling.hospital import FAMILY, measured
from tests.pulling.server import Deed, Server
from tests.pulling.wire import Request, Response, Send, http_date, outcome, reset

# What servers say of themselves may hold a patient's name; we must not repeat it.
DIAGNOSTICS = f"something with patient {FAMILY}"
LOGIN = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"


def says(status: int, **headers: str) -> Deed:
    """Another status, with an OperationOutcome."""
    return lambda server, request, response: outcome(status, DIAGNOSTICS, **headers)


def says_when(status: int, seconds: float) -> Deed:
    """Another status, with the hour from which on it may be asked again, by the hospital's clock."""

    def deed(server: Server, request: Request, response: Response) -> Response:
        return outcome(
            status, DIAGNOSTICS, Retry_After=http_date(server.now() + dt.timedelta(seconds=seconds))
        )

    return deed


def sends(send: Send) -> Deed:
    """The calm answer, sent in another way."""
    return lambda server, request, response: response.sent(send)


def sends_chunks(send: Send) -> Deed:
    """The calm answer, sent in another way, its length unknown."""
    return lambda server, request, response: Response(
        response.status, response.body, response.headers, send, is_chunked=True
    )


def login(server: Server, request: Request, response: Response) -> Response:
    """A page to sign in, with status 200."""
    return Response(200, LOGIN, {"Content-Type": "text/html; charset=utf-8"})


def login_as_ndjson(server: Server, request: Request, response: Response) -> Response:
    """The same, declared to be what was asked for."""
    return Response(200, LOGIN, {"Content-Type": "application/fhir+ndjson"})


def login_after_blank_lines(server: Server, request: Request, response: Response) -> Response:
    """The same, as templates make it."""
    return Response(200, b"\r\n" * 2000 + LOGIN, {"Content-Type": "application/fhir+ndjson"})


def declared(content_type: str) -> Deed:
    """The calm answer under another type."""
    return lambda server, request, response: response.with_headers(Content_Type=content_type)


def gzip_cut(server: Server, request: Request, response: Response) -> Response:
    """The body packed, and half of it sent as though it were all."""
    packed = gzip.compress(response.body)
    kept = {k: v for k, v in response.headers.items() if k not in ("ETag", "Accept-Ranges")}
    return Response(200, packed[: len(packed) // 2], {**kept, "Content-Encoding": "gzip"})


def tokens_end(server: Server, request: Request, response: Response) -> Response:
    """Every token ends before this request is looked at."""
    server.authorization.forget_tokens()
    return server.authorization.refuses(request) or response


def redirect(status: int, to: Callable[[Server, Request], str]) -> Deed:
    """Sends the other side to another address."""
    return lambda server, request, response: Response(status, headers={"Location": to(server, request)})


def elsewhere(server: Server, request: Request) -> str:
    """The same path at the second origin."""
    return server.elsewhere + request.target


def itself(server: Server, request: Request) -> str:
    """The very same address."""
    return server.origin + request.target


def body(content: bytes) -> Deed:
    """Another body."""
    return lambda server, request, response: Response(response.status, content, response.headers)


def changed(change: Callable[[Server, Any], Any]) -> Deed:
    """The calm answer's JSON, changed."""

    def deed(server: Server, request: Request, response: Response) -> Response:
        content = change(server, json.loads(response.body))
        return Response(response.status, json.dumps(content).encode(), response.headers)

    return deed


def _with_next(response: Response, url: str) -> Response:
    bundle = json.loads(response.body)
    bundle["link"] = [{"relation": "next", "url": url}]
    return Response(response.status, json.dumps(bundle).encode(), response.headers)


def next_is_itself(server: Server, request: Request, response: Response) -> Response:
    """A page whose `next` leads to the page itself."""
    return _with_next(response, server.origin + request.target)


def next_repeats(server: Server, request: Request, response: Response) -> Response:
    """A page whose `next` is another address of the same page."""
    return _with_next(response, f"{server.origin}{request.target}&again=1")


def next_is_half_a_character(server: Server, request: Request, response: Response) -> Response:
    """A page whose `next` can't be written in UTF-8."""
    return _with_next(response, f"{server.url}/Patient?at=1&page=\ud800")


def next_holds_a_name(server: Server, request: Request, response: Response) -> Response:
    """A page whose `next` has a patient's name in its query."""
    return _with_next(response, f"{server.origin}{request.target}?at=0&name={FAMILY}")


def next_is_elsewhere(server: Server, request: Request, response: Response) -> Response:
    """A page whose `next` lies at the second origin, which answers it."""
    link = next(
        (each["url"] for each in json.loads(response.body)["link"] if each["relation"] == "next"), None
    )
    return response if link is None else _with_next(response, link.replace(server.origin, server.elsewhere))


def updates(server: Server, request: Request, response: Response) -> Response:
    """A first and a last resource change after this answer was made, and before the next is."""
    for id in ("o0", "o29"):
        measured(server.hospital, id, "p0", 7.5, server.now())
    return response


def counts_one_more(server: Server, manifest: Any) -> Any:
    """The first file's count in the manifest is one too high."""
    manifest["output"][0]["count"] += 1
    return manifest


def without(*names: str) -> Callable[[Server, Any], Any]:
    """The JSON without some of its fields."""
    return lambda server, content: {k: v for k, v in content.items() if k not in names}


def with_time(written: str) -> Callable[[Server, Any], Any]:
    """A manifest with another transactionTime."""
    return lambda server, content: {**content, "transactionTime": written}


def strange_scopes(server: Server, content: Any) -> Any:
    """A SMART configuration whose lists are none."""
    return {**content, "scopes_supported": 5, "capabilities": True}


def adds(**headers: str) -> Deed:
    """The calm answer with more headers."""
    return lambda server, request, response: response.with_headers(**headers)


def drops(name: str) -> Deed:
    """The calm answer without a header."""
    return lambda server, request, response: Response(
        response.status, response.body, {k: v for k, v in response.headers.items() if k != name}
    )


def within(server: Server, request: Request) -> str:
    """Another address of the same place, at the same origin."""
    return f"{server.origin}{request.target}&redirected=1"


def status_elsewhere(server: Server, request: Request, response: Response) -> Response:
    """An export whose status is to be read at the second origin."""
    at = response.headers["Content-Location"].replace(server.origin, server.elsewhere)
    return Response(202, headers={"Content-Location": at})


def with_blank_lines(server: Server, request: Request, response: Response) -> Response:
    """The same lines, ended by CRLF, with blank ones between, and without an end after the last."""
    return Response(200, response.body.replace(b"\n", b"\r\n\n").rstrip(), response.headers)


def first_file_is(url: str) -> Callable[[Server, Any], Any]:
    """A manifest whose first file lies at another address."""
    return lambda server, content: _first_file(content, url=url)


def first_type_is(name: str) -> Callable[[Server, Any], Any]:
    """A manifest whose first file is said to be of another type."""
    return lambda server, content: _first_file(content, type=name)


def first_file_twice(server: Server, content: Any) -> Any:
    """A manifest that names its first file twice."""
    return {**content, "output": [content["output"][0], *content["output"]]}


def manifest_leads_to_itself(server: Server, content: Any) -> Any:
    """A manifest whose next page is the same page, for ever."""
    return {**content, "link": [{"relation": "next", "url": f"{server.url}/status/1?page=1"}]}


def _first_file(content: Any, **fields: str) -> Any:
    first, *rest = content["output"]
    return {**content, "output": [{**first, **fields}, *rest]}


def packed(server: Server, request: Request, response: Response) -> Response:
    """The body as gzip, though nothing says so."""
    kept = {k: v for k, v in response.headers.items() if k not in ("ETag", "Accept-Ranges")}
    return Response(200, gzip.compress(response.body), kept)


def packed_twice(server: Server, request: Request, response: Response) -> Response:
    """The body as gzip of gzip."""
    packed_once = packed(server, request, response)
    return Response(200, gzip.compress(packed_once.body), packed_once.headers)


def rest_ends_early(server: Server, request: Request, response: Response) -> Response:
    """Breaks off in the middle; asked for the rest, sends a part of it, and says so."""
    if response.status != 206:
        return response.sent(reset)
    start, size = map(int, re.findall(r"\d+", response.headers["Content-Range"])[::2])
    part = response.body[: len(response.body) // 2]
    told = f"bytes {start}-{start + len(part) - 1}/{size}"
    return Response(206, part, {**response.headers, "Content-Range": told})


def marked(server: Server, request: Request, response: Response) -> Response:
    """The body after a mark of UTF-8."""
    return Response(response.status, b"\xef\xbb\xbf" + response.body, response.headers)


def progress_in_html(server: Server, request: Request, response: Response) -> Response:
    """Progress as a page for people."""
    return Response(202, LOGIN, {"Content-Type": "text/html", "X-Progress": "a\tlittle"})


def first_file_relative(server: Server, content: Any) -> Any:
    """A manifest whose first file is named by its path only."""
    url = content["output"][0]["url"]
    return _first_file(content, url=url.removeprefix(server.origin))


def files_elsewhere(server: Server, content: Any) -> Any:
    """A manifest whose files all lie at the second origin."""
    output = [
        {**each, "url": each["url"].replace(server.origin, server.elsewhere)} for each in content["output"]
    ]
    return {**content, "output": output, "requiresAccessToken": True}


def with_empty_file(server: Server, content: Any) -> Any:
    """A manifest with one file more, of no lines."""
    server.extra["/empty.ndjson"] = lambda request: Response(200, b"")
    empty = {"type": "Condition", "url": f"{server.origin}/empty.ndjson", "count": 0}
    return {**content, "output": [*content["output"], empty]}


def first_line_only(server: Server, request: Request, response: Response) -> Response:
    """A file that lacks all lines but the first; whole by its length."""
    return Response(200, response.body.split(b"\n")[0] + b"\n", response.headers)
