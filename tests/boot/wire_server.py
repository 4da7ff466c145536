"""Stands in for Azure's host where cloud-init's Azure code reports that a machine is ready.

    python wire_server.py ADDRESS

It gives one goal state and takes every report. A line for each request goes to standard output,
after one that says that it listens.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GOAL_STATE = """<?xml version="1.0" encoding="utf-8"?>
<GoalState>
  <Version>2012-11-30</Version>
  <Incarnation>1</Incarnation>
  <Machine><ExpectedState>Started</ExpectedState></Machine>
  <Container>
    <ContainerId>container</ContainerId>
    <RoleInstanceList>
      <RoleInstance><InstanceId>instance</InstanceId><State>Started</State></RoleInstance>
    </RoleInstanceList>
  </Container>
</GoalState>
"""


class Host(BaseHTTPRequestHandler):
    """What the host answers: the goal state, and nothing to a report."""

    def do_GET(self):
        found = self.path.startswith("/machine")
        self.answer(200 if found else 404, GOAL_STATE if found else "")

    def do_POST(self):
        report = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.answer(200, "", " ".join(report.split()))

    def answer(self, status, body, *said):
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
        print(self.command, self.path, status, *said, flush=True)

    def log_message(self, *_):
        """Each request is told once, by `answer`."""


if __name__ == "__main__":
    with ThreadingHTTPServer((sys.argv[1], 80), Host) as server:
        print("listening", flush=True)
        server.serve_forever()
