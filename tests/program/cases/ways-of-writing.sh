# in_place keeps the file itself, when: once keeps what is there, backup keeps what was there.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/place, content: "{{ values.word }}\n", in_place: true}
  - {path: /etc/app/once, content: "{{ values.word }}\n", when: once}
  - {path: /etc/app/saved, content: "{{ values.word }}\n", backup: true}
values: {word: one}
X
mkdir -p "$root/etc/app"
for name in place saved; do echo old >"$root/etc/app/$name"; done
inode=$(stat -c %i "$root/etc/app/place")
machine <<<'rate: 0'
agent 0 run
[ "$(stat -c %i "$root/etc/app/place")" = "$inode" ] || fail "the file was replaced"
holds /etc/app/place <<<one
holds /etc/app/once <<<one
holds /etc/app/saved <<<one
[ "$(cat "$root"/etc/app/saved?*)" = old ] || fail "there is no backup: $(ls "$root/etc/app")"
echo mine >"$root/etc/app/once"
machine <<<'{rate: 0, userData: "{version: 1, values: {word: two}}"}'
agent 0 run
holds /etc/app/once <<<mine
holds /etc/app/place <<<two
remember
agent 0 run
prints unchanged
untouched
