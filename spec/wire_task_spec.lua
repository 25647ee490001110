-- wire_task_spec.lua - each task starts with its function as it was submitted
-- luacheck: ignore 111 112 113 122 211/_ENV
local wire = require "wire_test"
local source = require "futures.source"
local describe, it, before_each, assert = describe, it, before_each, assert
local _ENV = _G

for where, portable in pairs { ["a thread"] = false, ["another process"] = true } do
  describe("a task's function, sent to " .. where .. ",", function()
    local c
    before_each(function()
      c = wire.channel(portable)
      c:source(source.chunk)
    end)

    it("has its upvalues as submitted, each time", function()
      local n, s, long, b = 1, "s", ("long"):rep(30), nil
      local function f()
        n, s, long, b = n + 1, s .. "x", long .. "y", not b
        return n, s, #long, b
      end
      for _ = 1, 3 do
        assert.same({ 2, "sx", 121, true }, { c:call(f) })
      end
      n = 10
      assert.same({ 11, "sx", 121, true }, { c:call(f) })
    end)

    it("is another one than that which an earlier task has kept", function()
      local function with(n)
        local function f(g) keeps = keeps or {}; keeps[#keeps + 1] = g return n end
        return f, function() return n end
      end
      for i = 1, 3 do
        local f, g = with(i)
        assert.equal(i, c:call(f, g))
      end
      assert.same({ 1, 2, 3 }, { c:call(function()
        return keeps[1](), keeps[2](), keeps[3]()
      end) })
    end)

    it("does not reach what nested functions of earlier ones have kept",
      function()
        for i = 1, 3 do
          c:call(function()
            kept = kept or {}
            kept[#kept + 1] = function() return i end
          end)
        end
        assert.same({ 1, 2, 3 }, { c:call(function()
          return kept[1](), kept[2](), kept[3]()
        end) })
      end)

    it("keeps what it shares with an argument", function()
      local n = 0
      local function f(get) n = n + 1 return get() end
      local function get() return n end
      for _ = 1, 3 do
        assert.equal(1, c:call(f, get))
      end
      assert.equal(1, c:call(f, get, {}))
      assert.equal(1, c:call(f, get, 5))
    end)

    it("may have captured what travels by name", function()
      local insert, concat, m, floor = table.insert, table.concat, math, math.floor
      local function f(x)
        local t = {}
        insert(t, floor(x))
        insert(t, m.abs(-2))
        return concat(t, ",")
      end
      for _ = 1, 3 do
        assert.equal("1,2", c:call(f, 1.5))
      end
    end)

    it("may have captured functions that have captured nothing", function()
      local n = 3
      local function helper(x) return x * 2 end
      local function f(x) return helper(x) + n end
      for i = 1, 3 do
        assert.equal(i * 2 + 3, c:call(f, i))
        assert.equal(i * 2 + 3, c:call(f, i, helper, f))
      end
    end)

    it("may change its environment", function()
      local k = 1
      local function f()
        local before = _ENV == _G
        _ENV = { _G = 1 }
        return before, k
      end
      for _ = 1, 3 do
        assert.same({ true, 1 }, { c:call(f) })
      end
    end)

    it("may have very many upvalues", function()
      local names, values = {}, {}
      for i = 1, 150 do
        names[i], values[i] = "v" .. i, i
      end
      local list = table.concat(names, ",")
      local outer = load(("local %s = ... ; local w = 1; return function() return w, %s end")
        :format(list, list))(table.unpack(values))
      for _ = 1, 2 do
        assert.equal(151, select("#", c:call(outer)))
        assert.equal(150, (select(151, c:call(outer))))
      end
    end)
  end)
end
