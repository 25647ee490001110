local futures = require "futures"
local gates = require "support.gate"
local stopping = require "support.stopping"
local took = require "support.took"

-- What never ends by itself.
local endless = {
  ["a loop"] = function() while true do end end,
  ["a loop with calls"] = function() while true do os.time() end end,
  ["a loop around pcall"] = function() while true do pcall(error, "x") end end,
  ["a loop around a pcall that loops"] = function()
    while true do pcall(function() while true do end end) end
  end,
  ["nested pcalls"] = function()
    local function nested(depth)
      while true do pcall(depth > 0 and nested or function() while true do end end, depth - 1) end
    end
    nested(20)
  end,
  ["a loop around xpcall"] = function()
    while true do xpcall(function() while true do end end, function(m) return m end) end
  end,
  ["xpcall with an endless message handler"] = function()
    while true do xpcall(function() while true do end end, function() while true do end end) end
  end,
  ["an endless message handler of an error"] = function()
    xpcall(error, function() while true do end end)
  end,
  ["a coroutine"] = function()
    coroutine.resume(coroutine.create(function() while true do end end))
    while true do end
  end,
  ["a loop around coroutines"] = function()
    while true do coroutine.resume(coroutine.create(function() while true do end end)) end
  end,
  ["a loop around coroutine.wrap in pcall"] = function()
    while true do pcall(coroutine.wrap(function() while true do end end)) end
  end,
  ["a coroutine in a coroutine"] = function()
    coroutine.wrap(function() coroutine.wrap(function() while true do end end)() end)()
  end,
  ["two coroutines that take turns"] = function()
    local other = coroutine.wrap(function() while true do coroutine.yield() end end)
    while true do other() end
  end,
  ["pcall across yields"] = function()
    local co = coroutine.wrap(function()
      while true do pcall(function() while true do coroutine.yield() end end) end
    end)
    while true do co() end
  end,
  ["a comparison of table.sort"] = function()
    local t = {}
    for i = 1, 100 do t[i] = i end
    table.sort(t, function(a, b)
      for _ = 1, math.huge do end
      return a < b
    end)
  end,
  ["a callback of gsub"] = function()
    (("x"):rep(1000)):gsub(".", function() while true do end end)
  end,
  ["a metamethod"] = function()
    local t = setmetatable({}, { __index = function() while true do end end })
    return t.x
  end,
  ["a thread that C code runs"] = function()
    while true do require "stuck".resume(function() while true do end end) end
  end,
  ["protected calls of C code"] = function()
    while true do require "stuck".swallow(function() while true do end end) end
  end,
  ["a sleep in C that signals end"] = function()
    while true do require "stuck".doze(1000) end
  end,
  ["a program that it waits for"] = function() os.execute "exec sleep 1000" end,
}

describe("f:cancel(true)", function()
  for name, task in pairs(endless) do
    it("stops " .. name, function()
      local ex <close> = futures.ThreadPoolExecutor(1)
      local f = stopping.start(ex, task)
      stopping.stop(f, name:find "C code" and 0.9 or nil)
      assert.is_true(f:cancel(true))
      assert.is_true(f:cancel())
      assert.equal("fine", ex:submit(function() return "fine" end):result())
      assert.equal(1, ex:stats().workers)
    end)
  end

  it("stops a task that is blocked in a read", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local f = stopping.start(ex, gates.pass, gate.path)
    stopping.stop(f)
    assert.equal("fine", ex:submit(function() return "fine" end):result())
  end)

  it("cancels a task that has not started", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local f = stopping.start(ex, gates.pass, gate.path, "result")
    local g = ex:submit(function() end)
    assert.is_true(g:cancel(true))
    assert.is_true(g:cancelled())
    gate:open()
    assert.equal("result", f:result())
  end)

  it("leaves a finished future alone", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f = ex:submit(function() return 1 end)
    assert.equal(1, f:result())
    assert.is_false(f:cancel(true))
    assert.equal(1, f:result())
    local g = ex:submit(error, "x")
    futures.wait { g }
    assert.is_false(g:cancel(true))
  end)

  it("returns at once, and wakes who waits when the task has ended", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local called
    local f = stopping.start(ex, endless["a loop"])
    f:add_done_callback(function(g) called = g:cancelled() end)
    assert.is_true(f:cancel(true))
    local ok, err = pcall(f.result, f)
    assert.is_false(ok)
    assert.is_true(futures.isinstance(err, futures.CancelledError))
    assert.is_true(called)
  end)

  it("checks its argument", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f = ex:submit(function() end)
    assert.error_matches(function() f:cancel(1) end, "boolean expected, got number")
    local p = futures.Future()
    assert.is_true(p:cancel(true))
  end)

  it("keeps what the worker's state holds", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    ex:submit(function() KEPT = 7 end):result() -- luacheck: ignore
    stopping.stop(stopping.start(ex, endless["a loop"]))
    assert.equal(7, ex:submit(function() return rawget(_G, "KEPT") end):result())
  end)
end)

