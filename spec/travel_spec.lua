-- What arrives in tasks, and what comes back.
-- luacheck: ignore 111 112 113 122

local executors = require "support.executors"
local futures = require "futures"
local limits = require "support.limits"
local modules = require "support.modules"

local describe, it, assert = describe, it, assert
local setup, teardown, after_each = setup, teardown, after_each
local _ENV = _G -- busted gives specs an environment of their own; users have none

local ex

local function call(fn, ...) return ex:submit(fn, ...):result() end

-- Run a script, called app.lua, as users write them.
local function app(text, ...)
  futures.register_source("@app.lua", text)
  return assert(load(text, "@app.lua"))(...)
end

local function message(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return tostring(err)
end

for _, executor in ipairs(executors.classes) do
  describe("what goes to a task of a " .. executor.name, function()
    local shapes

    setup(function()
      modules.open()
      shapes = modules.require("travel_shapes", [[
        local Shape = { __name = "Shape" }
        Shape.__index = Shape
        function Shape:area() return self.w * self.h end
        return {
          Shape = Shape,
          new = function(w, h) return setmetatable({ w = w, h = h }, Shape) end,
          sizes = { small = 1 },
          unit = function() return UNIT_OF_SPEC end,
          file = io.stdout,
        }]])
      ex = executor.make(1)
    end)

    teardown(function()
      ex:shutdown()
      modules.close()
    end)

    after_each(function()
      for _, name in ipairs {
        "SCALE", "OTHER", "UNIT_OF_SPEC", "fib", "even", "odd", "ghost", "list", "config",
      } do _G[name] = nil end
    end)

    describe("by its name", function()
      it("is a module, which is required there", function()
        assert.equal("travel_shapes", call(function(m)
          return m == require "travel_shapes" and "travel_shapes"
        end, shapes))
        assert.equal(12, call(function() return shapes.new(3, 4):area() end))
        assert.is_true(call(function() return shapes end) == shapes)
      end)

      it("is a module of nothing but data, also when it has only just been loaded", function()
        call(function(x) return x end, {}) -- the names known until now are noted
        local data = modules.require("travel_data", "return { 1, 2, name = 'data' }")
        local function is_module(x) return x == require "travel_data" end
        assert.is_true(call(is_module, data))
        assert.is_true(call(function(t) return is_module(t[1]) end, { data }))
      end)

      it("is a C function of a module", function()
        local floor = math.floor
        assert.equal(3, call(function(format) return tonumber(format("%d", floor(3.5))) end,
          string.format))
        assert.equal("xxx", (call(string.rep, "x", 3)))
        assert.is_true(call(function() return floor end) == floor)
      end)

      it("is the class of an object, methods and all", function()
        local shape = shapes.new(3, 4)
        local back, area, same = call(function(s)
          s.w = s.w + 1
          return s, s:area(), getmetatable(s) == require "travel_shapes".Shape
        end, shape)
        assert.same({ 16, true }, { area, same })
        assert.equal(shapes.Shape, getmetatable(back))
        assert.equal(3, shape.w)
      end)

      it("is a userdata that a module holds, and the standard files", function()
        assert.is_true(call(function(a, b)
          return a == io.stdout and b == io.stderr
        end, shapes.file, io.stderr))
      end)

      it("is cjson.null", function()
        local found, cjson = pcall(require, "cjson")
        if not found then return end
        assert.same({ true, '{"a":null}' }, { call(function(null)
          local json = require "cjson"
          return null == json.null, json.encode { a = null }
        end, cjson.null) })
        assert.equal(cjson.null, (call(function(t) return t[1] end, { cjson.null })))
      end)

      it("is _G, and of it only what a new state has as well", function()
        assert.is_true(call(function(g, p) return g == _G and p == print end, _G, print))
        ghost = coroutine.wrap(print) -- a C function
        assert.matches("cannot send argument 1: C function",
          message(ex.submit, ex, print, ghost), 1, true)
      end)

      it("is not what has taken the place of it", function()
        local format = string.format
        local function replaced() return "replaced" end
        string.format = replaced
        local original = message(ex.submit, ex, print, format)
        local arrived = call(function(f) return f() end, string.format)
        string.format = string.rep -- another C function
        local rep = call(function(f) return f == string.rep end, string.format)
        string.format = format
        assert.matches("cannot send argument 1: C function", original, 1, true)
        assert.equal("replaced", arrived)
        assert.is_true(rep)
        assert.is_true(call(function(f) return f == string.format end, format))
      end)

      it("is not data that a module holds: that is a copy", function()
        local sizes = shapes.sizes
        assert.is_false(call(function() return sizes == require "travel_shapes".sizes end))
        sizes.small = 2
        assert.equal(2, call(function() return sizes.small end))
        sizes.small = 1
      end)

      it("is refused there if the worker has no such module", function()
        package.loaded.travel_nowhere = { f = function() end }
        local text = message(call, function() end, package.loaded.travel_nowhere)
        package.loaded.travel_nowhere = nil
        assert.matches("cannot receive a value by its name: ", text, 1, true)
        assert.matches("travel_nowhere", text, 1, true)
      end)

      it("is what was registered on both sides", function()
        local point = { __index = function() return "mine" end }
        futures.register("travel_spec.point", point)
        assert.equal("theirs", call(function(name)
          local theirs = { __index = function() return "theirs" end }
          require "futures".register(name, theirs)
          return "theirs"
        end, "travel_spec.point"))
        assert.equal("theirs", call(function(p) return p.anything end, setmetatable({}, point)))
        local back = call(function(p) return p end, setmetatable({}, point))
        assert.equal(point, getmetatable(back))
      end)
    end)

    describe("as a copy", function()
      it("is a table with the metatable that a script has made", function()
        local class = { __index = { greet = function(self) return "hello " .. self.name end } }
        local text, same = call(function(o, p)
          return o:greet(), getmetatable(o) == getmetatable(p)
        end, setmetatable({ name = "a" }, class), setmetatable({ name = "b" }, class))
        assert.equal("hello a", text)
        assert.is_true(same)
        local back = call(function(o) return o end, setmetatable({ name = "c" }, class))
        assert.equal("hello c", back:greet())
        assert.is_false(getmetatable(back) == class)
      end)

      it("is what __reduce returns, rebuilt there and once for each object", function()
        local Counter = {}
        Counter.__index = Counter
        local made = 0
        local function restore(n, name)
          return { from = n, name = name }
        end
        function Counter:__reduce()
          made = made + 1
          return restore, self.n, self.name
        end
        local counter = setmetatable({ n = 3, name = "c", file = io.tmpfile() }, Counter)
        local same, n, name = call(function(a, b)
          return a == b[1], a.from, a.name
        end, counter, { counter })
        assert.same({ true, 3, "c", 1 }, { same, n, name, made })
      end)

      it("is a custom _ENV, and stays what is shared in it", function()
        local env = { x = 5, print = print }
        local f = load("x = x + 1 return x, print", nil, "t", env)
        local g = load("return x", nil, "t", env)
        local x, standard, y = call(function(a, b)
          local n, p = a()
          return n, p == print, b()
        end, f, g)
        assert.same({ 6, true, 6 }, { x, standard, y })
        assert.equal(5, env.x)
      end)

      it("is nested 10,000 levels deep, tables and functions alike", function()
        local depth = 10000
        local t, f = {}, function() return nil end
        for _ = 1, depth do
          local g = f
          t, f = { t }, function() return g end
        end
        local back_t, back_f, deep = call(function(a, b, n)
          local seen, g, x = 0, b, a
          for _ = 1, n do g, x, seen = g(), x[1], seen + 1 end
          return a, b, seen
        end, t, f, depth)
        assert.equal(depth, deep)
        for _ = 1, depth do back_t, back_f = back_t[1], back_f() end
        assert.is_nil(back_t[1])
        assert.is_nil(back_f())
      end)
    end)

    describe("along with a function", function()
      it("are the globals that it names, and those that they name", function()
        app [[
          SCALE = 3
          function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
          function even(n) return n == 0 or odd(n - 1) end
          function odd(n) return n ~= 0 and even(n - 1) end
          config = { names = { "a", "b" } }
        ]]
        assert.equal(610, (call(fib, 15)))
        assert.same({ 6, 55, true, "b" }, { call(function()
          return 2 * SCALE, fib(10), even(10), config.names[2]
        end) })
        assert.equal(6, call(function(f) return f() end, function() return 2 * SCALE end))
        assert.equal(9, call(function()
          local function inner() return (function() return SCALE end)() end
          return inner() * 3
        end))
      end)

      it("are those of a string of code", function()
        SCALE = 4
        assert.equal(8, (call("return SCALE * ...", 2)))
      end)

      it("are as they were at submit", function()
        SCALE, list = 1, { 1 }
        local f = ex:submit(function() return SCALE, #list end)
        SCALE, list[2] = 2, 2
        assert.same({ 1, 1 }, { f:result() })
        assert.same({ 2, 2 }, { call(function() return SCALE, #list end) })
      end)

      it("are shared with arguments and upvalues that hold the same", function()
        list = { 1 }
        local up = list
        assert.is_true(call(function(l) return l == list and l == up end, list))
      end)

      it("are not dragged by a field of the same name", function()
        SCALE = coroutine.create(print) -- would be refused if it were sent
        list = setmetatable({}, { __reduce = function() error "it was sent" end })
        local t = { SCALE = 2, list = 3 }
        assert.equal(6, call(function() return t.SCALE + t.list + ({ SCALE = 1 }).SCALE end))
      end)

      it("are not, if they are local variables or the standard ones", function()
        local print, SCALE = 1, 2
        assert.equal(3, call(function() return print + SCALE end))
        local sine = math.sin
        math.sin = nil -- the worker's own stays
        local found = call(function() return math.sin ~= nil end)
        math.sin = sine
        assert.is_true(found)
      end)

      it("are left out where they cannot travel", function()
        ghost = io.tmpfile()
        config = { deep = { ghost } }
        SCALE = 2
        assert.same({ "nil", "nil", 2 }, { call(function()
          return type(ghost), type(config), SCALE
        end) })
      end)

      it("are seen through _ENV, not through _G or by text that the task loads", function()
        SCALE = 2
        assert.same({ 2, 2 }, { call(function() return SCALE, _ENV.SCALE end) })
        assert.is_nil((call(function() return _G.SCALE, SCALE end)))
        assert.is_nil((call(function() return load "return SCALE" (), SCALE end)))
        assert.equal(2, (call(function()
          return load("return SCALE", "=x", "t", _ENV)(), SCALE
        end)))
      end)

      it("reach no other task", function()
        SCALE = 1
        local function grow()
          SCALE = SCALE + 1
          return SCALE
        end
        assert.equal(2, (call(grow)))
        SCALE = nil
        assert.is_nil((call(function() return SCALE end)))
        assert.is_nil((call "return _G.SCALE"))
        call(function() OTHER = 7 end) -- did not come along, so it is the worker's own
        assert.equal(7, (call(function() return OTHER end)))
        call(function() OTHER = nil end)
      end)

      it("come back with functions", function()
        SCALE = 5
        local f = call(function() return function() return SCALE end end)
        SCALE = 6
        assert.equal(5, f())
      end)
    end)

    describe("as a function", function()
      it("shares upvalues with other functions, and with those of its own", function()
        local n = 0
        local function up() n = n + 1 end
        local function get() return n end
        assert.equal(2, call(function(a, b)
          a()
          a()
          return b()
        end, up, get))
        assert.equal(1, call(function()
          up()
          return get()
        end))
        assert.equal(0, n)
      end)

      it("may call itself, and another that calls it", function()
        local function fact(n) return n < 2 and 1 or n * fact(n - 1) end
        local ping
        local function pong(n) return n == 0 and "pong" or ping(n - 1) end
        function ping(n) return n == 0 and "ping" or pong(n - 1) end
        assert.equal(120, (call(fact, 5)))
        assert.same({ "ping", "pong" }, { call(ping, 10), call(ping, 11) })
      end)

      it("starts from the values as submitted, each time", function()
        local n, words, nested = 0, { "one" }, { {} }
        local function count()
          n = n + 1
          words[#words + 1] = "two"
          nested[1][#nested[1] + 1] = n
          return n, #words, #nested[1]
        end
        for _ = 1, 3 do assert.same({ 1, 2, 1 }, { call(count) }) end
        local f = ex:submit(count)
        n, words = 10, {}
        assert.same({ 1, 2, 1 }, { f:result() })
        assert.same({ 11, 1, 1 }, { call(count) })
        for i = 1, 20 do
          assert.equal(i + 1, (call(function() i = i + 1 return i end)))
        end
      end)

      it("may have no upvalue but plain ones, and is new each time all the same", function()
        local s, b = "s", false
        local function f()
          s, b = s .. "x", not b
          return s, b
        end
        for _ = 1, 3 do assert.same({ "sx", true }, { call(f) }) end
        assert.same({ 1, 2 }, { call(function()
          KEPT_OF_SPEC = KEPT_OF_SPEC or {}
          return 1, 2
        end) })
      end)

      it("keeps what a nested function of an earlier task has captured", function()
        local function keep(i)
          KEPT_OF_SPEC[i] = function() return i end
        end
        call(function() KEPT_OF_SPEC = {} end)
        for i = 1, 3 do call(keep, i) end
        assert.same({ 1, 2, 3 }, { call(function()
          return KEPT_OF_SPEC[1](), KEPT_OF_SPEC[2](), KEPT_OF_SPEC[3]()
        end) })
        call(function() KEPT_OF_SPEC = nil end)
      end)
    end)

    describe("names the user's file and line", function()
      it("in errors and tracebacks of a task", function()
        local f = app([[
          local ex = ...
          local function inner()
            error "oops"
          end
          return ex:submit(function()
            inner()
          end)]], ex)
        assert.equal("app.lua:3: oops", f:exception())
        local text = f:traceback()
        assert.matches("app.lua:3: in upvalue 'inner'", text, 1, true)
        assert.matches("app.lua:6: in function <app.lua:5>", text, 1, true)
      end)

      it("in debug.getinfo", function()
        local info = call(function()
          local i = debug.getinfo(1, "Sl")
          return { i.source, i.currentline, i.linedefined }
        end)
        local here = debug.getinfo(1, "Sl")
        assert.equal(here.source, info[1])
        assert.is_true(info[2] < here.currentline and info[2] > here.linedefined)
        assert.equal(info[2] - 1, info[3])
      end)

      it("in a refusal, at the line of the call, whatever the depth", function()
        local text = message(app, "local ex, co = ...\n\nex:submit(print, co)", ex,
          coroutine.create(print))
        assert.equal("app.lua:3: SerializationError: cannot send argument 1: thread", text)
      end)
    end)

    -- Calls, and what the error says.
    describe("is refused:", function()
      local cases = {
        "ex:submit(fn, 1, { handlers = { 1, 2, { db = file } } })",
        "cannot send argument 2.handlers[3].db: userdata (FILE*)",
        "local co = co; ex:submit(function() return co end)",
        "cannot send upvalue 'co' of function <app.lua:1>: thread",
        "local t = { co }; ex:submit(fn, function() return t end)",
        "cannot send upvalue 't'[1] of function <app.lua:1>: thread",
        "ex:submit(fn, co)", "cannot send argument 1: thread",
        "ex:submit(fn, nil, nil, file)", "cannot send argument 3: userdata (FILE*)",
        "ex:submit(wrap)", "cannot send function: C function",
        "ex:submit(fn, { [co] = 1 })", "cannot send argument 1.<key>: thread",
        "ex:submit(fn, { ['two words'] = co })", 'cannot send argument 1["two words"]: thread',
        "ex:submit(fn, { [1.5] = co })", "cannot send argument 1[1.5]: thread",
        "ex:submit(fn, { [true] = { [-1] = co } })", "cannot send argument 1[true][-1]: thread",
        "ex:submit(fn, setmetatable({}, { __index = { co } }))",
        "cannot send argument 1.<metatable>.__index[1]: thread",
        "ex:submit(fn, reduced(fn, { co }))", "cannot send argument 1.__reduce[2][1]: thread",
        "ex:submit(fn, reduced())",
        "cannot send argument 1: its __reduce returns no function and arguments",
        "ex:submit(fn, { wrong })", "cannot send argument 1[1]: its __reduce is no function",
      }
      local function reduced(...)
        local parts = table.pack(...)
        return setmetatable({}, { __reduce = function()
          return table.unpack(parts, 1, parts.n)
        end })
      end
      for i = 1, #cases, 2 do
        local code, expected = cases[i], cases[i + 1]
        it(code, function()
          local env = setmetatable({
            ex = ex, co = coroutine.create(print), file = io.tmpfile(), reduced = reduced,
            fn = function() end, wrap = coroutine.wrap(print),
            wrong = setmetatable({}, { __reduce = 5 }),
          }, { __index = _G })
          futures.register_source("@app.lua", code)
          local ok, err = pcall(assert(load(code, "@app.lua", "t", env)))
          assert.is_false(ok)
          assert.is_true(futures.isinstance(err, futures.SerializationError))
          assert.equal(expected, err.message)
          assert.equal("app.lua:1: SerializationError: " .. expected, tostring(err))
        end)
      end

      it("a result, which is the error of the task", function()
        local f = ex:submit(function() return 1, { coroutine.create(print) } end)
        local err = f:exception()
        assert.is_true(futures.isinstance(err, futures.SerializationError))
        assert.equal("cannot send result 2[1]: thread", err.message)
      end)

      it("and the pool is as good as before", function()
        assert.equal(1, (call "return 1"))
      end)
    end)

    describe("of a nil global that the submitter has", function()
      it("is said in the message", function()
        ghost = coroutine.create(print)
        local f = ex:submit(function() return ghost.x end)
        assert.matches("attempt to index a nil value %(global 'ghost'%): .*submitting state has a "
          .. "global 'ghost' %(a thread%)", f:exception())
        UNIT_OF_SPEC = { 1 } -- the worker's module does not see it
        assert.matches("has a global 'UNIT_OF_SPEC' %(a table%)", ex:submit(function()
          return load "return UNIT_OF_SPEC.x" ()
        end):exception())
        local g = ex:submit(function() return nowhere.x end)
        assert.matches("%(global 'nowhere'%)$", g:exception())
      end)
    end)

    it("may be very much", function()
      local many = {}
      for i = 1, limits.scaled(20000) do
        many[i] = shapes.new(i, function() return i end)
      end
      local back = call(function(t) return t end, many)
      assert.equal(shapes.Shape, getmetatable(back[#many]))
      assert.equal(#many, back[#many].h())
    end)
  end)
end
