-- ex:options { ... }: the same executor with options for its calls.
local eventually = require "support.eventually"
local executors = require "support.executors"
local futures = require "futures"
local gates = require "support.gate"

-- option, a wrong value, what the message must contain
local wrong = {
  { "timeout", "1", "option 'timeout': number of seconds expected, got string" },
  { "timeout", 0 / 0, "option 'timeout': is not a number (NaN)" },
  { "timeout", {}, "option 'timeout': number of seconds expected, got table" },
  { "priority", "high", "option 'priority': number expected, got string" },
  { "priority", 0 / 0, "option 'priority': is not a number (NaN)" },
  { "priority", true, "option 'priority': number expected, got boolean" },
  { "name", 1, "option 'name': string expected, got number" },
  { "name", "", "option 'name': must be a string of printable characters" },
  { "name", "a\nb", "option 'name': must be a string of printable characters" },
  { "chunksize", 0, "option 'chunksize': must be greater than 0" },
  { "chunksize", -1, "option 'chunksize': must be greater than 0" },
  { "chunksize", 1.5, "option 'chunksize': number has no integer representation" },
  { "chunksize", "1", "option 'chunksize': integer expected, got string" },
  { "chunksize", math.huge, "option 'chunksize': number has no integer representation" },
  { "buffersize", 0, "option 'buffersize': must be greater than 0" },
  { "buffersize", 2.5, "option 'buffersize': number has no integer representation" },
  { "buffersize", false, "option 'buffersize': integer expected, got boolean" },
  { "ordered", 1, "option 'ordered': boolean expected, got number" },
  { "ordered", "no", "option 'ordered': boolean expected, got string" },
  { "max_workers", 2, "unknown option 'max_workers'" },
  { "Timeout", 2, "unknown option 'Timeout'" },
  { 1, "timeout", "unknown option '1'" },
}

for _, executor in ipairs(executors) do
  describe("options of a " .. executor.name, function()
    for _, case in ipairs(wrong) do
      local option, value, message = table.unpack(case)
      it(("cannot be %s = %s"):format(option, tostring(value)), function()
        local ex <close> = executor.make()
        local fine, err = pcall(ex.options, ex, { [option] = value })
        assert.is_false(fine)
        assert.is_truthy(err:find("bad argument #1 to 'options' (" .. message, 1, true), err)
      end)
    end

    it("are a table", function()
      local ex <close> = executor.make()
      for _, value in ipairs { 1, "timeout", true, print } do
        local fine, err = pcall(ex.options, ex, value)
        assert.is_false(fine)
        assert.is_truthy(err:find("table expected, got " .. type(value), 1, true), err)
      end
      assert.is_false(pcall(ex.options, ex))
      assert.is_false(pcall(ex.options, nil, {}))
    end)

    it("give a view that is an executor of the same class", function()
      local ex <close> = executor.make()
      local view = ex:options {}
      assert.is_true(futures.isinstance(view, futures.Executor))
      assert.are.equal(futures.isinstance(ex, futures.ThreadPoolExecutor),
        futures.isinstance(view, futures.ThreadPoolExecutor))
      assert.are.equal(tostring(ex):match "^<%a+", tostring(view):match "^<%a+")
    end)

    it("give a view on which all methods work", function()
      local ex = executor.make()
      local view = ex:options { priority = 1, name = "a name", chunksize = 2 }
      assert.are.equal(3, view:submit(function(a, b) return a + b end, 1, 2):result())
      assert.are.same({ 2, 4, n = 2 }, view:map(function(x) return 2 * x end, { 1, 2 }):collect())
      view:shutdown()
      assert.has_error(function() ex:submit(print) end)
    end)

    it("of a view of a view add up, the later ones first", function()
      local ex <close> = executor.make()
      local pulled = 0
      local function endless()
        pulled = pulled + 1
        return pulled
      end
      local view = ex:options { buffersize = 2, priority = 3 }:options { ordered = false }
      view:map(function() end, endless)
      assert.are.equal(2, pulled)
      view:options { buffersize = 5 }:map(function() end, endless)
      assert.are.equal(7, pulled)
    end)

    it("do not change the executor", function()
      local ex <close> = executor.make()
      ex:options { buffersize = 1 }
      local pulled = 0
      ex:map(function() end, function()
        pulled = pulled + 1
        if pulled <= 1 then return 1 end
      end)
      assert.is_true(pulled >= 1)
    end)

    it("may be closed like the executor", function()
      local ex = executor.make()
      do
        local view <close> = ex:options {} -- luacheck: ignore
      end
      assert.has_error(function() ex:submit(print) end)
    end)

    it("keep the executor", function()
      local view = executor.make():options { name = "kept" }
      collectgarbage()
      collectgarbage()
      assert.are.equal(1, view:submit(function() return 1 end):result())
      view:shutdown()
    end)

    it("say what is wrong with the call, not with the view", function()
      local ex <close> = executor.make()
      local _, err = pcall(function() ex:options {}:submit(1) end)
      assert.is_truthy(
        err:find("bad argument #1 to 'submit' (function expected, got number)", 1, true))
    end)

    if executor.serial then return end

    it("let tasks of a larger priority start first", function()
      local ex <close> = executor.make(1)
      local gate <close> = gates.new()
      local first = ex:submit(gates.pass, gate.path)
      eventually(function() return first:running() end)
      local order, fs = {}, {}
      for i, priority in ipairs { -1, 0, 2.5, 0, math.huge } do
        fs[i] = ex:options { priority = priority }:submit(function() end)
        fs[i]:add_done_callback(function() order[#order + 1] = i end)
      end
      gate:open()
      futures.wait(fs)
      assert.are.same({ 5, 3, 2, 4, 1 }, order)
    end)
  end)
end
