#!/usr/bin/env bash
# Fuzzes one target for a short while: fuzz.sh DIR TRIPLE TARGET. Called by .ci/run.
set -euo pipefail
dir=$1 triple=$2 target=$3
mkdir -p "$dir/corpus/$target" "$dir/found"
"$dir/$triple/release/$target" "$dir/corpus/$target" "tests/fuzz/seeds/$target" \
  -max_total_time="${FUZZ_SECONDS:-15}" -timeout=5 -rss_limit_mb=1024 -max_len=16384 -print_final_stats=1 \
  -artifact_prefix="$dir/found/$target-"
