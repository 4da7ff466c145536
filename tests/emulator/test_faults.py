"""Each fault, seen from the client's side of a real socket."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time

import pytest

INSTANCE = "/metadata/instance?api-version=2021-01-01"
EXTENDED = f"{INSTANCE}&extended=true"


def read_all(connection):
    """Everything until the server ends the connection."""
    chunks = []
    while chunk := connection.recv(65_536):
        chunks.append(chunk)
    return b"".join(chunks)


def statuses(ask, emulator, count, target=INSTANCE):
    return [ask(emulator, target).status for _ in range(count)]


def test_faults_come_in_order_and_then_end(serve, ask):
    """One entry for each request, `times` of them for one that says so; then all is well."""
    emulator = serve({"faults": [{"status": 503, "times": 2}, {"status": 404}]})
    assert statuses(ask, emulator, 5) == [503, 503, 404, 200, 200]


def test_a_fault_may_last_for_ever(serve, ask):
    """`times: forever` leaves nothing behind it."""
    emulator = serve({"faults": [{"status": 429}, {"status": 500, "times": "forever"}]})
    assert statuses(ask, emulator, 6) == [429, 500, 500, 500, 500, 500]


def test_a_status_brings_its_headers_and_body(serve, ask):
    """Headers and body are the script's own, and replace ordinary headers of the same name."""
    fault = {
        "status": 503,
        "headers": {"Retry-After": 1, "server": "nginx"},
        "body": "later",
    }
    answer = ask(serve({"faults": [fault]}), INSTANCE)
    assert (answer.status, answer.body) == (503, b"later")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["server"] == "nginx"


def test_a_status_without_body_has_the_service_s_shape(serve, ask):
    """A bare status is answered with an error in JSON, as the service does."""
    assert ask(serve({"faults": [{"status": 500}]}), INSTANCE).json() == {
        "error": "Internal Server Error"
    }


def test_the_guest_proxy_agent_s_refusal_is_empty(serve, ask):
    """403 has no body, as azure-proxy-agent answers while IMDS is closed."""
    header = {"x-ms-azure-host-authorization": "value"}
    answer = ask(serve({"faults": [{"status": 403, "headers": header}]}), INSTANCE)
    assert (answer.status, answer.body) == (403, b"")
    assert answer.headers["x-ms-azure-host-authorization"] == "value"


def test_a_status_that_http_does_not_know_is_sent_all_the_same(serve, ask):
    """A code without a name is a fault as well."""
    assert ask(serve({"faults": [{"status": 599}]}), INSTANCE).status == 599


def test_a_body_alone_is_a_200_that_is_no_metadata(serve, ask):
    """A client must not trust a 200 because it is one."""
    answer = ask(serve({"faults": [{"body": '{"compute": 7}'}]}), INSTANCE)
    assert (answer.status, answer.json()) == (200, {"compute": 7})


def test_headers_alone_are_added_to_the_true_answer(serve, ask):
    """A fault of headers only leaves the document whole."""
    answer = ask(serve({"faults": [{"headers": {"X-Odd": "1"}}]}), INSTANCE)
    assert answer.headers["x-odd"] == "1"
    assert answer.json()["compute"]["location"] == "westeurope"


def test_a_delay_comes_before_the_first_byte(serve, ask):
    """The answer is the true one, late."""
    emulator = serve({"faults": [{"delay": 0.3}]})
    begin = time.monotonic()
    assert ask(emulator, INSTANCE).status == 200
    assert 0.3 <= time.monotonic() - begin < 10


def test_a_drip_sends_a_byte_at_a_time(serve, dial):
    """There is a pause between any two bytes, headers included."""
    connection = dial(serve({"faults": [{"drip": 0.02}]}))
    begin, came = time.monotonic(), b""
    while len(came) < 8:
        came += connection.recv(4096)
    assert came.startswith(b"HTTP/1.1")
    assert time.monotonic() - begin >= 0.02 * (len(came) - 2)


def test_a_dripped_answer_arrives_whole(serve, ask):
    """Dripping loses nothing."""
    emulator = serve({"faults": [{"drip": 0.0005}]})
    assert ask(emulator, "/metadata/versions").json()["apiVersions"]


