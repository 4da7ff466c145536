"""The site that ships, given hostile texts, and read back by a real nginx."""

from __future__ import annotations

import copy
import shutil
import socket
import subprocess
from datetime import datetime, timedelta, timezone

import pytest
from hostile import (
    CONTEXT,
    CONTROLS,
    HOSTILE,
    SLOTS,
    TEXTS,
    VALUES,
    accepted,
    need,
    rendered,
)

from bootstrap.errors import RenderError
from bootstrap.render.errors import FilterError
from bootstrap.render.filters import syntax


def nginx(folder, *words):
    """Call nginx with the configuration in a folder; gives how it ended, and what it said."""
    conf = f"{folder}/nginx.conf"
    command = [need("nginx", "/usr/sbin/nginx"), "-p", str(folder), "-c", conf, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def configured(folder, http, events="events {}"):
    text = f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;\n{events}\n"
    (folder / "nginx.conf").write_text(f"{text}http {{ access_log off;\n{http}\n}}\n")


@pytest.fixture(scope="module")
def identity():
    """A certificate and its key, both in PEM."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop")])
    now = datetime.now(timezone.utc)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    return made.sign(key, hashes.SHA256()).public_bytes(pem), key.private_bytes(
        pem, form, serialization.NoEncryption()
    )


@pytest.mark.parametrize("key", ["certificate", "key"])
def test_nginx_opens_the_very_file_that_the_value_names(key, identity, tmp_path):
    """A path with quotes, blanks and braces is one word to nginx; one that cannot be is refused."""
    need("nginx", "/usr/sbin/nginx")
    context = copy.deepcopy(CONTEXT)
    web = context["values"]["web"]
    for name, content in zip(("certificate", "key"), identity, strict=True):
        web[name] = str(tmp_path / name)
        (tmp_path / name).write_bytes(content)
    tried = 0
    for text in HOSTILE.values():
        if "/" in text or "\0" in text or not 0 < len(text.encode()) < 256:
            continue  # no file can have that name
        folder = tmp_path / "named"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / text).write_bytes(identity[key == "key"])
        web[key] = str(folder / text)
        try:
            configured(tmp_path, rendered("nginx/site.conf.j2", context))
        except RenderError:
            continue
        code, said = nginx(tmp_path, "-t")
        assert code == 0, (text, said)
        tried += 1
    assert tried >= len(TEXTS) - 5


@pytest.mark.parametrize("slot", SLOTS["nginx/site.conf.j2"], ids=str)
def test_nginx_takes_what_the_template_takes(slot, identity, tmp_path):
    """A text that is printed is valid there, and the configuration has one server, as before."""
    need("nginx", "/usr/sbin/nginx")
    for name, content in zip(("certificate", "key"), identity, strict=True):
        (tmp_path / name).write_bytes(content)
    good = {
        "server_name": ("_", "*.example.com", ".example.com", "www.example.*", "a-b.c_d"),
        "port": ("1", "65535"),
        "max_body_mb": ("0", "999999"),
        0: ("10.1.2.3/24", "fd00::/8", "::1"),
    }
    texts = {**HOSTILE, **{text: text for text in good.get(slot[-1], ())}}
    taken = set()
    for label, text, made in accepted("nginx/site.conf.j2", slot, texts):
        if slot[-1] in ("certificate", "key"):
            continue  # see the test before
        site = made
        for name in ("certificate", "key"):
            site = site.replace(VALUES["web"][name], str(tmp_path / name))
        configured(tmp_path, site)
        code, said = nginx(tmp_path, "-t")
        assert code == 0, (text, said)
        taken.add(label)
    assert set(good.get(slot[-1], ())) <= taken


def test_nginx_reads_a_quoted_word_as_it_was_meant(tmp_path):
    """What nginx_quote gives, a running nginx answers with, byte for byte."""
    need("nginx", "/usr/sbin/nginx")
    words = {}
    for label, text in HOSTILE.items():
        if label in {*CONTROLS, "very long", "dollar"} - {"tab"}:
            with pytest.raises(FilterError):
                syntax.nginx_quote(text)
        else:
            words[text] = syntax.nginx_quote(text)
    places = [f"location = /{at} {{ return 200 {one}; }}" for at, one in enumerate(words.values())]
    server = f"server {{ listen unix:{tmp_path}/s; {' '.join(places)} }}"
    configured(tmp_path, server)
    assert nginx(tmp_path, "-t")[0] == 0
    command = [
        need("nginx", "/usr/sbin/nginx"),
        "-p",
        str(tmp_path),
        "-c",
        f"{tmp_path}/nginx.conf",
    ]
    running = subprocess.Popen(command)
    try:
        for at, text in enumerate(words):
            assert answer(tmp_path / "s", f"/{at}", running) == text.encode()
    finally:
        running.terminate()
        running.wait()


def answer(path, target, running):
    """The body that the server on a socket answers with, once it listens."""
    with socket.socket(socket.AF_UNIX) as client:
        while True:
            try:
                client.connect(str(path))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                assert running.poll() is None, "nginx ended"
        client.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode())
        received = b""
        while piece := client.recv(65536):
            received += piece
    return received.partition(b"\r\n\r\n")[2]
