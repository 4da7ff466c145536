# Which wheels pip is to take, whatever machine and whatever Python it runs on; for pin.sh and
# build.sh.
# shellcheck shell=bash disable=SC2034
PURE=(--only-binary=:all: --python-version 3.10 --implementation py --abi none --platform any)
PLATFORM=(--only-binary=:all: --python-version 3.10 --implementation cp
    --platform any --platform manylinux_2_17_x86_64)
