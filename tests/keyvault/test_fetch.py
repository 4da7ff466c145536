"""Every row of Key Vault's table, asked of a server that follows a script."""

from __future__ import annotations

import threading
import traceback

import pytest
from scripted_vault import TOKEN, VALUE, VERSION, answer, reference, refusal, secret

from bootstrap.errors import (
    BootstrapError,
    IdentityUnavailable,
    ImageError,
    SecretsRefused,
    SecretsUnavailable,
    SettingsError,
)
from bootstrap.identity.identity_id import Selector
from bootstrap.keyvault import certificates, fetch
from bootstrap.keyvault.fetch import AT_ONCE, LATE

CHALLENGE = 'Bearer authorization="https://login.example/t", resource="{}"'
OURS = CHALLENGE.format("https://vault.azure.net")


def test_a_secret_arrives(vault, get, identity):
    """The value comes with its version, for the token of the cloud's audience."""
    server = vault(secret())
    fetched = get(server)["secrets.db"]
    assert fetched.secret.reveal() == VALUE
    assert fetched.version == VERSION
    assert fetched.note == ""
    assert identity.asked == [("https://vault.azure.net", "")]
    assert server.paths == ["/secrets/db?api-version=7.4"]
    assert "Host: contoso.vault.azure.net\r\n" in server.requests[0]
    assert f"Authorization: Bearer {TOKEN}-0\r\n" in server.requests[0]


def test_a_pinned_version_is_asked_for(vault, get):
    """The version stands in the path, and an answer with another one is refused."""
    server = vault(secret(), secret(version="f" * 32))
    references = {"secrets.db": reference(version=VERSION.upper())}
    assert get(server, references=references)["secrets.db"].version == VERSION
    assert server.paths == [f"/secrets/db/{VERSION.upper()}?api-version=7.4"]
    with pytest.raises(SecretsRefused):
        get(server, references=references)


@pytest.mark.parametrize(
    ("cloud", "suffix"),
    [
        ("AzurePublicCloud", "vault.azure.net"),
        ("AZURECHINACLOUD", "vault.azure.cn"),
        ("AzureUSGovernmentCloud", "vault.usgovcloudapi.net"),
    ],
)
def test_suffix_and_audience_follow_the_cloud(vault, get, identity, cloud, suffix):
    """Each cloud has vaults and tokens of its own."""
    server = vault(secret(host=f"contoso.{suffix}"))
    assert get(server, cloud=cloud)["secrets.db"].secret.reveal() == VALUE
    assert identity.asked == [(f"https://{suffix}", "")]


def test_what_is_named_twice_is_asked_for_once(vault, get):
    """Two references to one secret get the same version, by one request."""
    server = vault(secret())
    both = {"secrets.a": reference(), "values.b": reference()}
    assert set(get(server, references=both)) == {"secrets.a", "values.b"}
    assert len(server.requests) == 1


def test_connections_are_kept(vault, get):
    """Twenty secrets need no more than eight handshakes."""
    names = [f"s{number}" for number in range(20)]
    server = vault(paths={f"/secrets/{name}": [secret(name, value=name)] for name in names})
    fetched = get(server, references={name: reference(name=name) for name in names})
    assert {name: one.secret.reveal() for name, one in fetched.items()} == {n: n for n in names}
    assert server.connections <= 8


def cut_short(_, connection):
    """Send less than was said, and close."""
    connection.sendall(answer(200, b'{"value"', length=900))
    connection.close()


@pytest.mark.parametrize(
    ("first", "wait"),
    [
        (answer(500), 0.5),
        (answer(502, b"<html>"), 0.5),
        (answer(503), 0.5),
        (answer(503, Retry_After="7"), 7.5),
        (answer(429, refusal("Throttled"), Retry_After="4"), 4.5),
        (answer(429, Retry_After="soon"), 0.5),
        (answer(429, Retry_After="7²").replace("²".encode(), b"\xb2"), 0.5),
        (answer(429, Retry_After="²").replace("²".encode(), b"\xb2"), 0.5),
        (answer(408), 0.5),
        (answer(200, b"<html>a portal</html>"), 0.5),
        (answer(200, secret(value="half \ud800 a character")), 0.5),
        (answer(200, b'{"value": "half'), 0.5),
        (answer(200, {"value": 3}), 0.5),
        (cut_short, 0.5),
        (lambda server, connection: connection.close(), 0.5),
    ],
)
def test_what_passes_is_waited_for(vault, get, clock, first, wait):
    """Such an answer is followed by another question, after the vault's own wish and a jitter."""
    server = vault(first, secret())
    assert get(server)["secrets.db"].secret.reveal() == VALUE
    assert clock.waited == pytest.approx(wait)


