# A template that decodes a secret is no mistake where the secret is not there to be decoded.
image config.d/10-app.yaml <<'X'
version: 1
secrets:
  db: {vault: contoso-prod, name: db}
values: {web: {port: 80}}
files:
  - path: /etc/app/db
    content: "{% set db = secrets.db | from_json %}{{ db.user }}@{{ db.hosts | join(',') }}:{{ values.web.port }}\n"
  - path: /etc/app/pair
    content: "{% set user, password = (secrets.db | from_json).pair %}{{ password }}\n"
X
machine <<'X'
rate: 0
vaults:
  contoso-prod:
    rate: 0
    secrets: {db: '{"user": "c4n4ry-user", "hosts": ["a", "b"], "pair": ["x", "c4n4ry-pass"]}'}
X
vaults
quiet() { never c4n4ry; }

# Another mistake is told, and that one alone.
image config.d/20-mistake.yaml <<<'{version: 1, values: {web: {port: 80}}, fils: []}'
agent 65 run
says fils
never JSON
never unpack
never ValueError
rm "$root/etc/imds-bootstrap/config.d/20-mistake.yaml"

# Shown to a person, it is as it will be but for what the secret is.
agent 0 render /etc/app/db
prints '***@***:80'
quiet
agent 1 render /etc/app/pair
says 'cannot be shown: its template takes a secret apart'
quiet
agent 0 -v run
quiet
holds /etc/app/db <<<'c4n4ry-user@a,b:80'
holds /etc/app/pair <<<'c4n4ry-pass'
agent 0 -v plan --diff
quiet

# What the secret really is counts as soon as it is there.
machine <<'X'
rate: 0
vaults:
  contoso-prod: {rate: 0, secrets: {db: 'c4n4ry, no JSON'}}
X
agent 65 -v run
says 'the text is not JSON'
quiet
