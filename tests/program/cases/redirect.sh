# A redirect is not followed: the run stops at once and says where it was sent.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
X
machine <<<'faults: [{redirect: "http://127.0.0.1:9/metadata/instance", times: forever}]'
remember
agent 69 run --deadline 20
says "error[IB202]"
says "302"
says "redirect"
untouched
agent 1 --format json status
prints '"requests": 1'
prints '"exit_code": 69'
