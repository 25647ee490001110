--- process.lua - process pools beside thread pools, a bare futex, and CPython
--
-- All in one run: ratios matter, not the absolutes.
-- usage: build/release/run lua bench/process.lua [TASKS [ROUNDS]]
local futures = require "futures"
local floor = require "floor" -- built beside this benchmark
local futex = require "futex" -- the same
local clock = floor.clock

local tasks = math.tointeger(tonumber(arg and arg[1])) or 100000
local rounds = math.tointeger(tonumber(arg and arg[2])) or 5

local function trivial(x) return x + 1 end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

--- Submit all, then read all; tasks a second.
local function burst(ex)
  local fs = {}
  collectgarbage()
  local start = clock()
  for i = 1, tasks do fs[i] = ex:submit(trivial, i) end
  for i = 1, tasks do assert(fs[i]:result() == i + 1) end
  return tasks / (clock() - start)
end

--- One at a time, so many seconds apart; the median in microseconds.
local function trip(ex, count, pause)
  local times = {}
  for i = 1, count do
    if pause then futex.sleep(pause) end
    local start = clock()
    ex:submit(trivial, i):result()
    times[i] = (clock() - start) * 1e6
  end
  return median(times)
end

--- The median time of fn(...) in milliseconds.
local function took(count, fn, ...)
  local times = {}
  for i = 1, count do
    collectgarbage()
    local start = clock()
    fn(...)
    times[i] = (clock() - start) * 1e3
  end
  return median(times)
end

local function records(n)
  local all = {}
  for i = 1, n do all[i] = { id = i, name = "n" .. i, x = i * 1.5 } end
  return all
end

--- Kilobytes of a worker's memory that nobody shares.
local function private()
  local sum = 0
  for line in io.lines "/proc/self/smaps_rollup" do
    sum = sum + (tonumber(line:match "^Private_%a+:%s+(%d+)") or 0)
  end
  return sum
end

local firsts, starts = {}, {}
for i = 1, 9 do
  starts[i] = futex.start(arg[-1], "-e", "") * 1e3
  local start = clock()
  local ex <close> = futures.ProcessPoolExecutor(2)
  ex:submit(trivial, 1):result()
  firsts[i] = (clock() - start) * 1e3
end

local memory
do
  local ex <close> = futures.ProcessPoolExecutor(1)
  for i = 1, 1000 do ex:submit(trivial, i):result() end
  memory = ex:submit(private):result()
end

local threads <close> = futures.ThreadPoolExecutor(2)
local processes <close> = futures.ProcessPoolExecutor(2)
local there, here = {}, {}
for i = 1, rounds do -- by turns, so that a slow stretch hits both
  there[i] = burst(processes)
  here[i] = burst(threads)
end
local rate, thread_rate = median(there), median(here)

local numbers = {}
for i = 1, tasks do numbers[i] = i end
local maps = {}
for i = 1, rounds do
  collectgarbage()
  local start = clock()
  for j, y in processes:map(trivial, numbers) do assert(y == j + 1) end
  maps[i] = tasks / (clock() - start)
end

local one <close> = futures.ProcessPoolExecutor(1)
trip(one, 1000)
local trips = {}
for i = 1, rounds do trips[i] = trip(one, 5000) end
local asleep, bare = {}, {}
for i = 1, rounds do
  asleep[i] = trip(one, 100, 0.002)
  bare[i] = futex.trip(100, 0.002) * 1e6
end

