-- map: what is wrong with a call of it is said, and named.
local executors = require "support.executors"
local futures = require "futures"

-- Code that is wrong, and what the message must contain.
local cases = {
  [[ex:map()]], "bad argument #1 to 'map' (function expected, got no value)",
  [[ex:map(nil, {})]], "bad argument #1 to 'map' (function expected, got nil)",
  [[ex:map({}, {})]], "bad argument #1 to 'map' (function expected, got table)",
  [[ex:map("x =", {})]], [=[[string "x ="]:1: unexpected symbol near <eof>]=],
  [[ex:map(fn, nil)]], "bad argument #2 to 'map' (sequence or iterator function expected, got nil)",
  [[ex:map(fn, 3)]],
    "bad argument #2 to 'map' (sequence or iterator function expected, got number)",
  [[ex:map(fn, "abc")]], "(sequence or iterator function expected, got string)",
  [[ex:map(fn, {}, true)]],
    "bad argument #3 to 'map' (sequence or iterator function expected, got boolean)",
  [[ex:map(fn, io.stdout)]], "(sequence or iterator function expected, got FILE*)",
  [[ex:map(fn, coroutine.create(print))]],
    "(sequence or iterator function expected, got thread)",
  [[ex:map(fn, pairs {})]], "bad argument #4 to 'map' (sequence or iterator function expected",
  [[ex:map(fn, {}, nil, nil, io.stdout)]], "bad argument #3 to 'map'",
  [[ex:map(fn, { co })]], "cannot send argument 1: thread",
  [[ex:map(fn, { 1 }, { { key = io.tmpfile() } })]],
    "cannot send argument 2.key: userdata (FILE*)",
  [[local co = co; ex:map(function() return co end, { 1 })]],
    "cannot send upvalue 'co' of function <code:1>: thread",
  [[ex.map(1, fn, {})]], "Executor expected, got number",
  [[ex.map({}, fn, {})]], "Executor expected, got table",

  [[results.close(1)]], "Results expected, got number",
  [[results.collect()]], "Results expected, got no value",
  [[getmetatable(results).__call({})]], "Results expected, got table",
}

for _, executor in ipairs(executors) do
  describe("what is wrong with map of a " .. executor.name, function()
    for i = 1, #cases, 2 do
      local code, message = cases[i], cases[i + 1]
      it("is told for " .. code, function()
        local ex <close> = executor.make()
        local environment = setmetatable({
          ex = ex, fn = function(x) return x end, co = coroutine.create(print),
          results = ex:map(print, {}),
        }, { __index = _G })
        futures.register_source("=code", code)
        local chunk = assert(load(code, "=code", "t", environment))
        local fine, err = pcall(chunk)
        assert.is_false(fine)
        assert.is_truthy(tostring(err):find(message, 1, true), tostring(err))
      end)
    end

    it("is raised as a SerializationError at the caller's line", function()
      local ex <close> = executor.make()
      local _, err = pcall(function()
        ex:map(type, { 1, 2, coroutine.create(print) })
      end)
      assert.is_true(futures.isinstance(err, futures.SerializationError))
      assert.is_truthy(tostring(err):match
        "map_input_spec.lua:%d+: SerializationError: cannot send")
    end)

    it("leaves an executor that goes on", function()
      local ex <close> = executor.make()
      pcall(ex.map, ex, print, { coroutine.create(print) })
      assert.are.same({ 1, 2, n = 2 }, ex:map(function(x) return x end, { 1, 2 }):collect())
    end)
  end)
end
