# example.sh NAME - run NAME.lua; it must succeed, and print what
# expected/NAME.txt says if there is such a file. Exits with 77, for skipped,
# when a library that it requires is missing; in CI that is a failure.
if [ -z "$CI" ]; then
  for library in luv cqueues copas; do
    if grep -q "require \"$library\"" "$1.lua" &&
        ! "$LUA" -e "package.path = package.path .. ';/usr/share/lua/5.2/?.lua'
          require '$library'" 2>/dev/null; then
      echo "$1.lua needs $library"
      exit 77
    fi
  done
fi
expected=expected/$1.txt
if [ ! -f "$expected" ]; then
  exec "$LUA" "$1.lua"
fi
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
"$LUA" "$1.lua" >"$output"
status=$?
diff -u "$expected" "$output" && exit $status