def test_the_deadline_ends_the_waiting(vault, get, clock):
    """A vault that never recovers is asked to the end, and the last word is told."""
    server = vault(answer(503))
    with pytest.raises(SecretsUnavailable) as caught:
        get(server, deadline=60.0)
    assert 58 < clock.waited < 60
    assert caught.value.problems[0].message == "the last answer for db in contoso was 503"
    assert caught.value.problems[0].where == "userData:4:11"


def test_retry_after_beyond_the_deadline_leaves_a_last_question(vault, get, clock):
    """A vault that asks for an hour is asked once more, just before the deadline."""
    server = vault(answer(429, Retry_After="3600"), secret())
    assert get(server, deadline=60.0)["secrets.db"].secret.reveal() == VALUE
    assert clock.waited == pytest.approx(59.0)


@pytest.mark.parametrize("inner", ["ForbiddenByRbac", "AccessDenied", ""])
def test_a_role_assignment_may_spread(vault, get, clock, inner):
    """A 403 that a role assignment cures is borne for the grace, then it is final."""
    server = vault(answer(403, refusal("Forbidden", inner)))
    with pytest.raises(SecretsRefused) as caught:
        get(server, deadline=300.0)
    assert 30 <= clock.waited < 39
    assert "may not read the secret db in contoso" in caught.value.problems[0].message
    assert "Key Vault Secrets User" in caught.value.problems[0].hint
    healing = vault(answer(403, refusal("Forbidden", inner)), secret())
    assert get(healing)["secrets.db"].secret.reveal() == VALUE


def test_the_principal_is_told(vault, get):
    """Who needs the role stands in the hint, and nothing else of the vault's words."""
    guid = "0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b"
    words = f"Caller: appid=x;oid={guid};iss=x token {TOKEN}"
    server = vault(answer(403, refusal("Forbidden", "ForbiddenByRbac", words)))
    with pytest.raises(SecretsRefused) as caught:
        get(server, settings={"grace": 0.0})
    assert guid in caught.value.problems[0].hint
    assert TOKEN not in str(caught.value.as_dict())


@pytest.mark.parametrize(
    ("final", "words"),
    [
        (answer(403, refusal("Forbidden", "ForbiddenByFirewall")), "firewall"),
        (answer(403, refusal("Forbidden", "ForbiddenByConnection")), "takes no connection"),
        (answer(403, refusal("Forbidden", "SecretDisabled")), "is disabled"),
        (answer(403, refusal("Forbidden", "Weather")), "forbids the secret db (Weather)"),
        (answer(404, refusal("SecretNotFound")), "has no secret db"),
        (answer(400, refusal("BadParameter")), "answered 400 (BadParameter)"),
        (answer(405, b"<html>"), "answered 405"),
        (answer(302, Location="https://evil.example/"), "a redirect"),
        (answer(200, secret(name="dc")), "another secret"),
        (answer(200, secret(host="c0ntoso.vault.azure.net")), "another secret"),
        (answer(200, secret(version="short")), "another secret"),
        (answer(200, {"value": VALUE}), "another secret"),
        (answer(200, secret(attributes={"enabled": False})), "is disabled"),
        (
            answer(401, WWW_Authenticate=CHALLENGE.format("https://evil.example")),
            "asks for a token",
        ),
        (answer(200, b" " * 70_000), "larger than 65536 bytes"),
    ],
)
def test_what_is_final_ends_at_once(vault, get, clock, final, words):
    """Such an answer is not asked for again, and says what it is."""
    server = vault(final)
    with pytest.raises(SecretsRefused) as caught:
        get(server)
    assert words in caught.value.problems[0].message
    assert len(server.requests) == 1
    assert clock.waited == 0


