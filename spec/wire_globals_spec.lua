-- wire_globals_spec.lua - the globals that a function names come along
-- luacheck: ignore 111 112 113 122 211/_ENV
local wire = require "wire_test"
local describe, it, before_each, assert = describe, it, before_each, assert
local after_each = after_each
local _ENV = _G

describe("the globals that a function names", function()
  local c
  before_each(function() c = wire.channel() end)
  after_each(function()
    SCALE, fib, even, odd, held, list, ghost = nil, nil, nil, nil, nil, nil, nil
  end)

  it("come along", function()
    SCALE = 3
    function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
    for _ = 1, 3 do
      assert.equal(55, c:call(fib, 10))
      assert.equal(6, c:call(function(x) return x * SCALE end, 2))
    end
    SCALE = 4
    assert.equal(8, c:call(function(x) return x * SCALE end, 2))
    assert.equal(8, c:call(function(g) return g(2) end, function(x)
      return x * SCALE
    end))
    assert.equal(8, c:call(function(t) return t.g(2) end, {
      g = function(x) return x * SCALE end }))
  end)

  it("come along with what they name, and share what is shared", function()
    function even(n) return n == 0 or odd(n - 1) end
    function odd(n) return n > 0 and even(n - 1) end
    assert.is_true(c:call(even, 10))
    list = { 1, 2 }
    assert.is_true(c:call(function(l) return l == list end, list))
  end)

  it("are those of the task only", function()
    SCALE = 3
    local function set() SCALE = SCALE + 1; other_of_spec = SCALE return SCALE end
    assert.equal(4, c:call(set))
    assert.equal(4, c:call(set))
    SCALE = nil
    assert.same({ 4 }, { c:call(function() return other_of_spec, SCALE end) })
    SCALE = 3
    local function clear()
      SCALE = nil
      local cleared = SCALE
      SCALE = 7
      return cleared, SCALE
    end
    assert.same({ nil, 7 }, { c:call(clear) })
    assert.same({ nil, 7 }, { c:call(clear) })
    assert.equal(3, SCALE)
  end)

  it("are the receiver's where the sender has none", function()
    c:run "SCALE = 100"
    assert.equal(100, c:call(function() return SCALE end))
    SCALE = 3
    assert.equal(3, c:call(function() return SCALE end))
    SCALE = nil
    assert.equal(100, c:call(function() return SCALE end))
  end)

  it("are not fields of the same name", function()
    SCALE = coroutine.create(print)
    assert.equal(1, c:call(function() return ({ SCALE = 1 }).SCALE end))
    local t = { SCALE = 2 }
    assert.equal(2, c:call(function() return t.SCALE end))
  end)

  it("are left out when they cannot travel", function()
    ghost = coroutine.create(print)
    held = { 1, { ghost } }
    SCALE = 2
    for _ = 1, 2 do
      assert.same({ "nil", "nil", 2 }, { c:call(function()
        return type(ghost), type(held), SCALE
      end) })
    end
  end)

  it("come back with a function that names them", function()
    SCALE = 5
    local f = c:call(function() return function() return SCALE, _ENV end end)
    SCALE = 6
    local scale, env = f()
    assert.equal(5, scale)
    assert.equal(print, env.print)
    SCALE = 7
    local g = c:call(function(h) return h end, f)
    assert.equal(5, (g()))
  end)

  it("are all the same to standard ones and to the rest of _ENV", function()
    SCALE = 1
    assert.same({ true, true, 1 }, { c:call(function()
      new_of_spec = 1
      return print == _G.print, _G.new_of_spec == 1, SCALE
    end) })
  end)

  it("are found with more than 255 constants and in nested functions", function()
    SCALE = 9
    local head = {}
    for i = 1, 300 do head[i] = ("t['k%d'] = 1.5 + %d.25"):format(i, i) end
    local f = load("local t = {} " .. table.concat(head, ";") ..
      " SCALE = SCALE + 1; return function() return function() return SCALE end end")
    assert.equal(10, c:call(function(g) return g()()() end, f))
  end)
end)
