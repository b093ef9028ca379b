#!/usr/bin/env bash
# What action.yml runs: annotations on standard output, a summary of the job, the exit code as an output.
# Reads INPUT_* (see action.yml), CONVCALC, RUNNER_TEMP, GITHUB_STEP_SUMMARY and GITHUB_OUTPUT from the environment.
#
# What is checked out is not trusted: it may hold links where files are expected.
set -uo pipefail

finish() {
  echo "exit-code=$1" >>"$GITHUB_OUTPUT"
  exit "$1"
}

refuse() {
  echo "error: $1" >&2
  finish 2
}

cd -P . || refuse "the workspace cannot be entered"
reports=$(mktemp -d "${RUNNER_TEMP:-/tmp}/convcalc.XXXXXX") || refuse "there is no room for reports"
trap 'rm -rf "$reports"' EXIT

# What leads out of the workspace, or into .git, is not read; of a glob, the folder before its first sign counts.
inside() {
  local path=$1 place=${1%%[*?[]*}
  if [ ! -e "$path" ] && [ "$place" != "$path" ]; then
    case $place in */*) path=${place%/*}/ ;; *) path=. ;; esac
  fi
  [ -e "$path" ] || return 0
  place=$(realpath -- "$path") || return 1
  case $place/ in
    "$PWD"/.git/*) return 1 ;;
    "$PWD"/*) return 0 ;;
    *) return 1 ;;
  esac
}

# No link on the way to a file that is to be written: it could lead anywhere.
linkless() {
  local folder
  [ ! -L "$1" ] || return 1
  [ ! -e "$1" ] || [ -f "$1" ] || return 1
  folder=$(dirname -- "$1")
  [ -d "$folder" ] || return 1
  [ "$(cd -L -- "$folder" && pwd -L)" = "$(cd -P -- "$folder" && pwd -P)" ]
}

options=(--format=github "--report=markdown=$reports/summary.md")
[ -z "${INPUT_SELECT:-}" ] || options+=("--select=$INPUT_SELECT")
[ -z "${INPUT_IGNORE:-}" ] || options+=("--ignore=$INPUT_IGNORE")
[ "${INPUT_STRICT:-}" != true ] || options+=(--strict)
[ "${INPUT_ADVICE:-}" != true ] || options+=(--advice)
if [ -n "${INPUT_SARIF:-}" ]; then
  linkless "$INPUT_SARIF" || refuse "sarif: a link stands at '$INPUT_SARIF' or on the way to it, or no folder does"
  options+=("--report=sarif=$reports/log.sarif")
fi
if [ -n "${INPUT_BASE:-}" ]; then
  options+=("--base=$INPUT_BASE")
  while IFS= read -r limit; do
    [ -z "$limit" ] || options+=("--fail-over=$limit")
  done <<<"${INPUT_FAIL_OVER:-}"
fi

paths=()
while IFS= read -r path; do
  [ -n "$path" ] || continue
  inside "$path" || refuse "paths: '$path' leads out of the workspace"
  paths+=("$path")
done <<<"${INPUT_PATHS:-.}"

"$CONVCALC" check "${options[@]}" -- "${paths[@]}"
code=$?
[ ! -f "$reports/summary.md" ] || cat -- "$reports/summary.md" >>"$GITHUB_STEP_SUMMARY"
if [ -f "$reports/log.sarif" ]; then
  # The old file makes room for a new one: nothing that it is linked with is written.
  rm -f -- "$INPUT_SARIF" && cp -- "$reports/log.sarif" "$INPUT_SARIF" || code=2
fi
finish "$code"