def test_a_refused_token_is_renewed_once(vault, get, identity):
    """A 401 that asks for our audience gets another token; a second one is final."""
    server = vault(answer(401, WWW_Authenticate=OURS), secret())
    assert get(server)["secrets.db"].secret.reveal() == VALUE
    assert identity.forgotten == [f"{TOKEN}-0"]
    assert f"Bearer {TOKEN}-1" in server.requests[1]
    stubborn = vault(answer(401, WWW_Authenticate=OURS))
    with pytest.raises(SecretsRefused, match="refuses a secret") as caught:
        get(stubborn)
    assert "does not accept" in caught.value.problems[0].message
    assert len(stubborn.requests) == 2


def test_every_refusal_is_told_at_once(vault, get, clock):
    """One error names each secret that is refused; what is only late is not waited for."""
    server = vault(
        paths={
            "/secrets/gone": [answer(404, refusal("SecretNotFound"))],
            "/secrets/off": [answer(403, refusal("Forbidden", "SecretDisabled"))],
            "/secrets/slow": [answer(503)],
            "/secrets/db": [secret()],
        }
    )
    names = ("gone", "off", "slow", "db")
    with pytest.raises(SecretsRefused) as caught:
        get(server, references={f"secrets.{name}": reference(name=name) for name in names})
    assert [problem.path for problem in caught.value.problems] == ["secrets.gone", "secrets.off"]
    assert clock.waited < 20


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"exp": 1_700_000_000}, "it expired on 2023-11-14T22:13:20Z"),
        ({"nbf": 1_900_000_000}, "it is not valid before 2030-03-17T17:46:40Z"),
    ],
)
def test_dates_are_heeded(vault, get, attributes, words):
    """A secret out of its time is refused, or told of where the settings say so."""
    server = vault(secret(attributes=attributes))
    with pytest.raises(SecretsRefused) as caught:
        get(server)
    assert words in caught.value.problems[0].message
    fetched = get(server, settings={"expired": "warn"})["secrets.db"]
    assert words in fetched.note
    assert fetched.secret.reveal() == VALUE


def test_a_clock_that_is_a_little_slow_is_forgiven(vault, get):
    """A secret that begins in two minutes is taken: the machine has not set its clock yet."""
    assert get(vault(secret(attributes={"nbf": 1_800_000_120})))["secrets.db"].note == ""


def test_each_vault_sees_its_identity(vault, get, identity):
    """The settings name an identity for a vault, whatever its case."""
    get(vault(secret()), settings={"identities": {"Contoso": "client_id=abc"}})
    assert identity.asked == [("https://vault.azure.net", "client_id=abc")]
    with pytest.raises(SettingsError):
        get(vault(secret()), settings={"identities": {"contoso": "who=abc"}})


def test_what_the_identity_raises_is_raised(vault, get):
    """Without a token there is no question, and the identity's own words are told."""

    def token(*_):
        raise IdentityUnavailable("no token")

    server = vault(secret())
    with pytest.raises(IdentityUnavailable):
        get(server, token=token)
    assert not server.requests


@pytest.mark.parametrize(
    "bad",
    [
        {"vault": "contoso.vault.azure.net/secrets/x?", "name": "db"},
        {"vault": "con\ntoso", "name": "db"},
        {"vault": "contoso", "name": "../keys/db"},
        {"vault": "contoso", "name": "db", "version": "../../x"},
        {"vault": "contoso@evil", "name": "db"},
    ],
)
def test_a_url_is_made_of_checked_parts(vault, get, bad):
    """Whatever came past the document's schema ends here, before anything is sent."""
    server = vault(secret())
    with pytest.raises(SecretsRefused) as caught:
        get(server, references={"secrets.db": reference(**bad)})
    assert caught.value.problems[0].path == "secrets.db"
    assert not server.connections