local text = ("x"):rep(1 << 20)
local function echo(...) return ... end
local function string_trip() assert(#one:submit(echo, text):result() == 1 << 20) end
local data = records(10000)
local function records_trip() assert(#one:submit(echo, data):result() == 10000) end
for _ = 1, 3 do string_trip() records_trip() end

-- CPython measures what it reads the name of, so that both do it by turns.
local python = [[
import sys, time
from concurrent.futures import ProcessPoolExecutor
def trivial(x): return x + 1
def echo(x): return x
def took(n, f):
    l = []
    for _ in range(n):
        t = time.perf_counter(); f(); l.append((time.perf_counter() - t) * 1e3)
    return sorted(l)[n // 2]
def rate(n, f):
    t = time.perf_counter(); f(n)
    return n / (time.perf_counter() - t)
if __name__ == "__main__":
    text = "x" * (1 << 20)
    data = [{"id": i, "name": "n%d" % i, "x": i * 1.5} for i in range(10000)]
    with ProcessPoolExecutor(2) as ex, open(sys.argv[1], "w", buffering=1) as out:
        ex.submit(trivial, 1).result()
        def burst(n):
            for f in [ex.submit(trivial, i) for i in range(n)]: f.result()
        def mapped(n, chunk):
            for y in ex.map(trivial, range(n), chunksize=chunk): pass
        measures = {
            "rate": lambda: rate(5000, burst),
            "map": lambda: rate(5000, lambda n: mapped(n, 1)),
            "chunks": lambda: rate(100000, lambda n: mapped(n, 1000)),
            "string": lambda: took(5, lambda: ex.submit(echo, text).result()),
            "records": lambda: took(5, lambda: ex.submit(echo, data).result()),
        }
        for name in sys.stdin: print(measures[name.strip()](), file=out)
]]

--- Return a function that has CPython measure something, or nil.
local function peer()
  if not os.execute "python3 -c 'import concurrent.futures' 2>/dev/null" then return nil end
  local name, fifo = os.tmpname(), os.tmpname()
  os.remove(fifo)
  os.execute("mkfifo " .. fifo)
  local file <close> = assert(io.open(name, "w"))
  file:write(python)
  file:flush()
  local pipe = io.popen(("python3 %s %s"):format(name, fifo), "w")
  local answers = io.open(fifo)
  os.remove(fifo)
  return function(what)
    if not what then return pipe:close(), os.remove(name) end
    pipe:write(what, "\n")
    pipe:flush()
    return answers:read "n"
  end
end

local ask = peer()
local ours = { first = median(firsts), trip = median(trips) }
local theirs = {}

--- Measure fn() by turns with CPython.
local function by_turns(what, fn)
  local mine, others = {}, {}
  for i = 1, rounds do
    mine[i] = fn and took(5, fn) or 0
    others[i] = ask and ask(what)
  end
  ours[what] = median(mine)
  theirs[what] = ask and median(others)
end

by_turns "rate"
by_turns "map"
by_turns "chunks"
by_turns("string", string_trip)
by_turns("records", records_trip)
if ask then ask(nil) end

local function line(what, value, unit, goal, ratio)
  print(("%-34s %10.2f %-8s %s"):format(what, value, unit,
    ratio and ("%.2f x (goal %s)"):format(ratio, goal) or goal and "(goal " .. goal .. ")" or ""))
end
line("tasks, 2 workers", rate, "tasks/s")
line("  of our thread pool", thread_rate, "tasks/s", ">= 0.6", rate / thread_rate)
if theirs.rate then line("  of CPython", theirs.rate, "tasks/s", ">= 60", rate / theirs.rate) end
line("map, 2 workers", median(maps), "items/s")
if theirs.map then
  line("  of CPython", theirs.map, "items/s", "none", median(maps) / theirs.map)
  line("  of CPython, chunks of 1,000", theirs.chunks, "items/s", "none",
    median(maps) / theirs.chunks)
end
line("round trip, back to back", ours.trip, "us", "<= 5")
line("round trip, both asleep", median(asleep), "us")
line("  of a bare futex", median(bare), "us", "<= 2", median(asleep) / median(bare))
line("first result", ours.first, "ms", "<= 3")
line("  of a bare interpreter", median(starts), "ms", "none", ours.first / median(starts))
line("private memory of a worker", memory, "KiB", "<= 2560")
line("1 MiB string, both ways", ours.string, "ms")
if theirs.string then
  line("  of CPython", theirs.string, "ms", ">= 4", theirs.string / ours.string)
end
line("10,000 records, both ways", ours.records, "ms")
if theirs.records then
  line("  of CPython", theirs.records, "ms", ">= 1.3", theirs.records / ours.records)
end
