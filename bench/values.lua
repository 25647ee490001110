--- values.lua - what it costs to send values and functions
--
-- Each figure stands beside its floor, measured by turns in the same run:
-- ratios matter, not the absolutes. All are medians.
-- usage: build/release/run lua bench/values.lua [ROUNDS]
local futures = require "futures"
local scan = require "futures.source.scan"
local source = require "futures.source"
local floor = require "floor" -- built beside this benchmark
local clock = floor.clock

local rounds = math.tointeger(tonumber(arg and arg[1])) or 41
local RECORDS = 10000

local function time(action)
  local start = clock()
  action()
  return clock() - start
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

--- Milliseconds of each action; they take turns, so that a slow stretch hits all.
-- `before` is called before each, unless nil.
local function compare(before, ...)
  local actions, times = { ... }, {}
  for i, action in ipairs(actions) do
    action()
    times[i] = {}
  end
  collectgarbage()
  for _ = 1, rounds do
    for i, action in ipairs(actions) do
      if before then before() end
      table.insert(times[i], time(action) * 1e3)
    end
  end
  local medians = {}
  for i = 1, #actions do medians[i] = median(times[i]) end
  return table.unpack(medians)
end

local function report(what, ours, floor_name, theirs, goal)
  print(("%-38s %9.3f ms  %-22s %9.3f ms  ratio %.2f, goal %s"):format(
    what, ours, floor_name, theirs, ours / theirs, goal))
end

local function report_limit(what, value, unit, goal)
  print(("%-38s %9.3f %s  goal %s"):format(what, value, unit, goal))
end

local pool <close> = futures.ThreadPoolExecutor(1)
local function echo(...) return ... end

local records = {}
for i = 1, RECORDS do records[i] = { id = i, name = "n" .. i, x = i * 1.5 } end

local function through_worker() pool:submit(echo, records):result() end
local function through_api()
  floor.records(RECORDS)
  floor.records(RECORDS)
end
local ours, theirs = compare(nil, through_worker, through_api)
report("10,000 records, there and back", ours, "2 builds and 2 walks", theirs, "1.6")

local function both_ways() futures.decode(futures.encode(records)) end
local has_cjson, cjson = pcall(require, "cjson")
if has_cjson then
  -- both leave garbage, and neither is to collect that of the other
  local function by_cjson() cjson.decode(cjson.encode(records)) end
  ours, theirs = compare(collectgarbage, both_ways, by_cjson)
  report("10,000 records, encode and decode", ours, "lua-cjson", theirs, "0.4")
else
  print "lua-cjson is not installed"
end

local text = ("x"):rep(1 << 20)
local has_luv, luv = pcall(require, "luv")
if has_luv then
  local work = luv.new_work(function(s) return s end, function(s) assert(#s == 1 << 20) end)
  ours, theirs = compare(nil,
    function() pool:submit(echo, text):result() end,
    function()
      work:queue(text)
      luv.run()
    end)
  report("1 MiB string, there and back", ours, "luv's new_work", theirs, "1")
else
  print "luv is not installed"
end

local REPEATS = 100000
local function known() return records end
local function empty() return known end
local seen, nothing = compare(nil,
  function() for _ = 1, REPEATS do source.chunk(known) end end,
  function() for _ = 1, REPEATS do empty(known) end end)
report_limit("source of a function seen before", (seen - nothing) / REPEATS * 1e3, "us", "1")

local lines = {} -- of our own sources, over and over
while #lines < 5000 do
  for name in pairs(package.loaded) do
    local path = name:match "^futures%.?" and package.searchpath(name, package.path)
    for line in io.lines(path or "/dev/null") do lines[#lines + 1] = line end
  end
end
local program = table.concat(lines, "\n", 1, 5000)
report_limit("scan of 5,000 lines", (compare(nil, function() scan(program) end)), "ms", "30")
