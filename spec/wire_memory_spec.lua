-- wire_memory_spec.lua - memory may run out anywhere, then it goes on
-- luacheck: ignore 111 113 211/_ENV
local wire = require "wire_test"
local source = require "futures.source"
local describe, it, assert = describe, it, assert
local _ENV = _G

-- Sanitizers are slow and let some allocations succeed untried.
local STEP = math.ceil(0.3 / (tonumber(os.getenv "FUTURES_SCALE") or 1))

describe("when memory runs out", function()
  local n = 0
  local function count() n = n + 1 return n end
  local shared = setmetatable({}, { __index = { 1 } })
  local long = ("long"):rep(20)
  local function values(portable)
    local t = { 1, 2, x = shared, y = { shared, count }, [shared] = 1.5, long }
    for i = 1, 40 do
      t[i] = { id = i, ["key" .. i] = "value" .. i, long }
    end
    local deep = {}
    for _ = 1, 100 do deep = { deep } end
    scale_of_spec = { 2 }
    local reduced = setmetatable({}, {
      __reduce = function() return function(x) return { x } end, 5 end })
    local task = function(...) return select("#", ...), ... end
    if portable then -- the receiver cannot find sources
      task = function(...) return select("#", ...), { [40] = (...)[40] } end
    end
    return task, t, deep, count,
      shared, load "return 1", function() return n, table.insert end,
      reduced, function() return scale_of_spec, string.rep end, { math, print }
  end

  local function channel(portable)
    local c = wire.channel(portable)
    c:source(source.chunk)
    return c
  end

  local function tries(portable, allow)
    local failures = 0
    for i = 0, 100000, STEP do
      local c = channel(portable)
      local arguments = table.pack(values(portable))
      allow(i)
      local results = table.pack(pcall(c.call, c, table.unpack(arguments)))
      wire.allow()
      assert.equal(7, c:call(7)) -- whatever happened, it still works
      if results[1] then
        assert.equal(9, results[2])
        assert.equal("value40", results[3][40].key40)
        return failures
      end
      assert.matches("not enough memory", results[2])
      failures = failures + 1
      if i % 20 == 0 then collectgarbage() end
    end
  end

  for where, portable in pairs { ["to a thread"] = false, ["as source"] = true } do
    it("in the library's allocator, each call fails cleanly, " .. where, function()
      assert.is_true(tries(portable, function(i) wire.allow(i) end) > 5 / STEP)
    end)

    it("in the receiving state, each call fails cleanly, " .. where, function()
      assert.is_true(tries(portable, function(i) wire.allow(-1, i) end) > 100 / STEP)
    end)

    it("for a task with upvalues, it has them afterwards, " .. where, function()
      local a, b = 1, ("long"):rep(30)
      local function f() return a, b, print, math end
      local function g(v) return v, f() end
      for _, task in ipairs { f, g } do
        for i = 0, 10000 do
          local c = channel(portable)
          wire.allow(-1, i)
          local ok = pcall(c.call, c, task, 5)
          wire.allow(i % 5)
          ok = ok and pcall(c.call, c, task, 6)
          wire.allow()
          assert.equal(b, (select(2, c:call(f))))
          assert.equal(7, (c:call(g, 7)))
          if ok then break end
          if i % 20 == 0 then collectgarbage() end
        end
      end
    end)
  end
end)
