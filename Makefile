# `make demo` shows the main job on this machine; `make check` runs the quick checks, `make test` every
# check, `make test TESTS=tests/config` those of a file or a folder; `make fuzz` looks for new
# examples of every property; `make packages` leaves all packages in dist/; `make test-boot` boots
# machines with them. Each sets itself up.

PYTHON ?= python3
VENV := .venv
# Interpreters that pyenv keeps are tested too; its shims answer only for the selected version.
PYENV := $(subst $(eval) ,:,$(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/*/bin))

.PHONY: demo check test fuzz bench packages test-boot bench-boot clean

demo: $(VENV)/demo
	$(VENV)/bin/imds-bootstrap demo

# Style, types and the rooms' own tests on one Python, in a minute.
check: $(VENV)/check
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/mypy --platform win32 --no-warn-unreachable
	$(VENV)/bin/pytest -q -n 4 -m 'not boot and not crash and not process' \
		--ignore=tests/packaging --ignore=tests/security $(ARGS)

ifdef TESTS
test: $(VENV)/check
	$(VENV)/bin/pytest -q $(TESTS) $(ARGS)
else
test: $(VENV)/test
	PATH="$$PATH:$(PYENV)" $(VENV)/bin/tox run $(ARGS)
endif

# Random examples, many of them; what fails is printed as an @example for the test's file.
fuzz: $(VENV)/check
	$(VENV)/bin/pytest -q -n 4 -m hypothesis --hypothesis-profile=fuzz \
		$(or $(TESTS),tests --ignore=tests/crash) $(ARGS)

bench: $(VENV)/bench
	-$(VENV)/bin/python tests/bench.py
	-$(VENV)/bin/python tests/herd.py
	-$(VENV)/bin/python tests/sdk_cost.py

packages: $(VENV)/packages
	PATH="$$PATH:$(PYENV)" PYTHON=$(VENV)/bin/python packaging/build.sh dist

# Installs nothing on the system: what is missing is said by name.
test-boot: $(VENV)/boot
	@[ "$$(id -u)" = 0 ] || { echo "make test-boot boots machines: run it as root" >&2; exit 1; }
	@packaging/missing.sh debhelper=dh dh-python=dh_python3 pybuild-plugin-pyproject \
		python3-hatchling dpkg-dev=dpkg-buildpackage xz-utils=xz mmdebstrap=mmdebstrap \
		systemd-container=systemd-nspawn iproute2=ip e2fsprogs=mkfs.ext4 \
		qemu-system-x86=qemu-system-x86_64 qemu-utils=qemu-img \
		util-linux=setpriv ovmf wine64=/usr/lib/wine/wine64 >&2
	$(VENV)/bin/pytest -q -m boot tests/boot tests/windows $(ARGS)

# The boots of the agent and of cloud-init, doing the same job, side by side.
bench-boot: $(VENV)/boot
	$(VENV)/bin/python tests/boot/comparison.py

clean:
	rm -rf $(VENV) .tox .demo dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/demo: pyproject.toml | $(VENV)
	$(VENV)/bin/python -m pip install --quiet --editable '.[emulator]'
	touch $@

# The herd is simulated with SimPy; the rest is what the agent's own fetch is measured against.
$(VENV)/bench: $(VENV)/demo
	$(VENV)/bin/python -m pip install --quiet simpy cryptography azure-identity azure-keyvault-secrets
	touch $@

$(VENV)/packages: | $(VENV)
	$(VENV)/bin/python -m pip install --quiet 'hatchling>=1.21'
	touch $@

# An older pip knows no dependency groups.
$(VENV)/check: pyproject.toml | $(VENV)
	$(VENV)/bin/python -m pip install --quiet 'pip>=25.1'
	$(VENV)/bin/python -m pip install --quiet --editable '.[emulator]' --group packaging --group style
	touch $@

$(VENV)/boot: pyproject.toml | $(VENV)
	$(VENV)/bin/python -m pip install --quiet 'pip>=25.1'
	$(VENV)/bin/python -m pip install --quiet --editable '.[emulator]' --group tests
	touch $@

$(VENV)/test: pyproject.toml | $(VENV)
	$(VENV)/bin/python -m pip install --quiet 'tox>=4.25'
	touch $@

$(VENV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "Python 3.10 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments yet." >&2; \
		echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
