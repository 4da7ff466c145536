# Whoever mistypes the tag that picks the environment is told, and the log says which is in force.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "{{ environment or 'none' }}\n"}
environments: {prod: {}, test: {}}
X
machine <<'X'
rate: 0
tags: {enviroment: prod}
X
agent 0 run
says 'warning: no tag `environment`: none of prod, test is in force (is the tag `enviroment` meant?)'
says "run.configured elapsed="
agent 0 status
prints 'warning: no tag `environment`'
machine <<'X'
rate: 0
tags: {environment: PROD}
X
agent 0 run
never warning
says "run.configured environment=prod elapsed="
# A run that has nothing to do says it too, though it decides nothing.
agent 0 run
says "run.unchanged environment=prod elapsed="
agent 0 status
prints "environment: prod"
