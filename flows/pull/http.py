"""A site's connection: requests with its credentials to its own origin, redirects, and what counts as failed."""

from __future__ import annotations

import copy
import datetime as dt
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import requests
import urllib3

from flows.config import Site
from flows.pull.clock import Clock
from flows.pull.failures import FailedTry, Refused, SiteFailure
from flows.pull.politeness import Politeness
from flows.pull.transport import contexts, open_session
from flows.pull.tries import retry_after, tell_nobody, with_tries
from flows.pull.urls import is_private, is_web, joined, origin_of, told

BLOCK = 1 << 20
MOST_REDIRECTS = 10
DOCUMENT_LIMIT = 64 << 20  # bytes of a manifest or a token; pages of resources go to disk
FHIR_JSON = "application/fhir+json"
JSON = "application/json"
NDJSON = "application/fhir+ndjson"
TRIED_AGAIN = {408, 425, 429}
NEVER_TRIED_AGAIN = {501, 505}  # what a server doesn't do, it won't do in a second either
TLS_REMEDY = (
    "ask the hospital which TLS its server speaks, and whether it wants a client's certificate (`mtls`)"
)
FIREWALL_REMEDY = (
    "see whether the server is up, `url` has its port, and the firewall lets this machine through"
)
PAGE_REMEDY = "see whether `url` is the FHIR server's base, not a portal's, and the server is well"


class Authorizer(Protocol):
    """Gives the `Authorization` of a site, and another when the server doesn't take it any more."""

    def header(self) -> str | None: ...

    def renew(self, refused: str | None) -> bool: ...


class NoCredentials:
    """No authorization."""

    def header(self) -> str | None:
        return None

    def renew(self, refused: str | None) -> bool:
        return False


@dataclass(frozen=True)
class Ask:
    """A request; `step` is what a failure is told by. Credentials are for the site's own origin only."""

    url: str
    step: str
    accept: str = FHIR_JSON
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    has_credentials: bool = True
    keeps_window: bool = True


