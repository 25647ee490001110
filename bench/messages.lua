--- messages.lua - what a task costs on its way, as bytecode and as source
--
-- Microseconds to encode a function and its arguments, and to decode them in
-- another state; the best of some tries. Results travel as plain values do.
-- usage: build/release/run lua bench/messages.lua [ROUNDS]
local source = require "futures.source"
local messages = require "messages" -- built beside this benchmark

local rounds = math.tointeger(tonumber(arg and arg[1])) or 20000

-- The best of some tries for each mode, which take turns.
local function costs(times, ...)
  local best = {}
  for _ = 1, 9 do
    for mode = 0, 1 do
      collectgarbage()
      local encoding, decoding = messages.cost(source.chunk, mode == 1, times, ...)
      best[2 * mode + 1] = math.min(best[2 * mode + 1] or math.huge, encoding)
      best[2 * mode + 2] = math.min(best[2 * mode + 2] or math.huge, decoding)
    end
  end
  return table.unpack(best)
end

print(("%-36s %19s %21s"):format("", "to a thread", "portable"))
print(("%-36s %9s %9s   %9s %9s"):format("microseconds", "encode", "decode", "encode", "decode"))
local function report(what, times, ...)
  print(("%-36s %9.3f %9.3f   %9.3f %9.3f"):format(what, costs(times, ...)))
end

local rate, unit, base, names = 0.19, "EUR", 7, { "a", "b" }
local function helper(x) return x * 2 end
local function long(order)
  local sum, count = 0, 0
  for index, item in ipairs(order.items) do
    if item.price and item.amount > 0 then
      sum = sum + item.price * item.amount * (1 + rate)
      count = count + 1
    elseif order.strict then
      error("item " .. index .. " of " .. tostring(order.name) .. " has no price")
    else
      print("no price: " .. index .. '\n')
    end
  end
  return sum, count, unit
end
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
function along(n) return n < 2 and n or along(n - 1) end -- luacheck: ignore 111 113

report("plain values", rounds, 1, "text", 2.5, true)
report("function(x) return x + 1 end", rounds, function(x) return x + 1 end, 1)
report("of three plain upvalues", rounds, function(x) return x * rate + base, unit end, 1)
report("that calls a helper, print, math", rounds,
  function(x) print(helper(x), math.floor(x)) end, 1)
report("of fifteen lines", rounds, long, 1)
report("with a nested one", rounds, function(x) return function() return x + base end end, 1)
report("recursive", rounds, fib, 1)
report("recursive, global", rounds, along, 1) -- luacheck: ignore 113
report("with a table captured", rounds, function(x) return names[x] end, 1)
report("with a table for argument", rounds, function(x) return x end, names)

-- Closures made anew for each task, as in a loop around `submit`.
local function new_closures(what, make)
  local best = {}
  for _ = 1, 9 do
    for mode = 0, 1 do
      local closures = {}
      for i = 1, rounds do closures[i] = make(i) end
      collectgarbage()
      local encoding = messages.encode(source.chunk, mode == 1, closures)
      best[mode] = math.min(best[mode] or math.huge, encoding)
    end
  end
  print(("%-36s %9.3f %9s   %9.3f"):format(what, best[0], "", best[1]))
end
new_closures("a new closure", function() return function(x) return x + 1 end end)
new_closures("a new closure of three upvalues",
  function(i) return function(x) return x * rate + i, unit end end)

local records = {}
for i = 1, 10000 do records[i] = { id = i, name = "n" .. i, x = i * 1.5 } end
report("10,000 records", 5, records)
