from __future__ import annotations

import pytest

from bootstrap.errors import SettingsError
from bootstrap.http.endpoint import LINK_LOCAL, is_plain_path, parse_endpoint


def test_no_endpoint_is_the_platforms_own():
    """Without a setting the link-local address is asked."""
    assert str(parse_endpoint("")) == LINK_LOCAL


@pytest.mark.parametrize(
    ("text", "host", "port", "base", "authority"),
    [
        ("http://localhost:8080", "localhost", 8080, "", "localhost:8080"),
        ("HTTP://127.0.0.1/", "127.0.0.1", 80, "", "127.0.0.1"),
        ("http://[::1]:81/a/b/", "::1", 81, "/a/b", "[::1]:81"),
        ("http://[::1]", "::1", 80, "", "[::1]"),
        ("http://imds.test/x", "imds.test", 80, "/x", "imds.test"),
    ],
)
def test_an_endpoint_is_a_host_a_port_and_a_base(text, host, port, base, authority):
    """Names, addresses of both families, ports and base paths are understood."""
    endpoint = parse_endpoint(text)
    assert (endpoint.host, endpoint.port, endpoint.base) == (host, port, base)
    assert endpoint.authority == authority


@pytest.mark.parametrize(
    "text",
    [
        "https://127.0.0.1",
        "127.0.0.1:80",
        "http://",
        "http://u:p@h",
        "http://h?q",
        "http://h#f",
        "http://h:0",
        "http://h:65536",
        "http://h:x",
        "http://h:",
        "http://h/a//b",
        "http://h/../b",
        "http://[::1",
        "http://[x]:1",
        "http://[::1]1",
        "http://hé",
        "http://h\\b",
        "http://::1",
        "ftp://h",
        "http://h:99999999999",
        "http://h:0655350",
        "http://h:²",
    ],
)
def test_anything_but_plain_http_is_refused(text):
    """TLS, users, queries and nonsense are settings errors, not variants."""
    with pytest.raises(SettingsError) as caught:
        parse_endpoint(text)
    assert "imds.endpoint" in caught.value.hint


@pytest.mark.parametrize("password", ["hunter2", "hunter2?", "hunter2#", "hunter2/x", "\\hunter2"])
def test_a_password_in_the_endpoint_is_not_repeated(password):
    """The message about user information does not show it, whatever is in it."""
    with pytest.raises(SettingsError) as caught:
        parse_endpoint(f"http://me:{password}@h")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("path", ["", "a", "/a//b", "/a/../b", "/a b", "/a\r\nX: y", "/é"])
def test_a_path_that_imds_would_refuse_is_not_plain(path):
    """`//`, `..` and whatever ends a request line early are never sent."""
    assert not is_plain_path(path)
