local child = require "support.child"
local limits = require "support.limits"

-- Measured in scripts of their own, where nothing else grows.
local prelude = [[
  local futures = require "futures"

  -- Resident memory of this process in KiB.
  local function resident()
    collectgarbage()
    collectgarbage()
    local file <close> = assert(io.open "/proc/self/smaps_rollup")
    return math.tointeger(file:read("a"):match "\nRss:%s*(%d+) kB")
  end
]]

local function measure(code, options)
  local output, how, status = child.run(prelude .. code, options)
  assert.same({ "exit", 0 }, { how, status }, output)
  local numbers = {}
  for number in output:gmatch "%S+" do numbers[#numbers + 1] = assert(tonumber(number), output) end
  return table.unpack(numbers)
end

describe("memory", function()
  if limits.sanitizer then return pending "sanitizers keep what was freed" end
  local known = io.open "/proc/self/smaps_rollup"
  if not known then return pending "needs /proc/self/smaps_rollup" end
  known:close()

  it("of a worker is at most 60 KiB", function()
    local before, after = measure [[
      local path = os.tmpname()
      os.remove(path)
      os.execute("mkfifo " .. path)
      local fifo = io.open(path, "r+")
      local function pass(gate)
        local file = io.open(gate)
        file:setvbuf "no"
        file:read(1)
      end
      local function all(ex, count)
        local fs = {}
        for i = 1, count do fs[i] = ex:submit(pass, path) end
        for i = 1, count do repeat until fs[i]:running() end -- each has a worker of its own
        fifo:write(("x"):rep(count))
        fifo:flush()
        futures.wait(fs)
      end
      local one = futures.ThreadPoolExecutor(1)
      all(one, 1) -- what the first one needs in the process is not a worker's
      local many = futures.ThreadPoolExecutor(64)
      local before = resident()
      all(many, 64)
      local after = resident()
      print(before, after)
      os.remove(path)
    ]]
    local each = (after - before) / 64
    assert.is_true(each > 5, each) -- they do exist
    assert.is_true(each <= 60, each)
  end)

  it("does not grow with pools that were made, used and closed", function()
    local before, after = measure([[
      local function round()
        local ex <close> = futures.ThreadPoolExecutor(2)
        for i = 1, 10 do ex:submit(function() return i end) end
      end
      for i = 1, COUNT do round() end -- the system's allocator has its share then
      local before = resident()
      for i = 1, COUNT do round() end
      print(before, resident())
    ]], { COUNT = limits.scaled(200) })
    assert.is_true(after - before < 1024, after - before)
  end)

  it("does not grow with pools that were collected", function()
    local before, after = measure([[
      local function round()
        local ex = futures.ThreadPoolExecutor(2)
        local f
        for i = 1, 10 do f = ex:submit(function() return i end) end
        f:result()
        ex, f = nil, nil
        collectgarbage()
      end
      for i = 1, 50 do round() end
      local before = resident()
      for i = 1, COUNT do round() end
      print(before, resident())
    ]], { COUNT = limits.scaled(200) })
    assert.is_true(after - before < 2048, after - before)
  end)

  -- 100,000 of each kind
  local kinds = {
    ["tasks"] = "ex:submit(function(x) return x end, i)",
    ["tasks with tables"] = "ex:submit(function(t) return { t } end, { i, { i } })",
    ["tasks with closures"] = "ex:submit(function() return function() return i end end)",
    ["tasks with long strings"] = "ex:submit(function(s) return s .. s end, ('x'):rep(500) .. i)",
    ["tasks that fail"] = "ex:submit(function() error { i } end)",
    ["cancelled tasks"] = "ex:submit(function(t) return t end, { i }):cancel()",
    ["callbacks"] = "ex:submit(function() end):add_done_callback(function() n = n + 1 end)",
    ["results kept and asked for"] = [[
      local f = ex:submit(function() return {} end)
      f.number = i
      if i % 10 == 0 then f:result().future = f end
    ]],
    ["futures completed by hand"] = [[
      local f = futures.Future()
      f:add_done_callback(function() return f end)
      if i % 2 == 0 then f:set_result(f) end
    ]],
    ["iterators and waits"] = [[
      local f = ex:submit(function() end)
      futures.wait({ f }, 0)
      futures.as_completed { f }
    ]],
  }
  for kind, code in pairs(kinds) do
    it(("does not grow with %s"):format(kind), function()
      local before, after = measure([[
        local ex <close> = futures.ThreadPoolExecutor(2)
        n = 0
        local function round()
          for i = 1, 1000 do CODE end
          ex:submit(function() end):result()
          collectgarbage() -- whatever is kept until then is no leak
        end
        for _ = 1, 20 do round() end
        local before = resident()
        for _ = 1, COUNT do round() end
        print(before, resident())
      ]], { CODE = code, COUNT = limits.scaled(kind == "tasks" and 100 or 40) })
      assert.is_true(after - before < 1000, after - before)
    end)
  end

  it("of dropped futures is given back though their results are large", function()
    local before, after = measure([[
      local ex <close> = futures.ThreadPoolExecutor(1)
      local function round()
        for i = 1, 200 do ex:submit(function() return ("x"):rep(100000) end):result() end
      end
      round()
      local before = resident()
      for _ = 1, COUNT do round() end
      print(before, resident())
    ]], { COUNT = limits.scaled(10) })
    assert.is_true(after - before < 40 * 1024, after - before)
  end)
end)

describe("a thread that cannot be started", function()
  it("leaves a smaller pool that works, or a clear error", function()
    if limits.sanitizer then return pending "sanitizers need all of the address space" end
    local output, how, status = child.run([[
      local futures = require "futures"
      local ex = futures.ThreadPoolExecutor(500)
      local fs, path = {}, os.tmpname()
      os.remove(path)
      local function hold(p) -- until the file is there
        repeat local file <close> = io.open(p) until file
        return 1
      end
      for i = 1, 40 do fs[i] = ex:submit(hold, path) end
      local workers = tonumber(tostring(ex):match "workers=(%d+)")
      io.open(path, "w"):close()
      local sum = 0
      for i = 1, 40 do sum = sum + fs[i]:result() end
      os.remove(path)
      -- no worker at all
      local pools = {}
      local ok, err
      for i = 1, 100 do
        pools[i] = futures.ThreadPoolExecutor(1)
        ok, err = pcall(pools[i].submit, pools[i], hold, path .. "x")
        if not ok then break end
      end
      print(sum, workers >= 1 and workers < 40)
      print(ok, futures.isinstance(err, futures.RuntimeError), err.message)
      os.exit(0)
    ]], { shell = "ulimit -v 200000" })
    assert.equal("40\ttrue\nfalse\ttrue\tcannot start a worker thread\n", output)
    assert.same({ "exit", 0 }, { how, status })
  end)
end)