@pytest.mark.parametrize(
    "step",
    [
        answer(403, refusal("Forbidden", "ForbiddenByRbac", f"Bearer {TOKEN}-0 {VALUE}")),
        answer(404, refusal(VALUE, TOKEN)),
        answer(302, Location=f"https://evil.example/{TOKEN}-0"),
        answer(200, secret(name="other")),
        answer(401, WWW_Authenticate=CHALLENGE.format(f"https://{TOKEN}-0")),
        answer(200, secret(contentType=VALUE)),
        answer(503),
        b"HTTP/1.1 " + TOKEN.encode() + b"\r\n\r\n",
        lambda server, connection: connection.close(),
    ],
)
def test_nothing_secret_is_told(vault, get, step):
    """Neither token nor value stand in an error, its traceback, its causes or an event."""
    events = []
    form = {"secrets.db": reference(form="key", is_certificate=True)}
    with pytest.raises(BootstrapError) as caught:
        get(
            vault(step),
            references=form,
            deadline=5.0,
            on_event=lambda name, **fields: events.append((name, fields)),
        )
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.as_dict())
    told += repr(events)
    for one in (TOKEN, VALUE):
        pieces = {one[at : at + 8] for at in range(len(one) - 7)}
        assert not [piece for piece in pieces if piece in told]


@pytest.fixture
def threads(monkeypatch):
    """The threads of a fetch, each with how long it was waited for."""
    made = []

    class Recorded(threading.Thread):
        def __init__(self, *args, **how):
            super().__init__(*args, **how)
            self.timeouts = []
            made.append(self)

        def join(self, timeout=None):
            self.timeouts.append(timeout)
            super().join(timeout)

    monkeypatch.setattr(fetch.threading, "Thread", Recorded)
    return made


def several(number):
    """References to that many secrets, and the paths of a vault that has them."""
    names = [f"s{at}" for at in range(number)]
    references = {f"secrets.{name}": reference(name=name) for name in names}
    return references, {f"/secrets/{name}": [secret(name)] for name in names}


@pytest.mark.parametrize(("number", "count"), [(1, 1), (3, 3), (8, 8), (11, 8)])
def test_as_many_are_asked_for_at_once_as_there_are(vault, get, threads, number, count):
    """Each question has a thread, up to eight; they end with the process."""
    references, paths = several(number)
    server = vault(paths=paths)  # its threads are made before those of the fetch
    before = len(threads)
    assert len(get(server, references=references)) == number
    fetched = [one for one in threads[before:] if one.daemon]
    assert len(fetched) == count
    assert AT_ONCE == 8


def test_a_thread_is_waited_for_a_little_beyond_the_deadline(vault, get, threads):
    """Half a second for what a name service holds up, and nothing where the time is over."""
    server = vault(secret())
    get(server, deadline=100.0)
    with pytest.raises(SecretsUnavailable):
        get(server, deadline=-10.0)
    assert [one.timeouts for one in threads if one.daemon] == [[100.0 + LATE], [0.0]]
    assert LATE == 0.5


def test_connections_are_closed_at_the_end(vault, get, monkeypatch):
    """Whether the secrets came or not."""
    closed = []

    class Spied(fetch.Vault):
        def close(self):
            closed.append(self)
            super().close()

    monkeypatch.setattr(fetch, "Vault", Spied)
    get(vault(secret()))
    assert len(closed) == 1
    with pytest.raises(SecretsRefused):
        get(vault(answer(404, refusal("SecretNotFound"))))
    assert len(closed) == 2


def test_without_the_library_only_parts_of_certificates_are_refused(vault, get, monkeypatch):
    """Before anybody is asked; each such reference is named, and no other."""
    monkeypatch.setattr(certificates, "why_not", lambda: "No module named 'cryptography'")
    server = vault(secret(contentType="application/x-pkcs12"))
    whole = {"secrets.pfx": reference(form="pfx", is_certificate=True), "secrets.b": reference()}
    assert set(get(server, references=whole)) == set(whole)
    asked = len(server.requests)
    parts = {f"secrets.{one}": reference(form=one, name=one) for one in ("pem", "key", "chain")}
    with pytest.raises(ImageError) as caught:
        get(server, references={**whole, **parts})
    assert len(server.requests) == asked
    assert caught.value.message == (
        "certificates cannot be taken apart without the library cryptography: "
        "No module named 'cryptography'"
    )
    assert "python3-cryptography" in caught.value.hint
    told = [(one.path, one.message, one.where) for one in caught.value.problems]
    assert told == [
        (f"secrets.{one}", f"the certificate {one} is wanted", "userData:4:11")
        for one in ("pem", "key", "chain")
    ]


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ({}, "client_id=default"),
        ({"contoso": "object_id=a"}, "object_id=a"),
        ({"CONTOSO": "object_id=a"}, "object_id=a"),
        ({"contoso.vault.azure.net": "object_id=b"}, "object_id=b"),
        ({"Contoso.Vault.Azure.Net": "object_id=b"}, "object_id=b"),
        ({"contoso": "object_id=a", "contoso.vault.azure.net": "object_id=b"}, "object_id=b"),
        ({"contoso.vault.azure.cn": "object_id=b", "other": "object_id=c"}, "client_id=default"),
    ],
)
def test_the_identity_is_that_of_the_host_else_of_the_name(vault, get, identity, named, shown):
    """What the settings say of a host counts before what they say of a vault's name."""
    default = Selector.parse("client_id=default")
    get(vault(secret()), settings={"identities": named}, selector=default)
    assert [selector for _, selector in identity.asked] == [shown]


