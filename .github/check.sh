#!/usr/bin/env bash
# What action.yml runs: annotations on standard output, tables in the job's summary, the exit code as an output.
# Reads INPUT_* (see action.yml), CONVCALC, GITHUB_STEP_SUMMARY and GITHUB_OUTPUT from the environment.
set -uo pipefail

options=()
[ -z "${INPUT_SELECT:-}" ] || options+=("--select=$INPUT_SELECT")
[ -z "${INPUT_IGNORE:-}" ] || options+=("--ignore=$INPUT_IGNORE")
[ "${INPUT_STRICT:-}" != true ] || options+=(--strict)
[ "${INPUT_ADVICE:-}" != true ] || options+=(--advice)

paths=()
while IFS= read -r path; do
  [ -z "$path" ] || paths+=("$path")
done <<<"${INPUT_PATHS:-.}"

"$CONVCALC" check --format=github "${options[@]}" -- "${paths[@]}"
code=$?
"$CONVCALC" check --format=markdown --quiet "${options[@]}" -- "${paths[@]}" >>"$GITHUB_STEP_SUMMARY" 2>/dev/null
if [ -n "${INPUT_SARIF:-}" ]; then
  "$CONVCALC" check --format=sarif --quiet "${options[@]}" -- "${paths[@]}" >"$INPUT_SARIF" 2>/dev/null
fi

if [ -n "${INPUT_BASE:-}" ]; then
  limits=()
  while IFS= read -r limit; do
    [ -z "$limit" ] || limits+=("--fail-over=$limit")
  done <<<"${INPUT_FAIL_OVER:-}"
  # Files that changed since the base and exist on both sides; names end with NUL, whatever they hold.
  while IFS= read -r -d '' file; do
    case $file in *.yaml | *.yml) ;; *) continue ;; esac
    grep -Eq '^(\{ *)?convcalc *:' -- "$file" || continue
    "$CONVCALC" diff --format=markdown "${limits[@]}" -- "git:$INPUT_BASE:./$file" "$file" >>"$GITHUB_STEP_SUMMARY"
    status=$?
    [ "$status" -ne 1 ] || "$CONVCALC" diff --format=github "${limits[@]}" -- "git:$INPUT_BASE:./$file" "$file" 2>/dev/null
    [ "$status" -le "$code" ] || code=$status
  done < <(git diff --name-only --relative --diff-filter=M -z --end-of-options "$INPUT_BASE" --)
fi

echo "exit-code=$code" >>"$GITHUB_OUTPUT"
exit "$code"
