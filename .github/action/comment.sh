#!/usr/bin/env bash
# Comments the report on the pull request; a later run of the same workload replaces its own comment.
# REPORT: the file. PULL_REQUEST: its number. WORKLOAD: tells the comments of several workloads apart.
# GH_TOKEN: for gh. GITHUB_REPOSITORY: owner/name.
set -euo pipefail
mark="<!-- txfuzz report: ${WORKLOAD//[^A-Za-z0-9_.\/-]/_} -->"
comments=repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments
body=$(mktemp)
trap 'rm -f "$body"' EXIT
{ echo "$mark"; cat "$REPORT"; } >"$body"

# The token of a pull request from a fork may only read. That is no reason to fail.
refused() {
  echo "::warning::txfuzz: the report is in the summary of the job; it could not be commented on the pull request"
  exit 0
}
earlier=$(gh api --paginate "$comments" --jq ".[] | select(.body | startswith(\"$mark\")) | .id") || refused
earlier=${earlier%%$'\n'*}
if [ -n "$earlier" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$earlier" --field "body=@$body" >/dev/null || refused
else
  gh api --method POST "$comments" --field "body=@$body" >/dev/null || refused
fi
