# Where nothing can be said any more, the program still ends as what it had to say would have it.
machine <<<'rate: 0'
ends() {
    local expected=$1 code=0
    shift
    bash -c "imds-bootstrap --root '$root' $*" >"$out" || code=$?
    [ "$code" = "$expected" ] || fail "$*: exit code $code, not $expected"
}
for streams in '2>/dev/full' '2>&-' '>/dev/full 2>/dev/full' '>&- 2>&-'; do
    ends 2 "get nothing $streams"
    ends 2 "--format json get nothing $streams"
    ends 66 "validate /no/such/file $streams"
done
ends 1 "--help >/dev/full 2>'$err'"
[ "$(cat "$err")" = "error: writing the output: No space left on device" ] || fail "$(cat "$err")"
ends 1 "--help >/dev/full 2>/dev/full"
ends 0 "--help >&- 2>&-"

# Bytes that are no text, said where only ASCII is understood; JSON stays JSON there.
for locale in C C.UTF-8; do
    export LC_ALL=$locale PYTHONCOERCECLOCALE=0 PYTHONUTF8=0
    agent 66 validate $'no-\xff-file'
    says 'error[IB104] reading no-'
    agent 66 --format json validate $'no-\xc3\xa4-\xff-file'
    python3 -c 'import json, sys; json.load(sys.stdin)' <"$out" || fail "this is no JSON"
done
unset PYTHONUTF8 PYTHONCOERCECLOCALE LC_ALL
PYTHONIOENCODING=ascii agent 66 --format json validate 'ä'
python3 -c 'import json, sys; assert "ä" in json.load(sys.stdin)["error"]["message"]' <"$out" ||
    fail "this is no JSON"

# A status that cannot be written is no reason to say less.
mkdir -p "$root/run/imds-bootstrap/status.json"
agent 66 run --offline /no/such/file
says "error[IB104]"
