#!/usr/bin/env bash
# Installs txfuzz from the source of this action, so that its version is the action's.
# EXTRAS: adapters beside PostgreSQL's. GITHUB_ACTION_PATH: the source.
set -euo pipefail
source=$GITHUB_ACTION_PATH
wanted=("$source" "$source"/plugins/{default,heuristics,postgres,templates})
for extra in ${EXTRAS:-}; do
  if [ ! -f "$source/plugins/$extra/pyproject.toml" ]; then
    echo "::error::txfuzz: there is no adapter '$extra'" >&2
    exit 2
  fi
  wanted+=("$source/plugins/$extra")
done
python -m pip install --disable-pip-version-check --quiet --constraint "$source/constraints.txt" "${wanted[@]}"
txfuzz --version
