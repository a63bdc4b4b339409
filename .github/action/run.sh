#!/usr/bin/env bash
# Runs the workload and writes its report: as Markdown also into the summary of the job, and as a page.
# Ends with 0; the exit code of the verdict is an output, so that the comment comes first.
# WORKLOAD, URL, ARGUMENTS, BASELINE, OUTPUT_DIR: the inputs of action.yml; empty where they are not given.
set -uo pipefail
out=${OUTPUT_DIR:-runs/txfuzz}
report=$out/report.md page=$out/report.html
log=$(mktemp)

command=(txfuzz run --output-dir "$out")
if [ -f "${WORKLOAD:-}" ]; then
  command+=(--config "$WORKLOAD")
elif [ -n "${WORKLOAD:-}" ]; then
  command+=(--workload "$WORKLOAD")
fi
read -r -d '' -a more <<<"${ARGUMENTS:-}" || true  # split at blanks, and nothing else
[ -z "${URL:-}" ] || export DATABASE_URL=$URL

# Runs a command, and keeps its stderr in the log as well; the exit code is in `code`.
kept() {
  { "$@" 2>&1 1>&3 | tee "$log" >&2; code=${PIPESTATUS[0]}; } 3>&1
}

kept "${command[@]}" ${more[@]+"${more[@]}"}
if [ "$code" -eq 0 ] || [ "$code" -eq 1 ] || [ "$code" -eq 3 ]; then
  known=(--exit-code)
  [ -z "${BASELINE:-}" ] || known=(--baseline "$BASELINE")
  txfuzz report "$out" --out "$page" >/dev/null
  kept txfuzz report "$out" "${known[@]}" --format markdown --out "$report"
fi
if [ ! -s "$report" ]; then
  mkdir -p "$out"
  { echo "**txfuzz did not come to a report** (exit code $code)"; echo '```'; tail -n 5 "$log"; echo '```'; } >"$report"
fi
cat "$report" >>"$GITHUB_STEP_SUMMARY"
{ echo "exit-code=$code"; echo "report=$report"; echo "page=$page"; } >>"$GITHUB_OUTPUT"
rm -f "$log"
