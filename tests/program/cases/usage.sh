# A mistake on the command line is told with what was meant, and exits 2.
agent 2
says "see imds-bootstrap --help"
code=0
imds-bootstrap 2>"$err" || code=$? # no word at all, as a newcomer types it
[ "$code" = 2 ] || fail "without a word: exit code $code"
says "error[IB001] no command is given"
agent 2 --format json
prints '"code": "IB001"'
agent 2 --format
agent 2 rnu
says "did you mean run?"
agent 2 run --frce
says "see imds-bootstrap run --help"
agent 2 --format xml run
agent 78 --set imds.endpont=x run
says "did you mean imds.endpoint?"
agent 78 --set imds.endpoint=https://127.0.0.1 run
agent 0 --help
prints "emulate"
agent 0 run --help
prints "--offline"
agent 0 --version
for name in document settings status machine; do
    agent 0 schema "$name"
    prints "2020-12"
done
# Running text is as wide as the terminal; an example stays as it was written.
for verb in run plan verify status show get validate render clean schema emulate demo; do
    COLUMNS=80 agent 0 "$verb" --help
    ! grep -E '^[^ ].{80}' "$out" || fail "the help of $verb is wider than 80 columns"
done
COLUMNS=60 agent 0 emulate --help
prints "    name: shop-01                    # also: location"
COLUMNS=60 agent 0 --help
prints "  plan      show what run would change"
