#!/bin/sh
# kernel_symbols_test.sh NM OBJECT...: fails if two of the objects define a symbol of the same name,
# or if any defines a weak one. The linker keeps one of several weak definitions: an old CPU would
# run the copy that was compiled for a new one.
set -eu
nm=$1
shift
if weak=$("$nm" --defined-only -g "$@" | grep -E ' [VvWwu] '); then
  echo "weak symbols: $weak"
  exit 1
fi
shared=$("$nm" --defined-only -g "$@" | awk 'NF == 3 { print $3 }' | sort | uniq -d)
if [ -n "$shared" ]; then
  echo "defined in more than one object: $shared"
  exit 1
fi
symbols=$("$nm" --defined-only -g "$@" | awk 'NF == 3' | wc -l)
[ "$symbols" -ge $# ] || { echo "expected a symbol an object, found $symbols"; exit 1; }
echo "$# objects, $symbols symbols, none weak, none shared"
