local futures = require "futures"
local child = require "support.child"
local executors = require "support.executors"
local gates = require "support.gate"

local function raised(...)
  local ok, err = pcall(...)
  assert.is_false(ok)
  return err
end

describe("error classes", function()
  local parents = {
    Error = false,
    CancelledError = "Error",
    TimeoutError = "Error",
    InvalidStateError = "Error",
    SerializationError = "Error",
    RuntimeError = "Error",
    BrokenExecutor = "RuntimeError",
    BrokenThreadPool = "BrokenExecutor",
    BrokenProcessPool = "BrokenExecutor",
  }

  -- Whether `name` is `ancestor` or one of its subclasses.
  local function below(name, ancestor)
    while name do
      if name == ancestor then return true end
      name = parents[name]
    end
    return false
  end

  it("are a family: isinstance counts subclasses and nothing else", function()
    for name in pairs(parents) do
      local err = futures[name] "message"
      for ancestor in pairs(parents) do
        assert.equal(below(name, ancestor), futures.isinstance(err, futures[ancestor]),
          name .. " as " .. ancestor)
      end
    end
  end)

  it("make errors with a message, whose string names the class", function()
    for name in pairs(parents) do
      local err = futures[name] "what happened"
      assert.equal("what happened", err.message)
      assert.equal(name .. ": what happened", tostring(err))
    end
    assert.equal("Error", tostring(futures.Error()))
  end)

  it("are printed with the line that raised them", function()
    local f = futures.Future()
    local line = debug.getinfo(1, "l").currentline + 1
    local err = raised(function() f:result(0) end)
    local expected = "^[^\n]*errors_spec.lua:%d: TimeoutError: .*not done"
    assert.matches(expected:format(line), tostring(err))
  end)

  it("have a traceback", function()
    local function culprit() futures.Future():result(0) end
    local err = raised(function() culprit() error "not reached" end)
    assert.matches("^stack traceback:\n", err.traceback)
    assert.matches("in upvalue 'culprit'", err.traceback)
  end)

  it("can be raised with error()", function()
    local err = raised(error, futures.RuntimeError "mine")
    assert.is_true(futures.isinstance(err, futures.RuntimeError))
    assert.equal("mine", err.message)
  end)

  it("say what happened when nobody catches them", function()
    local output, how, code = child.run [[
      local futures = require "futures"
      futures.Future():result(0)
    ]]
    assert.matches(":2: TimeoutError: the future is not done yet", output)
    assert.same({ "exit", 1 }, { how, code })
  end)
end)

describe("isinstance", function()
  it("is false for everything else, whatever that is", function()
    local circle = {}
    circle.__index = circle
    setmetatable(circle, circle)
    local values = {
      nil, false, true, 0, 1.5, "TimeoutError", {}, print, io.stdout, coroutine.create(print),
      setmetatable({}, {}), setmetatable({}, { __index = {} }), circle, setmetatable({}, circle),
      setmetatable({}, { __metatable = false }), setmetatable({}, { __index = error }),
    }
    for i = 1, 16 do assert.is_false(futures.isinstance(values[i], futures.Error)) end
  end)

  it("knows executors and futures", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f, own = ex:submit(function() end), futures.Future()
    f.field = 1 -- does not change what it is
    assert.is_true(futures.isinstance(ex, futures.Executor))
    assert.is_true(futures.isinstance(ex, futures.ThreadPoolExecutor))
    assert.is_false(futures.isinstance(ex, futures.Future))
    assert.is_true(futures.isinstance(f, futures.Future))
    assert.is_true(futures.isinstance(own, futures.Future))
    assert.is_false(futures.isinstance(f, futures.Executor))
    assert.is_false(futures.isinstance(f, futures.Error))
  end)

  it("knows subclasses that users make", function()
    local Mine = setmetatable({ __name = "Mine" }, { __index = futures.TimeoutError })
    Mine.__index = Mine
    local err = setmetatable({ message = "m" }, Mine)
    assert.is_true(futures.isinstance(err, Mine))
    assert.is_true(futures.isinstance(err, futures.TimeoutError))
    assert.is_true(futures.isinstance(err, futures.Error))
    assert.is_false(futures.isinstance(err, futures.RuntimeError))
  end)
end)

