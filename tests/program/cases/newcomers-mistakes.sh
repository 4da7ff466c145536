# What a newcomer gets wrong is told with its place and what to do, and exits as documented.
image config.d/10-app.yaml <<'X'
version: 1
values: {web: {port: 80}}
files:
  - {path: /etc/app/a, template: app.conf.j2, notify: [app]}
handlers: {app: ["true"]}
X
image templates/app.conf.j2 <<<'port {{ values.web.port }}'
image values.schema.json <<'X'
{"properties": {"web": {"properties": {"port": {"type": "integer"}}}}}
X
given() { # a userData that is refused
    machine <<<"{rate: 0, userDataBase64: $(printf '%s\n' "$1" | base64 -w0)}"
    agent 65 run
    says "error[IB"
}
given $'version: 1\nvalues:\n\tweb: {port: 1}'
says "userData:3:1"
says "a tab cannot indent YAML"
given $'version: 1\nvalues: {web: {port: 80}\nfiles: []'
says "bracket"
given $'values: {web: {port: 81}}'
says "add version: 1"
given $'- version: 1'
says "this is a list, not a document"
given $'version: 1\nfiles: [{path: /etc/app/b, template: app.cnof.j2}]'
says "did you mean app.conf.j2? it was looked for in /etc/imds-bootstrap/templates and among"
given $'version: 1\nfiles: [{path: /etc/app/b, template: qqq}]'
says "help: it was looked for in /etc/imds-bootstrap/templates and among the templates that ship"
given $'version: 1\nfiles: [{path: /etc/app/b, template: app.conf.j2, notify: [ap]}]'
says "no layer has a handler 'ap'"
says "did you mean app?"
machine <<<'{rate: 0, tags: {"config:web.port": http}}'
agent 65 run
says "tag config:web.port"
says '"http" is not a whole number'
machine <<<'rate: 0'
[ ! -e "$root/etc/app" ] || fail "something was written"

image agent.yaml <<<$'deadline: [\n'
agent 78 run
says "/etc/imds-bootstrap/agent.yaml:"
agent 78 show settings
image agent.yaml <<<'- deadline'
agent 78 run
says "settings are \`name: value\` lines"
rm "$root/etc/imds-bootstrap/agent.yaml"
for schema in '{"type": "object"' '{"type": "objekt"}' '[]'; do
    image values.schema.json <<<"$schema"
    agent 78 run
    says "error[IB110]"
    says "/etc/imds-bootstrap/values.schema.json:"
    echo "version: 1" >good.yaml
    agent 78 validate good.yaml
done
rm "$root/etc/imds-bootstrap/values.schema.json"
mkfifo "$root/etc/imds-bootstrap/templates/pipe.j2"
agent 78 run --deadline 5
says "pipe.j2 of the image: it is not a file"
rm "$root/etc/imds-bootstrap/templates/pipe.j2"
ln -s nowhere "$root/etc/imds-bootstrap/config.d/20.yaml"
agent 78 run
says "config.d/20.yaml of the image: No such file or directory"
rm "$root/etc/imds-bootstrap/config.d/"*
agent 0 run
says "warning: no file is asked for"

for wait in 0 -1 nan inf soon; do
    agent 2 run --deadline "$wait"
    says "--deadline: $wait is not a number of seconds above 0"
    agent 2 get instance --deadline "$wait"
    agent 2 status --wait --timeout "$wait"
done
root=$PWD/nowhere
agent 2 status
says "there is no folder"
