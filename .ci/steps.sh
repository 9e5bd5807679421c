# shellcheck shell=bash
# Named, timed steps: one line each on success, the end of the log on failure. Sourced by .ci/run.

LOGS=target/ci
mkdir -p "$LOGS"
WANTED=("$@")
PASSED=0
STARTED=$SECONDS

# step NAME COMMAND…: runs the command in a subshell, so that `set -e` also holds inside functions.
step() {
  local name=$1 began=$SECONDS status=0
  shift
  if [ "${#WANTED[@]}" -gt 0 ] && [[ " ${WANTED[*]} " != *" $name "* ]]; then return; fi
  STEP_LOG=$LOGS/$name.log
  : >"$STEP_LOG.notes"
  printf '%-12s ' "$name"
  set +e
  (
    set -euo pipefail
    "$@"
  ) >"$STEP_LOG" 2>&1 </dev/null
  status=$?
  set -e
  if [ "$status" -ne 0 ]; then
    printf 'FAILED after %d s with exit code %d: %s\n' "$((SECONDS - began))" "$status" "$*"
    printf -- '---- the last lines of %s\n' "$STEP_LOG"
    tail -n 150 "$STEP_LOG"
    printf '%d passed, 1 failed\n' "$PASSED"
    exit 1
  fi
  PASSED=$((PASSED + 1))
  printf 'ok %5d s  %s\n' "$((SECONDS - began))" "$(paste -sd ';' "$STEP_LOG.notes")"
}

# note TEXT: shows the text after the time in the line of a passed step.
note() {
  echo "$*" | tee -a "$STEP_LOG.notes"
}

# counted PATTERN: adds up the first group of PATTERN over this step's log, and fails if the sum is zero.
counted() {
  local sum
  sum=$(sed -nE "s/$1.*/\\1/p" "$STEP_LOG" | awk '{ n += $1 } END { print n + 0 }')
  [ "$sum" -gt 0 ] || {
    echo "nothing was run: no line like $1"
    return 1
  }
  note "$sum checks"
}

finish() {
  [ "$PASSED" -gt 0 ] || {
    echo "no such step: ${WANTED[*]}"
    exit 64
  }
  printf 'all of it in %d s\n' "$((SECONDS - STARTED))"
  printf '%d passed, 0 failed\n' "$PASSED"
}