@dataclass(frozen=True)
class Document:
    """A small answer: its JSON object ({} where it has no body), and where it came from in the end."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: dict[str, Any]


class Connection:
    """All requests of one site, from any of its threads."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        politeness: Politeness | None = None,
        authorizer: Authorizer | None = None,
        tell: Callable[[str], None] = tell_nobody,
    ) -> None:
        if site.url is None or not is_web(site.url):
            raise SiteFailure(
                "connection", "`url` is no http or https address", "write the server's base URL"
            )
        self.site, self.clock, self.url, self.tell = site, clock, site.url, tell
        self.politeness = politeness or Politeness(site, clock)
        self._authorizer = authorizer or NoCredentials()
        self._threads = threading.local()
        self._origin = origin_of(self.url)
        try:
            self._contexts = contexts(site)
        except (OSError, ssl.SSLError) as error:
            raise SiteFailure(
                "connection", "`ca`, `cert` or `key` can't be read as a certificate", "give PEM files"
            ) from error

    def with_authorizer(self, authorizer: Authorizer) -> Connection:
        """The same connection, its sockets and certificates too, by other credentials."""
        other = copy.copy(self)
        other._authorizer = authorizer
        return other

    @contextmanager
    def answer(self, ask: Ask) -> Iterator[requests.Response]:
        """An answer of success, whose body is still to be read (once; compressed as it is).

        Raises FailedTry, Refused, or SiteFailure where neither another try nor another answer would help.
        """
        if ask.keeps_window:
            self.politeness.check_window(ask.step)
        authorization = self._authorization(ask)
        for is_second in (False, True):
            with ExitStack() as held:
                held.enter_context(self.politeness.request())
                with failing_tries(ask):
                    response = held.enter_context(closing(self._follow(ask, authorization)))
                if response.status_code != 401 or is_second or not self._is_own(response.url):
                    self._judge(response)
                    with failing_tries(ask):
                        yield response
                    return
            # Outside of the bound on requests: a new token needs requests of its own.
            if not self._authorizer.renew(authorization):
                raise Refused(401, told(ask.url))
            authorization = self._authorizer.header()

    def document(self, ask: Ask) -> Document:
        """The JSON object that the server answers with. Raises as `answer`; what is no JSON is a failed try."""
        with self.answer(ask) as response:
            data = b"".join(self.limited(response))
            # What is said while an export is under way is for people, and need not be JSON.
            is_told = response.status_code != 202 and ask.method != "DELETE"
            content = json_object(data, ask.url) if is_told else {}
            return Document(response.url, response.status_code, response.headers, content)

    def tried(self, ask: Ask, check: Callable[[Document], None] = lambda _: None) -> Document:
        """The same, with tries; `check` may raise FailedTry. Raises Refused or SiteFailure."""

        def attempt() -> Document:
            document = self.document(ask)
            check(document)
            return document

        return with_tries(self.site.retry, self.clock, ask.step, attempt, self.tell)

    def blocks(self, response: requests.Response) -> Iterator[bytes]:
        """The body as it comes, within the bytes a second. Raises FailedTry where it is shorter than told."""
        raw, most = response.raw, self.politeness.most_at_once(BLOCK)
        while block := raw.read1(most, decode_content=False):
            self.politeness.received(len(block))
            yield block
        if raw.length_remaining:
            raise FailedTry(f"{told(response.url)} sent less than announced")

    def limited(self, response: requests.Response) -> Iterator[bytes]:
        size = 0
        for block in self.blocks(response):
            size += len(block)
            if size > DOCUMENT_LIMIT:
                raise FailedTry(f"{told(response.url)} sent more than {DOCUMENT_LIMIT >> 20} MB")
            yield block

    def _authorization(self, ask: Ask) -> str | None:
        if not ask.has_credentials or not self._is_own(ask.url):
            return None
        return self._authorizer.header()

    def _is_own(self, url: str) -> bool:
        return is_web(url) and origin_of(url) == self._origin

    def _follow(self, ask: Ask, authorization: str | None) -> requests.Response:
        """The answer at the end of the redirects, each without credentials where it leads to another origin."""
        url = ask.url
        for _ in range(MOST_REDIRECTS + 1):
            response = self._send(ask, url, authorization)
            location = response.headers.get("Location")
            if ask.method != "GET" or location is None or not response.is_redirect:
                return response
            response.close()
            url = joined(url, location) or ""
        raise FailedTry(f"{told(ask.url)} leads from one address to the next without an end")

    def _send(self, ask: Ask, url: str, authorization: str | None) -> requests.Response:
        if not is_web(url):
            raise SiteFailure(ask.step, "the server names an address that is none", "tell the hospital")
        headers = {"Accept": ask.accept, "Accept-Encoding": "gzip", "User-Agent": "cove", **ask.headers}
        if authorization is not None and self._is_own(url):
            headers["Authorization"] = authorization
        if self.site.auth != "none" and self._is_own(url) and not is_private(url):
            raise SiteFailure(
                ask.step, f"{told(url)} is plain http, which shows credentials", "use an https address"
            )
        request = requests.Request(ask.method, url, headers=headers, data=ask.form).prepare()
        if url.isascii() and " " not in url:
            # A server's link is kept as given, not as `requests` would write it.
            request.url = url.partition("#")[0]
        timeout = (self.site.timeout.connect, self.site.timeout.read)
        self.politeness.turn()
        asked_at = self.clock.monotonic()
        # The adapter itself: a session would read the body of a redirect, and keep cookies.
        response = self._session().get_adapter(url).send(request, stream=True, timeout=timeout, verify=True)
        response.elapsed = dt.timedelta(seconds=self.clock.monotonic() - asked_at)
        return response

    def _session(self) -> requests.Session:
        """One a thread: `requests` promises no more."""
        if not hasattr(self._threads, "session"):
            self._threads.session = open_session(*self._contexts, self.url)
        session: requests.Session = self._threads.session
        return session

    def _judge(self, response: requests.Response) -> None:
        status, place = response.status_code, told(response.url)
        if 200 <= status < 300:
            encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
            if encoding not in ("", "identity", "gzip", "x-gzip"):
                raise FailedTry(f"{place} sent an encoding that it wasn't asked for")
            return
        if status in TRIED_AGAIN or (status >= 500 and status not in NEVER_TRIED_AGAIN):
            raise FailedTry(f"{place} answered {status}", retry_after(response.headers, self.clock))
        raise Refused(status, place)