describe("a stopped task", function()
  it("runs its closers to their end", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local path = os.tmpname()
    local f = stopping.start_marked(ex, function(mark, out)
      local function closer(name)
        return setmetatable({}, { __close = function()
          local n = 0
          for _ = 1, 5000 do n = n + 1 end
          local ok = pcall(error, "theirs")
          local file <close> = io.open(out, "a")
          file:write(name, " ", n, " ", tostring(ok), "\n")
        end })
      end
      local _ <close> = closer "a"
      coroutine.wrap(function()
        local _ <close> = closer "b"
        pcall(function()
          local _ <close> = closer "c"
          io.open(mark, "w"):close()
          while true do end
        end)
      end)()
    end, path)
    stopping.stop(f)
    local file <close> = io.open(path)
    assert.equal("c 5000 false\nb 5000 false\na 5000 false\n", file:read "a")
    os.remove(path)
  end)

  it("has 0.1 s for them: an endless closer is broken off as well", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local path = os.tmpname()
    os.remove(path)
    local f = stopping.start_marked(ex, function(mark, out)
      local _ <close> = setmetatable({}, { __close = function() io.open(out, "w"):close() end })
      local _ <close> = setmetatable({}, { __close = function() while true do end end })
      io.open(mark, "w"):close()
      while true do end
    end, path)
    local seconds = took(stopping.stop, f, 0.9)
    assert.is_true(seconds > 0.09, seconds)
    assert.is_truthy(os.remove(path))
    assert.equal("fine", ex:submit(function() return "fine" end):result())
  end)

  it("gives its result if that came first", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local f = stopping.start(ex, function(path)
      -- hooks are off in finalizers: this one holds up the stop
      setmetatable({}, { __gc = function()
        local file = io.open(path)
        file:setvbuf "no"
        repeat local byte = file:read(1) until byte
      end })
      collectgarbage()
      return "result"
    end, gate.path)
    assert.is_true(f:cancel(true))
    gate:open()
    futures.wait { f }
    -- the task could be told between the finalizer and its end, or not any more
    assert.is_true(f:cancelled() or f:result() == "result")
    assert.equal("fine", ex:submit(function() return "fine" end):result())
  end)
end)

describe("the functions of Lua that a worker has replaced", function()
  local function same(task)
    local ex <close> = futures.ThreadPoolExecutor(1)
    local here = table.pack(task())
    assert.same(here, table.pack(ex:submit(task):result()))
    return here
  end

  it("pcall and xpcall behave as ever", function()
    same(function() return pcall(error, "x", 0) end)
    same(function() return pcall(error) end)
    same(function() return pcall(error, { 1 }) end)
    same(function() return pcall(select, "#", nil, nil) end)
    same(function() return select("#", pcall(function() end)) end)
    same(function() return pcall(pcall) end)
    same(function() return pcall(xpcall, print) end)
    same(function() return xpcall(error, function(m) return m .. "!" end, "x", 0) end)
    same(function() return xpcall(select, error, 2, "a", "b") end)
    same(function()
      local _, text = xpcall(error, debug.traceback, "x")
      return text:match "^[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n"
    end)
  end)

  it("coroutines behave as ever", function()
    same(function()
      local co = coroutine.create(function(a, b)
        local c = coroutine.yield(a + b)
        local d, e = coroutine.yield(c * 2)
        return d + e, coroutine.isyieldable()
      end)
      local t = table.pack(coroutine.resume(co, 1, 2))
      for _, v in ipairs { coroutine.resume(co, 7) } do t[#t + 1] = v end
      for _, v in ipairs { coroutine.resume(co, 3, 4) } do t[#t + 1] = v end
      t[#t + 1] = select(2, coroutine.resume(co))
      t[#t + 1] = coroutine.status(co)
      return table.unpack(t)
    end)
    same(function() return pcall(coroutine.wrap(function() error "x" end)) end)
    same(function() return pcall(coroutine.wrap(function() error {} end)) end)
    same(function() return pcall(coroutine.resume, 1) end)
    same(function() return pcall(coroutine.wrap, 1) end)
    same(function() return coroutine.close(coroutine.create(print)) end)
    same(function()
      local log = {}
      local co = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = function() log[#log + 1] = "closed" end })
        coroutine.yield()
      end)
      coroutine.resume(co)
      return coroutine.close(co), log[1], coroutine.status(co)
    end)
    same(function()
      local co = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = function() error("in close", 0) end })
        coroutine.yield()
      end)
      coroutine.resume(co)
      return coroutine.close(co)
    end)
    same(function() return pcall(coroutine.close, coroutine.running()) end)
    same(function()
      local co = coroutine.wrap(function()
        return pcall(function()
          coroutine.yield(1)
          error("after", 0)
        end)
      end)
      return co(), co()
    end)
  end)
end)
