# A check that refuses a file keeps all files as they were, and its words are told.
declare_files() {
    image config.d/10-app.yaml <<X
version: 1
files:
  - {path: /etc/app/one, content: "new\n"}
  - {path: /etc/app/two.conf, content: "new\n", check: $1}
X
}
machine <<<'rate: 0'
mkdir -p "$root/etc/app"
echo old >"$root/etc/app/one"
remember
declare_files '[sh, -c, "echo line 3 is wrong >&2; exit 4", "{path}"]'
agent 1 run
says "error[IB503]"
says "/etc/app/two.conf"
says "status 4"
says "line 3 is wrong"
holds /etc/app/one <<<old
[ ! -e "$root/etc/app/two.conf" ] || fail "it was written"
declare_files '[no-such-program, "{path}"]'
agent 1 run
says "no-such-program"
declare_files '[sh, -c, "exit 5"]' # without {path} it looks at the whole, once that is there
agent 1 run
says "status 5"
holds /etc/app/one <<<old
[ ! -e "$root/etc/app/two.conf" ] || fail "it is not rolled back"
[ "$(ls -A "$root/etc/app")" = one ] || fail "something is left: $(ls -A "$root/etc/app")"
# It sees the real suffix, and the words of the file as data only.
declare_files '[sh, -c, "case $1 in *.conf) grep -qx new \"$1\";; *) exit 9;; esac", sh, "{path}"]'
sed -i 's/\$1/$1/g' "$root/etc/imds-bootstrap/config.d/10-app.yaml"
agent 0 run
holds /etc/app/two.conf <<<new
declare_files '[sleep, "60", "{path}"]'
sed -i 's/new/newer/' "$root/etc/imds-bootstrap/config.d/10-app.yaml"
agent 1 --set commands.timeout=1 run
holds /etc/app/one <<<new
