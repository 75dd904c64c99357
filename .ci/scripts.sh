#!/usr/bin/env sh
# The explorer's scripts: ESLint and the types in their comments. Only where Node is at hand, and
# the two tools can be had: neither they nor anything else of npm ships.
set -eu
cd "$(dirname "$0")/.."

if ! command -v npm >/dev/null; then
    echo "no npm here: the explorer's scripts are not checked"
    exit 0
fi
tools=.venv/npm
if [ ! -x "$tools/node_modules/.bin/tsc" ] || [ ! -x "$tools/node_modules/.bin/eslint" ]; then
    mkdir -p "$tools"
    if ! npm install --prefix "$tools" --no-audit --no-fund --no-save --silent \
        eslint@10 @eslint/js@10 globals@17 typescript@7; then
        echo "npm gives no ESLint and TypeScript: the explorer's scripts are not checked"
        exit 0
    fi
fi
NODE_PATH="$tools/node_modules" "$tools/node_modules/.bin/eslint" --config .ci/eslint.config.cjs \
    src/polydescent/report/explorer
"$tools/node_modules/.bin/tsc" --project .ci/tsconfig.json
echo "the explorer's scripts: ESLint and types are clean"
