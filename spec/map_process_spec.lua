--- Items of a map that go to worker processes, many in one call: each ends by itself.
local futures = require "futures"
local eventually = require "support.eventually"
local gates = require "support.gate"
local limits = require "support.limits"

local function broken(err) return futures.isinstance(err, futures.BrokenProcessPool) end

--- A file to which every run of an item appends its number.
local function journal()
  local path = os.tmpname()
  return {
    path = path,
    --- How often each number is in it.
    read = function()
      local runs = {}
      for line in io.lines(path) do
        local x = math.tointeger(line)
        runs[x] = (runs[x] or 0) + 1
      end
      return runs
    end,
    remove = function() os.remove(path) end,
  }
end

--- What an item calls to be in the journal.
local function note(path, x)
  local file <close> = assert(io.open(path, "a"))
  file:write(x, "\n")
end

local function numbers(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

--- Read all: results and errors, each by its number.
local function read(results, count)
  local values, errors = {}, {}
  for i = 1, count do
    local fine, number, value = pcall(results)
    if fine then
      assert.equal(i, number)
      values[i] = value
    else
      errors[i] = number
    end
  end
  assert.is_nil(results())
  return values, errors
end

describe("a map on processes", function()
  it("loses just the item at which a worker dies, and repeats none", function()
    local ex <close> = futures.ProcessPoolExecutor { max_workers = 2, on_worker_death = "respawn" }
    local runs = journal()
    local results = ex:options { chunksize = 40 }:map(function(x)
      note(runs.path, x)
      if x % 97 == 0 then os.exit(3) end
      return 2 * x
    end, numbers(400))
    local values, errors = read(results, 400)
    local ran = runs.read()
    runs.remove()
    for x = 1, 400 do
      assert.equal(1, ran[x])
      if x % 97 == 0 then
        assert.is_true(broken(errors[x]))
        assert.matches("^worker %d+ exited with code 3$", errors[x].message)
      else
        assert.equal(2 * x, values[x])
      end
    end
  end)

  it("that breaks with its pool has the results of what had ended", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local runs = journal()
    local results = ex:options { chunksize = 50 }:map(function(x)
      note(runs.path, x)
      if x == 20 then os.exit(1) end
      return x
    end, numbers(100))
    local values, errors = read(results, 100)
    local ran = runs.read()
    runs.remove()
    for x = 1, 100 do
      if x < 20 then assert.equal(x, values[x]) else assert.is_true(broken(errors[x])) end
      assert.equal(x <= 20 and 1 or nil, ran[x])
    end
  end)

  it("has what waits behind a long item done by others", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local gate <close> = gates.new()
    local path, pass = gate.path, gates.pass
    local results = ex:options { chunksize = 30, ordered = false }:map(function(x)
      if x == 1 then pass(path) end
      return x
    end, numbers(60))
    local seen = 0
    for _ = 1, 59 do -- all but the first, which is not let through before
      local i, x = results()
      assert.equal(i, x)
      assert.not_equal(1, i)
      seen = seen + i
    end
    gate:open()
    assert.equal(1, (results()))
    assert.equal(60 * 61 // 2, seen + 1)
  end)

  it("does not begin what nobody wants any more", function()
    for _, how in ipairs { "close", "shutdown" } do
      local ex = futures.ProcessPoolExecutor(1)
      local gate <close> = gates.new()
      local path, pass = gate.path, gates.pass
      local sign = os.tmpname() -- gone as soon as the third has begun
      local runs = journal()
      local results = ex:options { chunksize = 30 }:map(function(x)
        note(runs.path, x)
        if x == 3 then
          os.remove(sign)
          pass(path)
        end
        return x
      end, numbers(90))
      assert.equal(1, (results()))
      eventually(function() return not io.open(sign) end)
      if how == "close" then
        results:close()
        gate:open()
        assert.is_nil(results())
      else
        ex:shutdown { wait = false, cancel_futures = true }
        gate:open()
        assert.equal(2, (results()))
        assert.equal(3, (results()))
        for _ = 4, 90 do
          local fine, err = pcall(results)
          assert.is_false(fine)
          assert.is_true(futures.isinstance(err, futures.CancelledError))
        end
      end
      ex:shutdown()
      local ran = runs.read()
      runs.remove()
      assert.same({ 1, 1, 1 }, ran)
      local stats = ex:stats()
      assert.equal(3, stats.completed)
      assert.equal(87, stats.cancelled)
      assert.equal(0, stats.pending)
    end
  end)

  it("takes calls and results of any size, in their order", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local texts = {}
    for i = 1, 300 do texts[i] = (string.char(32 + i % 90)):rep(i % 7 == 0 and 30000 or i % 50) end
    for _, chunksize in ipairs { 1, 7, 300 } do
      local view = ex:options { chunksize = chunksize }
      for i, text in view:map(function(text) return text .. text end, texts) do
        assert.equal(texts[i] .. texts[i], text)
      end
      for i, size in view:map(function(text) return #text end, texts) do
        assert.equal(#texts[i], size)
      end
      for i, text in view:map(string.rep, { "ab", "c", "" }, { 1, 2000, 3 }) do
        assert.equal(({ "ab", ("c"):rep(2000), "" })[i], text)
      end
    end
  end)

  it("takes a function of any size", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local text = ("x"):rep(100000)
    local fn = load(("return function(x) return x + #'%s' end"):format(text))()
    for i, y in ex:options { chunksize = 5 }:map(fn, numbers(50)) do
      assert.equal(100000 + i, y)
    end
  end)

  it("raises the error of each item in its turn, memory errors too", function()
    local ex <close> = futures.ProcessPoolExecutor { max_workers = 2, memory_limit = 4 << 20 }
    local results = ex:options { chunksize = 16 }:map(function(x)
      if x % 10 == 0 then error { x } end
      if x % 25 == 1 then return ("x"):rep(64 << 20) end
      return x
    end, numbers(100))
    local values, errors = read(results, 100)
    for x = 1, 100 do
      if x % 10 == 0 then
        assert.same({ x }, errors[x])
      elseif x % 25 == 1 then
        assert.matches("not enough memory", errors[x])
      else
        assert.equal(x, values[x])
      end
    end
  end)

  it("lets what is more urgent go first", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local gate <close> = gates.new()
    local path, pass = gate.path, gates.pass
    local results = ex:map(function(x)
      if x == 1 then pass(path) end
      for _ = 1, 20000 do end
      return x
    end, numbers(3000))
    local urgent = ex:options { priority = 1 }:submit(function() return true end)
    gate:open()
    assert.is_true(urgent:result())
    assert.is_true(ex:stats().pending > 0)
    results:close()
  end)

  it("gives every result once while workers are killed", function()
    local ex <close> = futures.ProcessPoolExecutor { max_workers = 3, on_worker_death = "respawn" }
    local count = limits.scaled(4000)
    local runs = journal()
    local results = ex:map(function(x)
      if x % 5 == 0 then note(runs.path, x) end
      if x % 211 == 0 then
        local file <close> = assert(io.open("/proc/self/stat", "r"))
        os.execute(("kill -KILL %d"):format(file:read "n"))
        while true do end -- until it comes
      end
      return x * x
    end, numbers(count))
    local values, errors = read(results, count)
    local ran = runs.read()
    runs.remove()
    for x = 1, count do
      if x % 211 == 0 then
        assert.is_true(broken(errors[x]))
      else
        assert.equal(x * x, values[x])
      end
      assert.equal(x % 5 == 0 and 1 or nil, ran[x])
    end
  end)
end)
