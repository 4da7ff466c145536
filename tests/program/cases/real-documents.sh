# Real instance documents load; a userData that is no document is explained to a newcomer.
documents=$SHARED/data/imds
if [ ! -d "$documents" ]; then
    echo "there is no $documents: the real documents are looked at where they are" >&2
    exit 77
fi
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "{{ instance.compute.name }}\n"}
X
for document in instance-linux-public-2020-09-01 instance-windows-china; do
    file=$documents/$document.json
    agent 0 show instance --offline "$file"
    python3 -c 'import json, sys; assert json.load(open(sys.argv[1])) == json.load(open(sys.argv[2]))' \
        "$out" "$file" || fail "the raw document is not shown as it is"
    agent 0 show tags --offline "$file"
    agent 0 get instance.compute.vmId --offline "$file"
    agent 0 get instance.network.interface[0].macAddress --offline "$file"
done
agent 0 run --offline "$documents/instance-linux-public-2020-09-01.json"
prints "configured: 1 file changed"
remember
agent 65 run --offline "$documents/instance-windows-china.json"
says "error[IB105] userData is not valid"
says "foobar"
says 'a document begins with `#imds-bootstrap` and `version: 1`'
agent 1 status
[ ! -e "$root/etc/app/foobar" ] || fail "something was written"