def test_a_reset_is_a_reset(serve, dial, ask):
    """The client's system reports ECONNRESET, not an orderly end; the next request is well."""
    emulator = serve({"faults": ["reset"]})
    with pytest.raises(ConnectionResetError):
        dial(emulator).recv(1)
    assert ask(emulator, INSTANCE).status == 200


def test_a_truncated_answer_promises_more_than_it_sends(serve, dial):
    """Content-Length is that of the whole body; the connection ends after the given bytes."""
    answer = read_all(dial(serve({"faults": [{"truncate": 100}]})))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert len(body) == 100
    assert body.startswith(b'{"compute":')
    promised = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
    assert promised > 1000


def test_a_truncated_answer_is_noticed_by_a_client(serve, ask):
    """http.client sees the short body, also on a connection that it would have kept."""
    with pytest.raises(http.client.IncompleteRead):
        ask(serve({"faults": [{"truncate": 10}]}), INSTANCE)


def test_html_is_a_200_with_a_page(serve, ask):
    """A middlebox's sign-in page comes with the status of success."""
    answer = ask(serve({"faults": ["html"]}), INSTANCE)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert b"<html>" in answer.body


def test_html_may_have_a_status_of_its_own(serve, ask):
    """A gateway's error page is HTML too."""
    assert ask(serve({"faults": [{"html": True, "status": 502}]}), INSTANCE).status == 502


def test_a_redirect_names_its_target(serve, ask):
    """302 unless another status is given."""
    url = "http://evil.example/metadata"
    emulator = serve({"faults": [{"redirect": url}, {"redirect": url, "status": 307}]})
    answers = [ask(emulator, INSTANCE) for _ in range(2)]
    assert [answer.status for answer in answers] == [302, 307]
    assert {answer.headers["location"] for answer in answers} == {url}


def test_a_partial_document_lacks_what_a_provider_would_have_given(serve, ask):
    """Without extended=true the failure shows only in what is missing."""
    machine = {"tags": {"a": "b"}, "userData": "x", "faults": [{"partial": True}]}
    emulator = serve(machine)
    document = ask(emulator, INSTANCE).json()
    assert document.keys() == {"compute"}
    assert document["compute"].keys() & {"tags", "tagsList", "userData"} == set()
    assert document["compute"]["vmId"]
    assert ask(emulator, INSTANCE).json()["compute"]["tagsList"]


def test_extended_makes_a_partial_document_an_error(serve, ask):
    """With extended=true the service fails the request, and is complete when it succeeds."""
    emulator = serve({"tags": {"a": "b"}, "faults": ["partial"]})
    assert ask(emulator, EXTENDED).status == 500
    document = ask(emulator, EXTENDED).json()
    assert document["compute"]["tagsList"] == [{"name": "a", "value": "b"}]
    assert document.keys() == {"compute", "network", "extended"}


def test_a_partial_document_can_be_had_with_extended_too(serve, ask):
    """`partial: always` is for a client that must notice it by itself."""
    document = ask(serve({"faults": [{"partial": "always"}]}), EXTENDED).json()
    assert "network" not in document
    assert "userData" not in document["compute"]


def test_silence_says_nothing_until_the_client_leaves(serve, dial, ask):
    """The connection is accepted and stays open without a byte; others are served meanwhile."""
    emulator = serve({"faults": ["silence"]})
    connection = dial(emulator, timeout=0.3)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    assert ask(emulator, INSTANCE).status == 200


def test_faults_of_the_way_combine_with_faults_of_the_answer(serve, ask):
    """A late error page, cut short: each word does its part."""
    fault = {"html": True, "status": 503, "delay": 0.2, "truncate": 9}
    begin = time.monotonic()
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(serve({"faults": [fault]}), INSTANCE)
    assert caught.value.partial == b"<!DOCTYPE"
    assert time.monotonic() - begin >= 0.2


def test_the_410_window_ends_by_itself(serve, ask):
    """For `gone` seconds every answer is 410; the fault script waits until it is over."""
    now = [100.0]
    emulator = serve({"gone": 5, "faults": [{"status": 503}]}, clock=lambda: now[0])
    assert statuses(ask, emulator, 2) == [410, 410]
    now[0] += 4.9
    assert statuses(ask, emulator, 1) == [410]
    now[0] += 0.2
    assert statuses(ask, emulator, 2) == [503, 200]


