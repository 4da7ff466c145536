# Whatever IMDS does, a run ends within a second of its deadline, and status says what it got.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
X
late() { # FAULT OUTCOME: a run against this fault is late, and got this outcome
    machine <<<"{rate: 0, faults: [$1]}"
    agent 75 run --deadline 2
    says "error[IB201]"
    says "$2"
    agent 1 status
    prints "status: failed"
    prints "$2 ×"
    agent 1 --format json status
    python3 - "$out" "$2" <<'X' || fail "the status of a run against $1"
import json, sys
status = json.load(open(sys.argv[1]))
assert 1 <= status["seconds"] <= 4, status["seconds"]  # a second, and one for a busy machine
assert status["exit_code"] == 75
assert status["imds"]["requests"] == sum(status["imds"]["outcomes"].values()) >= 1
assert status["imds"]["outcomes"][sys.argv[2]] >= 1
X
}
late '{times: forever, status: 503}' 503
late '{times: forever, drip: 0.2}' timeout
late '{times: forever, silence: true}' timeout
late '{times: forever, status: 410}' 410
[ ! -e "$root/etc/app" ] || fail "something was written"
