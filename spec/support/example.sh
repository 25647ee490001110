# example.sh NAME - run NAME.lua; it must succeed, and print what
# expected/NAME.txt says if there is such a file
expected=expected/$1.txt
if [ ! -f "$expected" ]; then
  exec "$LUA" "$1.lua"
fi
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
"$LUA" "$1.lua" >"$output"
status=$?
diff -u "$expected" "$output" && exit $status