def test_a_late_start_refuses_connections_on_a_port_that_is_known(serve, ask):
    """Until it starts the port refuses; then it serves, at the endpoint it named."""
    emulator = serve({"starts": 1})
    begin = time.monotonic()
    with pytest.raises(ConnectionRefusedError):
        ask(emulator, INSTANCE)
    while True:
        try:
            assert ask(emulator, INSTANCE).status == 200
            break
        except ConnectionRefusedError:
            assert time.monotonic() - begin < 5
            time.sleep(0.02)
    assert time.monotonic() - begin > 0.7


def test_a_late_start_opens_the_410_window_when_it_listens(serve, ask):
    """`gone` counts from the first moment at which anybody could ask."""
    now = [100.0]
    emulator = serve({"starts": 0.5, "gone": 60}, clock=lambda: now[0])
    now[0] += 1000
    end = time.monotonic() + 5
    while True:
        try:
            assert ask(emulator, INSTANCE).status == 410
            break
        except ConnectionRefusedError:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_the_sixth_request_of_a_second_is_too_many(serve, ask):
    """5 requests a second are served, the next is a 429, and a second later all is well."""
    now = [100.0]
    emulator = serve({"rate": 5}, clock=lambda: now[0])
    assert statuses(ask, emulator, 7) == [200, 200, 200, 200, 200, 429, 429]
    now[0] += 1.0
    assert statuses(ask, emulator, 2) == [200, 200]


def test_the_rate_is_five_unless_told_otherwise(ask):
    """A plain machine has IMDS's own limit."""
    from bootstrap.emulator import Emulator

    with Emulator.serve(clock=lambda: 7.0) as emulator:
        answers = [ask(emulator, INSTANCE) for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert answers[5].json() == {"error": "Too many requests"}


def test_a_scripted_answer_comes_before_the_rate_limit(serve, ask):
    """A script runs as written, however fast the client asks; its requests count nevertheless."""
    script = [{"status": 503, "times": 3}]
    emulator = serve({"rate": 2, "faults": script}, clock=lambda: 7.0)
    assert statuses(ask, emulator, 4) == [503, 503, 503, 429]


@pytest.mark.parametrize("fault", [{"drip": 60}, {"delay": 60}, "silence"], ids=str)
def test_closing_ends_what_hangs(dial, serve, fault):
    """A dripping, a late and a silent connection all end when the emulator does."""
    from bootstrap.emulator import Emulator

    emulator = Emulator.serve({"faults": [fault]})
    connection = dial(emulator)
    wait_for(lambda: emulator.requests)
    begin = time.monotonic()
    emulator.close()
    assert time.monotonic() - begin < 10
    with contextlib.suppress(ConnectionResetError):  # cut is cut
        assert b"compute" not in read_all(connection)


def test_closing_ends_idle_connections_and_late_starts():
    """A client that keeps its connection, or has asked half a question, does not hold it up."""
    from bootstrap.emulator import Emulator

    emulator = Emulator.serve()
    host, _, port = emulator.endpoint.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as half:
        half.sendall(b"GET /metadata/versions HTTP/1.1\r\n")
        begin = time.monotonic()
        emulator.close()
        assert time.monotonic() - begin < 10
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)
    begin = time.monotonic()
    Emulator.serve({"starts": 60}).close()
    assert time.monotonic() - begin < 10


def test_closing_leaves_no_thread_behind(ask):
    """After close the process has the threads that it had before."""
    import threading

    from bootstrap.emulator import Emulator

    before = set(threading.enumerate())
    with Emulator.serve() as emulator:
        ask(emulator, INSTANCE)
    assert set(threading.enumerate()) == before


def test_a_client_that_leaves_early_disturbs_nobody(serve, dial, ask, capfd):
    """Dropping a connection in the middle of an answer leaves no traceback."""
    emulator = serve({"faults": [{"drip": 0.01}]})
    connection = dial(emulator)
    connection.recv(1)
    connection.close()
    assert ask(emulator, INSTANCE).status == 200
    time.sleep(0.1)  # the dripping thread writes to nobody meanwhile
    assert "Traceback" not in capfd.readouterr().err


def test_the_body_of_a_fault_may_be_any_text(serve, ask):
    """Garbage is served as it is written, with its length in bytes."""
    answer = ask(serve({"faults": [{"body": "{größe"}]}), INSTANCE)
    assert answer.body == "{größe".encode()
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def wait_for(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)