def test_an_identity_by_name_is_found_for_a_host(vault, get, identity):
    """A reference may name a host; the vault's name is its first part, whatever its case."""
    references = {"secrets.db": reference(vault="Contoso.vault.azure.net")}
    get(vault(secret()), references=references, settings={"identities": {"contoso": "object_id=a"}})
    assert [selector for _, selector in identity.asked] == ["object_id=a"]


def test_a_date_is_told_with_what_to_do(vault, get):
    """Which secret it is, of which vault, since when, and the setting that lets it pass."""
    server = vault(secret(attributes={"exp": 1_700_000_000}))
    with pytest.raises(SecretsRefused) as caught:
        get(server)
    words = "the secret db in contoso: it expired on 2023-11-14T22:13:20Z"
    (problem,) = caught.value.problems
    assert (problem.message, problem.path, problem.where) == (words, "secrets.db", "userData:4:11")
    assert "set vaults.expired to warn" in problem.hint
    assert get(server, settings={"expired": "warn"})["secrets.db"].note == words


def test_a_form_that_does_not_fit_is_a_refusal(vault, get):
    """The secret is named, not shown, and the hint is that of its form."""
    references = {"secrets.db": reference(encoding="base64")}
    with pytest.raises(SecretsRefused) as caught:
        get(vault(secret(value="no base64!")), references=references)
    (problem,) = caught.value.problems
    assert problem.message == "the secret db in contoso is not base64"
    assert problem.hint == "leave out `encoding: base64`"


def outcomes(vault, get, token=None, **replies):
    """The error of a fetch in which each secret has its own reply."""
    server = vault(paths={f"/secrets/{name}": [reply] for name, reply in replies.items()})
    references = {f"secrets.{name}": reference(name=name) for name in replies}
    with pytest.raises(BootstrapError) as caught:
        get(server, references=references, deadline=5.0, **({"token": token} if token else {}))
    return caught.value


def test_the_gravest_of_what_went_wrong_is_told(vault, get, identity):
    """A refusal before an identity that fails, and that before what only comes late."""
    gone, late = answer(404, refusal("SecretNotFound")), answer(503)
    error = outcomes(vault, get, a=late, b=gone, c=secret("c"))
    assert (type(error), error.message) == (SecretsRefused, "Key Vault refuses a secret")
    assert [one.path for one in error.problems] == ["secrets.b"]
    error = outcomes(vault, get, a=gone, b=gone)
    assert error.message == "Key Vault refuses 2 secrets"
    assert [one.path for one in error.problems] == ["secrets.a", "secrets.b"]
    error = outcomes(vault, get, a=late, b=late)
    assert type(error) is SecretsUnavailable
    assert error.message == "Key Vault gave no usable answer for 2 secrets before the deadline"
    assert error.hint.startswith("is the vault's name right")
    error = outcomes(vault, get, a=late, b=secret("b"))
    assert error.message == "Key Vault gave no usable answer for a secret before the deadline"
    assert [one.path for one in error.problems] == ["secrets.a"]


def test_an_identity_that_fails_is_told_before_what_is_late(vault, get, identity):
    """Without a token the vault's silence says nothing."""
    turns = iter(range(2))
    lock = threading.Lock()

    def token(audience, selector):
        with lock:
            if next(turns) == 0:
                raise IdentityUnavailable("no token")
        return identity.token(audience, selector)

    error = outcomes(vault, get, token, a=answer(503), b=answer(503))
    assert (type(error), error.message) == (IdentityUnavailable, "no token")
