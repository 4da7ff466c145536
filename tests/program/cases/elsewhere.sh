# On firmware that is not Azure's the run is disabled at once, and nothing is asked.
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
EOF
unset IMDS_BOOTSTRAP_IMDS_ENDPOINT # nothing says where IMDS is; the guard would stop a request
mkdir -p "$root/sys/class/dmi/id"
echo 'Chassis of a laptop' >"$root/sys/class/dmi/id/chassis_asset_tag"
agent 0 run
prints disabled
says "Chassis of a laptop"
[ ! -e "$root/etc/app/a" ] || fail "a file was written"
agent 0 status
prints "status: disabled"
never "more:"
prints "reason: this is not an Azure machine: its firmware's asset tag is 'Chassis of a laptop'"
prints "help: set imds.endpoint, or imds.detect to false"
agent 69 get instance.compute.name
says "this is not an Azure machine"
agent 69 plan
