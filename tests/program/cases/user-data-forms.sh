# userData may be YAML, JSON, gzip, base64 of either, CR LF, or a part beside cloud-init's.
image config.d/10-app.yaml <<'X'
version: 1
values: {word: none}
files:
  - {path: /etc/app/a, content: "{{ values.word }}\n"}
X
machine <<<'rate: 0'
given() { # WORD: standard input is a userData that sets it
    machine <<<"{rate: 0, userDataBase64: $(base64 -w0)}"
    agent 0 run
    never warning
    holds /etc/app/a <<<"$1"
}
document() { printf '#imds-bootstrap\nversion: 1\nvalues: {word: %s}\n' "$1"; }
document plain | given plain
printf '{"version": 1, "values": {"word": "json"}}' | given json
document gzip | gzip | given gzip
document base64 | base64 | given base64
document both | gzip | base64 -w0 | given both
document crlf | sed 's/$/\r/' | given crlf
(printf '\xef\xbb\xbf' && document mark) | given mark
given mime <<'X'
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="edge"

--edge
Content-Type: text/cloud-config

#cloud-config
packages: [nginx]
--edge
Content-Type: text/x-imds-bootstrap
Content-Transfer-Encoding: base64

dmVyc2lvbjogMQp2YWx1ZXM6IHt3b3JkOiBtaW1lfQo=
--edge--
X
