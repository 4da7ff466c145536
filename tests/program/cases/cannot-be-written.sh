# What cannot be written as asked is told before anything is written, all of it at once.
machine <<<'rate: 0'
mkdir -p "$root/etc/app/folder"
echo file >"$root/etc/app/file"
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/fine, content: "x"}
  - {path: /etc/app/folder, content: "x"}
  - {path: /etc/app/owned, content: "x", owner: no-such-user, group: no-such-group}
  - {path: /etc/app/file/below, content: "x"}
X
remember
agent 73 run
says "config.d/10-app.yaml:4:5  /etc/app/folder: a folder is in the way"
says "no user 'no-such-user'"
says "no group 'no-such-group'"
says "create the user in the image"
says "/etc/app/file/below"
untouched
agent 73 plan
untouched
agent 1 status
prints "config.d/10-app.yaml:4:5  /etc/app/folder"
