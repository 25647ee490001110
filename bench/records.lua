-- records.lua - 10,000 records, encoded and decoded, beside lua-cjson
-- usage: lua5.4 bench/records.lua (needs wire_test and cjson in package.cpath)
local wire = require "wire_test"
local has_cjson, cjson = pcall(require, "cjson")
local c = wire.channel()
local records = {}
for i = 1, 10000 do
  records[i] = { id = i, name = "n" .. i, x = i * 1.5 }
end

local function best(rounds, run)
  local least = math.huge
  for _ = 1, rounds do
    local start = os.clock()
    run()
    least = math.min(least, os.clock() - start)
  end
  return least * 1e3
end

local ours = best(20, function() c:decode(c:encode(records)) end)
print(("encode + decode %.2f ms"):format(ours))
if has_cjson then
  local theirs = best(20, function() cjson.decode(cjson.encode(records)) end)
  print(("lua-cjson       %.2f ms, ratio %.2f"):format(theirs, ours / theirs))
end
