# What is made to blow up is refused at once: a gzip bomb, an alias bomb, nesting without end.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
X
machine <<<'rate: 0'
refused() {
    machine <<<"{rate: 0, userDataBase64: $(base64 -w0)}"
    remember
    (ulimit -v 600000 && agent 65 run --deadline 20) || exit 1
    untouched
}
head -c 40000000 /dev/zero | gzip -9 | refused
python3 -c '
print("version: 1\nvalues:\n  a0: &a0 [x, x]")
for n in range(1, 40): print(f"  a{n}: &a{n} [*a{n-1}, *a{n-1}]")' | refused
python3 -c 'print("version: 1\nvalues: " + "[" * 20000)' | refused
python3 -c 'print("{\"version\": 1, \"values\": " + "[" * 30000)' | refused
printf 'version: 1\nvalues: {a: 1, a: 2}\n' | refused
says "a"
