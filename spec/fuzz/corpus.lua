-- corpus.lua - write the seeds of the fuzzer
-- usage: lua5.4 spec/fuzz/corpus.lua folder (needs wire_test in package.cpath)
package.path = "spec/support/?.lua;" .. package.path
local wire, random = require "wire_test", require "wire_random"
local folder = arg[1]
local c = wire.channel()
local n = 0

local function write(...)
  n = n + 1
  local file = assert(io.open(("%s/seed-%02d"):format(folder, n), "wb"))
  file:write(c:encode(...))
  file:close()
end

c:source(function() return "local a, b return function() return a, b, print end",
  "=seed", {}, false end)
local a, b = 1, {}
local function f() return a, b, print end
local mt = { __index = function() return a end, __gc = f }
local t = setmetatable({ 1, 2, nil, 4, x = 1.5, y = { z = "z" } }, mt)
t.self, t[t] = t, t
write()
write(nil, true, false, 0, -1, 200, 70000, 1 << 40, 1.5, "", ("s"):rep(40))
write { 1, 2, 3, nil, 5, x = 1, y = { x = 2, y = 3 } }
write(("long"):rep(30), { [1.5] = {}, [true] = false, [-1] = -2 })
write(t, { t, t })
write(f, f, { f })
write(print, string, string.format, io.stdout, _G)
write(setmetatable({}, { __reduce = function() return rawget, { 5 }, 1 end }))
for seed = 1, 8 do write(random.value(seed)) end
local function plain(x) return x + 1 end
c:source(function(fn)
  if fn == plain then return "\n\nreturn function(x) return x + 1 end", "=plain", {}, false end
  return "local a, b return function() return a, b, print end", "=seed", {}, false
end)
a, b = 1, "two"
write(f, 1)
write(plain, 1)
write({ plain, plain }, { [plain] = { f } })
c:source(function() return "return ...", "=main", {}, true end)
local main = load "return ..."
write(main, { main })