@contextmanager
def failing_tries(ask: Ask) -> Iterator[None]:
    """Says in our words what broke a request: a library's may hold a whole URL."""
    place = told(ask.url)
    try:
        yield
    except (requests.exceptions.SSLError, urllib3.exceptions.SSLError, ssl.SSLError) as error:
        certificate = _certificate_error(error)
        if certificate is not None:
            what, remedy = _certificate_words(certificate)
            raise SiteFailure(ask.step, f"{place}: the server's certificate {what}", remedy) from None
        raise FailedTry(f"{place}: the TLS connection failed", remedy=TLS_REMEDY) from None
    except (requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError):
        raise FailedTry(f"{place}: no connection in time", remedy=FIREWALL_REMEDY) from None
    except (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
        raise FailedTry(f"{place}: stalled, nothing came in time") from None
    except requests.exceptions.ConnectionError as error:
        words, remedy = _connection_words(error)
        raise FailedTry(f"{place}: {words}", remedy=remedy) from None
    except (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        urllib3.exceptions.LocationParseError,
    ):
        raise SiteFailure(ask.step, f"{place} is no address", "check `url` of the site") from None
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ConnectionError):
        raise FailedTry(f"{place}: the connection broke off") from None


def _certificate_error(error: BaseException) -> BaseException | None:
    """The error that says what is wrong with a certificate; None where it is another's."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(seen):
            inner = _within(seen)
            return (_certificate_error(inner) if inner else None) or seen
        seen = _within(seen) or seen.__context__
    return None


def _within(error: BaseException) -> BaseException | None:
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return reason
    return next((part for part in error.args if isinstance(part, BaseException)), None)


def _certificate_words(error: BaseException) -> tuple[str, str]:
    """What is wrong with a server's certificate, and what to do, by OpenSSL's number for it."""
    match getattr(error, "verify_code", None):
        case 9:
            return "doesn't hold yet", "see whether this machine's clock is right; tell the hospital"
        case 10:
            return "has ended", "tell the hospital, and see whether this machine's clock is right"
        case 62 | 64:
            return "is for another host", "write the host of `url` as the certificate has it"
        case _:
            return "isn't trusted", "give the PEM file of the authority that signed it as `ca`"


def _connection_words(error: requests.exceptions.ConnectionError) -> tuple[str, str]:
    text = str(error)
    if "NameResolution" in text or "resolve" in text:
        return "there is no such host", "correct `url`, or have this machine's DNS know the name"
    if "refused" in text:
        return "the connection was refused", FIREWALL_REMEDY
    return "the connection broke off", "see whether the server is well"


def json_object(data: bytes, url: str) -> dict[str, Any]:
    """The JSON object of a body, gzipped or not ({} of an empty one). Raises FailedTry for everything else."""
    text = unzipped(data, url).removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return {}
    if text.startswith(b"<"):
        raise FailedTry(f"{told(url)} answered with a web page, not with data", remedy=PAGE_REMEDY)
    try:
        content = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise FailedTry(f"{told(url)} answered with something else than a JSON object")
    return content


def unzipped(data: bytes, url: str) -> bytes:
    """The text of a small body: its first bytes say whether it is gzip. Raises FailedTry where that is cut
    short, or its text longer than a document may be.
    """
    if not data.startswith(b"\x1f\x8b"):
        return data
    unzip = zlib.decompressobj(wbits=31)
    try:
        text = unzip.decompress(data, DOCUMENT_LIMIT)
    except zlib.error:
        raise FailedTry(f"{told(url)} sent broken gzip") from None
    if not unzip.eof:
        raise FailedTry(f"{told(url)} sent gzip that is cut short")
    return text
