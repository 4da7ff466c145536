"""Client of Key Vault: HTTPS with persistent connections. No other module imports `requests`.

The conveniences of `requests` that could send data elsewhere are off: no redirects (it would also
read the whole body of one), no .netrc (which would replace the token), no cookies, no plain http.
Proxies are those of the user's environment. Certificates are always verified, with `tls`.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from bootstrap import __version__
from bootstrap.errors import SettingsError
from bootstrap.keyvault.limiter import ConcurrencyLimiter
from bootstrap.keyvault.tls import TrustStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from bootstrap.keyvault.urls import SecretId
    from bootstrap.secret import Secret

MAX_BODY = 64 * 1024  # bytes; a secret's value is at most 25 KB, escaped and wrapped in JSON
MAX_ATTEMPT = 15.0  # seconds; after that, another connection may work better
UNTRUSTED = "certificate"  # the outcome that another certificate authority could change
CLOCK_ERRORS = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED: x509_vfy.h of OpenSSL

_waiting = threading.local()  # `left()` returns the seconds left for the request of this thread


class RequestError(Exception):
    """There is no response. `outcome` is one word; `final` means that a retry would not help."""

    def __init__(self, outcome: str, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.final = final


class Answer:
    """The response of a vault: the status, the headers by lower-case name, the body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Vault:
    """Client of all vaults, with one session that any number of threads may use.

    `ca_file` is trusted in addition to the system's authorities. At most `connections` are kept
    open, and no more than `lanes` are made as long as responses are quick. If `endpoint`
    (https://HOST:PORT) is set, connections go there instead of to each vault's own name; the
    server still needs a certificate for that name. Raises SettingsError if `ca_file` or `endpoint`
    cannot be used.
    """

    def __init__(
        self,
        *,
        ca_file: str = "",
        endpoint: str = "",
        connections: int = 8,
        lanes: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._lanes = ConcurrencyLimiter(lanes)
        self._trust = TrustStore(ca_file)
        self._trust.context.sslsocket_class = _Bounded
        self._proxied = not endpoint
        address = _address(endpoint) if endpoint else None
        self._session = _Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.headers.clear()
        self._session.headers.update(
            {
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # the size of a compressed body has no limit
                "User-Agent": f"imds-bootstrap/{__version__}",
            }
        )
        self._session.adapters.clear()
        self._session.mount("https://", _Adapter(self._trust.context, address, connections))

    def get(self, address: SecretId, token: Secret, *, deadline: float) -> Answer:
        """Return the response to one request, by `deadline` (a time on the clock).

        Raises RequestError if there is none.

        Each single read ends at the deadline. So a handshake, a header or a body that arrives
        slowly cannot take longer.
        """
        is_whole = self._trust.is_whole
        with self._lanes.turn():
            end = min(deadline, self._clock() + MAX_ATTEMPT)
            _waiting.left = lambda: end - self._clock()
            answer = self._attempt(address.url, token, max(0.01, end - self._clock()))
        if isinstance(answer, Answer):
            return answer
        if answer.outcome == UNTRUSTED and not is_whole:
            self._trust.widen()
            return self.get(address, token, deadline=deadline)
        # Raised outside of a handler: the cause would hold the request, and with it the token.
        raise answer

    def _attempt(self, url: str, token: Secret, seconds: float) -> Answer | RequestError:
        try:
            return self._get(url, token, seconds)
        except (RequestError, requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _fault(error)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def _get(self, url: str, token: Secret, seconds: float) -> Answer:
        response = self._session.get(
            url,
            headers={"Authorization": f"Bearer {token.reveal()}"},
            proxies=_proxies(url) if self._proxied else {},
            timeout=seconds,
            allow_redirects=False,
            stream=True,
        )
        try:
            body = response.raw.read(MAX_BODY + 1, decode_content=False)
        except BaseException:
            response.close()
            raise
        if len(body) > MAX_BODY:
            response.close()
            raise RequestError(
                "too-large", f"its answer is larger than {MAX_BODY} bytes", final=True
            )
        response.raw.release_conn()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, so that a redirect is a response like any other."""


class _Adapter(HTTPAdapter):
    def __init__(
        self, context: ssl.SSLContext, address: tuple[str, int] | None, connections: int
    ) -> None:
        self._context = context
        self._address = address
        super().__init__(pool_connections=connections, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        if self._address:
            self.poolmanager.pool_classes_by_scheme = {"https": _pool_at(self._address)}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return super().proxy_manager_for(*args, ssl_context=self._context, **kwargs)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the authorities to the context; `requests` would add a list of its own."""
        del url, verify, cert
        conn.cert_reqs = "CERT_REQUIRED"


class _Bounded(ssl.SSLSocket):
    """Socket that ends each handshake and each read when the time of the thread's request is up."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as its parent
        self.settimeout(_seconds_left())
        super().do_handshake(block)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - as its parent
        self.settimeout(_seconds_left())
        return super().read(len, buffer)


def _seconds_left() -> float:
    left: float = _waiting.left()
    if left <= 0:
        raise TimeoutError("the time for this request is up")
    return left


def _proxies(url: str) -> dict[str, str]:
    """Return the proxy that the environment names for `url`, if any, as `requests` takes it.

    Raises RequestError if that proxy cannot be used.
    """
    proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    try:
        # An older urllib3 accepts an address with a blank, and would resolve a host from it.
        usable = not proxy or (bool(parse_url(proxy).host) and not re.search(r"\s", proxy))
    except LocationParseError:
        usable = False
    if not usable:
        raise _unusable_proxy()
    return {"https": proxy} if proxy else {}


def _unusable_proxy() -> RequestError:
    return RequestError("proxy", "the proxy that the environment names cannot be used", final=True)


def _address(endpoint: str) -> tuple[str, int]:
    match = re.fullmatch(r"https://([0-9A-Za-z.-]+|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})/?", endpoint)
    if not match:
        raise SettingsError(
            f"the vaults' endpoint {endpoint!r} cannot be used",
            hint="write vaults.endpoint as https://HOST:PORT, or leave it empty",
        )
    return match[1].strip("[]"), int(match[2])


def _pool_at(address: tuple[str, int]) -> type[HTTPSConnectionPool]:
    """Return a pool class whose connections go to `address`, whatever name they are for."""

    class Connection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return socket.create_connection(address, timeout=_seconds_left())

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool


def _fault(error: Exception) -> RequestError:
    """Return the reason that there is no response; its text quotes nothing of the request."""
    if isinstance(error, RequestError):
        return error
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            # If the machine's clock is not set yet, a valid certificate can look expired or early.
            words = f"its certificate is not to be trusted: {cause.verify_message}"
            return RequestError(UNTRUSTED, words, final=cause.verify_code not in CLOCK_ERRORS)
    for kinds, outcome, words in FAULTS:
        if any(isinstance(cause, kinds) for cause in _causes(error)):
            return RequestError(outcome, words)
    # The requested URL is made of checked parts, so only a proxy's address can be invalid.
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return _unusable_proxy()
    return RequestError("connection", f"the connection failed ({type(error).__name__})")


FAULTS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (requests.exceptions.ProxyError, "proxy", "the proxy that the environment names did not help"),
    (socket.gaierror, "unresolved", "its name has no address: is there such a vault?"),
    ((TimeoutError, requests.Timeout), "timeout", "it did not answer in time"),
    (ConnectionRefusedError, "refused", "it refused the connection"),
    (ConnectionResetError, "reset", "the connection was cut"),
    (ssl.SSLError, "tls", "the encrypted connection could not be made"),
)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those that led to it: as cause, context, `reason`, or in `args`."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            reason = getattr(cause, "reason", None)
            waiting += [cause.__cause__, cause.__context__, reason, *cause.args]
