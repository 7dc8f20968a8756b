#!/bin/sh
# Set-up for `make`: run from the root of the project as
#
#   sh tools/setup.sh octave    Octave 7 or later with a fast BLAS, by apt-get where that is possible
#   sh tools/setup.sh python    .venv with the packages of requirements.txt and the project itself
#   sh tools/setup.sh browser   Chromium, in which the tests look at the report; they can do without
#
# Both do nothing, at once, when all is there. Each says what to run by hand when it cannot go on.
# PYTHON names the interpreter to build .venv with.
set -u

say () { printf '%s\n' "$*" >&2; }

# as_root COMMAND...: run it as root, or fail without asking for a password.
as_root () {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    return 1
  fi
}

# apt_install PACKAGE...: install; refresh the package lists only when the first try fails.
apt_install () {
  command -v apt-get >/dev/null 2>&1 || return 1
  as_root true || return 1
  say "Installing with apt-get: $*"
  log=$(mktemp)
  for update in no yes; do
    if [ "$update" = yes ]; then
      as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update </dev/null >>"$log" 2>&1
    fi
    if as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
        install --no-install-recommends "$@" </dev/null >>"$log" 2>&1; then
      rm -f "$log"
      return 0
    fi
  done
  tail -n 15 "$log" >&2
  rm -f "$log"
  return 1
}

# ---------------------------------------------------------------- Octave

octave_command () {
  for name in "${OCTAVE_EXECUTABLE:-}" octave-cli octave; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then
      printf '%s' "$name"
      return 0
    fi
  done
  return 1
}

fast_blas () {
  PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null | grep -Eq 'lib(openblas|mkl_rt|blis)'
}

setup_octave () {
  missing=''
  octave_command >/dev/null || missing='octave'
  if command -v apt-get >/dev/null 2>&1 && ! fast_blas; then
    missing="$missing libopenblas0"
  fi
  # shellcheck disable=SC2086
  if [ -n "$missing" ] && ! apt_install $missing; then
    if octave_command >/dev/null; then
      say 'Octave runs with a slow BLAS: matrix products take 25 to 45 times as long. To repair it:'
      say '  sudo apt-get install --no-install-recommends libopenblas0'
    else
      say 'GNU Octave is missing, and it could not be installed from here. Please run:'
      if command -v apt-get >/dev/null 2>&1; then
        say '  sudo apt-get update'
        say '  sudo apt-get install --no-install-recommends octave libopenblas0'
      else
        say '  sudo dnf install octave       (Fedora)'
        say '  brew install octave           (macOS)'
        say 'or see https://octave.org/download'
      fi
      return 1
    fi
  fi

  command=$(octave_command) || return 1
  seen="$(command -v "$command")"
  if [ "$(cat .venv/.octave 2>/dev/null)" = "$seen" ]; then
    return 0
  fi
  version=$("$command" --version 2>/dev/null | sed -n '1s/.*version \([0-9]*\).*/\1/p')
  if [ "${version:-0}" -lt 7 ]; then
    say "Octave 7 or later is needed, but $seen is version ${version:-unknown}."
    say 'Name another with OCTAVE_EXECUTABLE=/path/to/octave-cli'
    return 1
  fi
  if [ -d .venv ]; then
    printf '%s\n' "$seen" >.venv/.octave
  fi
}

# ---------------------------------------------------------------- Python

new_enough () {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python () {
  for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if new_enough "$name"; then
      printf '%s' "$name"
      return 0
    fi
  done
  say "Python 3.11 or later is needed; ${PYTHON:-python3} is $("${PYTHON:-python3}" --version 2>&1)."
  say 'Name another with: make PYTHON=/path/to/python3 ...'
  return 1
}

setup_python () {
  wanted=$(cat requirements.txt pyproject.toml tools/setup.sh | cksum)
  if [ "$(cat .venv/.ready 2>/dev/null)" = "$wanted" ] && new_enough .venv/bin/python; then
    return 0
  fi
  if ! { new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python) || return 1
    if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
      package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
      if ! apt_install "$package" || ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        say "The venv module of $python is missing. On Debian and Ubuntu, please run:"
        say "  sudo apt-get install $package"
        return 1
      fi
    fi
    "$python" -m venv --clear .venv || return 1
  fi
  rm -f .venv/.ready
  say 'Installing the pinned Python packages into .venv (once, about a minute)'
  # The build tool is among the pinned packages: nothing is fetched for the project itself.
  if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt ||
     ! .venv/bin/python -m pip install --quiet --disable-pip-version-check \
         --no-build-isolation --no-deps -e .; then
    say 'The Python packages could not be installed; what pip said stands above. To try again:'
    say '  make setup'
    return 1
  fi
  printf '%s\n' "$wanted" >.venv/.ready
}

# ---------------------------------------------------------------- Chromium

setup_browser () {
  if command -v chromedriver >/dev/null 2>&1 || apt_install chromium chromium-driver; then
    return 0
  fi
  say 'Without chromium-driver the test that looks at the report in a browser is skipped.'
}

case "${1:-}" in
  octave) setup_octave ;;
  python) setup_python ;;
  browser) setup_browser ;;
  *) say 'usage: sh tools/setup.sh octave|python|browser'; exit 2 ;;
esac