for _, executor in ipairs(executors.classes) do
  describe("an error of a task of a " .. executor.name, function()
    local ex

    setup(function() ex = executor.make(1) end)
    teardown(function() ex:shutdown() end)

    it("stays a string with file and line", function()
      local line = debug.getinfo(1, "l").currentline + 1
      local f = ex:submit(function() error "broken" end)
      assert.matches(("errors_spec.lua:%d: broken$"):format(line), raised(f.result, f))
    end)

    it("stays a table with its fields and metatable", function()
      local f = ex:submit(function() error { code = 404, path = { "a", "b" } } end)
      assert.same({ code = 404, path = { "a", "b" } }, raised(f.result, f))
      local class = {
        __index = { kind = "http" }, __tostring = function(e) return "E" .. e.code end,
      }
      local g = ex:submit(function() error(setmetatable({ code = 404 }, class)) end)
      local err = raised(g.result, g)
      assert.same({ 404, "http", "E404" }, { err.code, err.kind, tostring(err) })
    end)

    it("stays a number or boolean", function()
      for _, value in ipairs { 42, 1.5, true, false } do
        local f = ex:submit(function() error(value) end)
        local err = raised(f.result, f)
        assert.equal(math.type(value), math.type(err))
        assert.equal(value, err)
      end
    end)

    it("that is nil comes as a string that says so", function()
      local f = ex:submit(function() error(nil) end)
      assert.equal("<no error object>", raised(f.result, f))
      f = ex:submit(function() error() end)
      assert.equal("<no error object>", raised(f.result, f))
    end)

    it("of a class of ours keeps class and message, and tells where it was raised", function()
      for _, name in ipairs { "Error", "TimeoutError", "RuntimeError", "BrokenThreadPool" } do
        local f = ex:submit(function(class)
          error(require("futures")[class] "from afar")
        end, name)
        local err = raised(f.result, f)
        assert.is_true(futures.isinstance(err, futures[name]))
        assert.equal("from afar", err.message)
        assert.equal(name .. ": from afar", tostring(err))
        assert.matches("errors_spec.lua:%d+: in function", err.traceback)
        assert.matches("raised " .. name .. ">$", tostring(f))
      end
    end)

    it("that cannot be sent says why, with the original's string and traceback", function()
      local f = ex:submit(function()
        error(setmetatable({ co = coroutine.create(print) }, {
          __tostring = function() return "the original" end,
        }))
      end)
      local err = raised(f.result, f)
      assert.is_true(futures.isinstance(err, futures.SerializationError))
      assert.matches("^cannot send error%.co: thread: the original$", err.message)
      assert.matches("errors_spec.lua:%d+: in function", err.traceback)
    end)

    it("in a string of code names the string", function()
      local f = ex:submit "local x = nil\nreturn x.y"
      local expected = '^%[string "local x = nil%.%.%."%]:2: attempt to index a nil value'
      assert.matches(expected, raised(f.result, f))
    end)

    it("about a global that only the submitter has says so", function()
      _G.spec_global = coroutine.create(print) -- cannot come along
      local f = ex:submit(function() return _G.spec_global.field end)
      local g = ex:submit "return spec_global.field"
      local h = ex:submit "return nobody_has_this.field"
      local messages = { raised(f.result, f), raised(g.result, g), raised(h.result, h) }
      _G.spec_global = nil
      assert.matches("attempt to index a nil value", messages[1])
      assert.matches("attempt to index a nil value %(global 'spec_global'%): "
        .. "the submitting state has a global 'spec_global' %(a thread%)", messages[2])
      assert.matches("%(global 'nobody_has_this'%)$", messages[3])
    end)

    it("is raised where its result is asked for, again and again", function()
      local f = ex:submit(function() error "no" end)
      for _ = 1, 3 do assert.matches("no$", raised(f.result, f)) end
      assert.matches("no$", f:exception())
    end)

    if executor.serial then return end

    it("of a cancelled future is CancelledError", function()
      local gate <close> = gates.new()
      ex:submit(gates.pass, gate.path)
      local f = ex:submit(function() end)
      f:cancel()
      local err = raised(f.result, f)
      assert.is_true(futures.isinstance(err, futures.CancelledError))
      assert.equal("the future was cancelled", err.message)
    end)
  end)
end
