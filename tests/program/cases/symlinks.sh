# A link in the place of a file is refused, followed or replaced, as the document says.
declare_file() {
    image config.d/10-app.yaml <<X
version: 1
files:
  - {path: /etc/app/a, content: "ours\n"$1}
X
}
machine <<<'rate: 0'
mkdir -p "$root/etc/app"
echo theirs >"$root/etc/app/real"
ln -s real "$root/etc/app/a"
declare_file ""
remember
agent 73 run
says "error[IB502]"
says "/etc/app/a"
says "symlink: follow"
untouched
declare_file ", symlink: follow"
agent 0 run
[ -L "$root/etc/app/a" ] || fail "the link is gone"
holds /etc/app/real <<<ours
echo theirs >"$root/etc/app/real"
declare_file ", symlink: replace"
agent 0 run
[ ! -L "$root/etc/app/a" ] || fail "the link is still there"
holds /etc/app/a <<<ours
holds /etc/app/real <<<theirs
