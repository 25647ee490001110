-- How long it takes to find the source of a function: lua bench/source.lua

local bytecode = require "futures.source.bytecode"
local scan = require "futures.source.scan"
local source = require "futures.source"

local PART = [[
--- Sum up what an order holds. Comments are as long as this one, or longer, and
-- there are enough of them; some say "function" or even 'end'.
-- @param order a table of items, each with price and amount
-- @return the sum, and how many items there were
function module.sum_%d(order, options)
  local sum, count = 0, 0
  for index, item in ipairs(order.items) do
    if item.price and item.amount > 0 then
      sum = sum + item.price * item.amount * (1 + rate)
      count = count + 1
    elseif options.strict then
      error("item " .. index .. " of " .. tostring(order.name) .. " has no price")
    else
      options.warn(function() return "no price: " .. index .. '\n' end)
    end
  end
  return sum, count, unit
end

function module.visit_%d(node, visitor, depth)
  local name, children = node.name or "?", node.children
  if visitor.enter then visitor:enter(name, depth) end
  for position = 1, #children do
    local child = children[position]
    while child.alias do
      child = child.alias
    end
    module.visit_%d(child, visitor, depth + 1)
    visitor.sizes[name] = (visitor.sizes[name] or 0) + #child.name
  end
  if visitor.leave then visitor:leave(name, depth, node[1], node["kind"]) end
  return visitor
end

]]

local text = "local unit, rate <const> = 'EUR', 0.19\nlocal module = {}\n"
local parts = 5000 // select(2, PART:gsub("\n", "")) + 1
for part = 1, parts do text = text .. PART:gsub("%%d", part) end
text = text .. "return module\n"
local lines = select(2, text:gsub("\n", ""))

local path = os.tmpname()
local file <close> = assert(io.open(path, "w"))
file:write(text):flush()

-- Microseconds a round; the best of some tries.
local function measure(tries, rounds, action)
  local best = math.huge
  for try = 1, tries do
    collectgarbage()
    local start = os.clock()
    for round = 1, rounds do action(round, try) end
    best = math.min(best, (os.clock() - start) / rounds)
  end
  return best * 1e6
end

local function report(what, microseconds)
  print(("%-58s %10.2f us"):format(what, microseconds))
end

local module = dofile(path)
local one = module.visit_1

report(("scan a file of %d lines, %d KB"):format(lines, #text // 1000),
  measure(5, 1, function() scan(text) end))

local chunkname = debug.getinfo(one, "S").source
report("first function of that file: read, scan, compare",
  measure(5, 1, function(_, try)
    source.register(chunkname, nil) -- forgets the scan
    source.chunk(module["sum_" .. try])
  end))

local functions = {}
for part = 6, parts do functions[#functions + 1] = module["visit_" .. part] end
report("another function of that file, 13 lines",
  measure(1, #functions, function(round) source.chunk(functions[round]) end))

local make = load("local n = 0 " .. PART:gsub("function module.visit_%%d",
  "return function"):gsub("%%d", "1"):gsub("^.-\nend\n", ""))
local closures = {}
for round = 1, 10000 do closures[round] = make() end
report("new closure of a known function",
  measure(1, #closures, function(round) source.chunk(closures[round]) end))

report("known function", measure(5, 1000000, function() source.chunk(one) end))

local dumped = string.dump(one)
report("string.dump of those 13 lines", measure(5, 10000, function() string.dump(one) end))
report("take from the dump what is compared",
  measure(5, 10000, function() bytecode.read(dumped) end))
local expression = "return " .. source.get(one)
report("compile those 13 lines", measure(5, 10000, function() load(expression) end))
os.remove(path)
