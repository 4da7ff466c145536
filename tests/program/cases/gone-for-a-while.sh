# 410, an IMDS that starts late and a platform being serviced are waited for.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
X
machine <<'X'
starts: 4
faults: [{status: 410, times: 2}]
X
agent 0 run --deadline 60
says "outcome=refused"
says "outcome=410"
prints configured
