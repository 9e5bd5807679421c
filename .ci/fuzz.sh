#!/usr/bin/env bash
# Fuzzes one target for a short while: fuzz.sh DIR TRIPLE TARGET. Called by .ci/run.
# Prints the statistics. If the target fails, prints its name, the panic and the input, which is all that is needed to
# repeat it elsewhere.
set -euo pipefail
dir=$1 triple=$2 target=$3
log=$dir/$target.log
found=$dir/found/$target
rm -rf "$found"
mkdir -p "$dir/corpus/$target" "$found"
if "$dir/$triple/release/$target" "$dir/corpus/$target" "tests/fuzz/seeds/$target" \
  -max_total_time="${FUZZ_SECONDS:-15}" -timeout=5 -rss_limit_mb=1024 -max_len=16384 -print_final_stats=1 \
  -artifact_prefix="$found/" >"$log" 2>&1; then
  echo "$target"
  grep '^stat::' "$log"
else
  echo "FAILED: $target"
  grep -m 1 -A 15 'panicked at' "$log" || tail -n 30 "$log"
  for input in "$found"/*; do
    echo "base64 of $input:"
    base64 "$input"
  done
  # xargs starts no other target after this code.
  exit 255
fi
