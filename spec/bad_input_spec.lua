local executors = require "support.executors"
local futures = require "futures"

-- Code that is wrong, and what the message must contain, of which pool ever.
local constructors = {
  [[class "four"]], "(table or integer expected, got string)",
  [[class(print)]], "(table or integer expected, got function)",
  [[class(0)]], "option 'max_workers': must be greater than 0",
  [[class(-1)]], "option 'max_workers': must be greater than 0",
  [[class(1.5)]], "option 'max_workers': number has no integer representation",
  [[class(0/0)]], "option 'max_workers': number has no integer representation",
  [[class(math.huge)]], "option 'max_workers': number has no integer",
  [[class(1 << 40)]], "option 'max_workers': must be at most 65535",
  [[class { max_workers = "4" }]],
    "option 'max_workers': integer expected, got string",
  [[class { max_workers = 0 }]],
    "option 'max_workers': must be greater than 0",
  [[class { name = 1 }]], "option 'name': string expected, got number",
  [[class { name = "" }]],
    "option 'name': must be a string of printable characters",
  [[class { name = "a\0b" }]], "option 'name': must be a string of printable",
  [[class { workers = 4 }]], "bad argument #1 to 'CLASS' "
    .. "(unknown option 'workers')",
  [[class { 4 }]], "unknown option '1'",
  [[class(true)]], "bad argument #1 to 'CLASS' (table or integer expected, got boolean)",
}

-- The same with any executor.
local cases = {
  [[ex:submit()]], "bad argument #1 to 'submit' (function expected, got no value)",
  [[ex:submit(nil, 1)]], "bad argument #1 to 'submit' (function expected, got nil)",
  [[ex:submit(12)]], "bad argument #1 to 'submit' (function expected, got number)",
  [[ex:submit({})]], "bad argument #1 to 'submit' (function expected, got table)",
  [[ex:submit(io.stdout)]], "bad argument #1 to 'submit' (function expected, got FILE*)",
  [[ex:submit "x ="]], [=[[string "x ="]:1: unexpected symbol near <eof>]=],
  [[ex:submit(fn, co)]], "cannot send argument 1: thread",
  [[ex:submit(fn, 1, io.tmpfile())]], "cannot send argument 2: userdata (FILE*)",
  [[ex:submit(fn, { a = { [2] = { ["the key"] = co } } })]],
  [=[cannot send argument 1.a[2]["the key"]: thread]=],
  [[ex:submit(fn, { [co] = 1 })]], "cannot send",
  [[local co = co; ex:submit(function() return co end)]],
    "cannot send upvalue 'co' of function <code:1>: thread",
  [[local co = co; ex:submit(fn, function() return co end)]], "co' of function <code:1>: thread",

  [[ex:shutdown(1)]], "bad argument #1 to 'shutdown' (table or boolean expected, got number)",
  [[ex:shutdown "now"]], "bad argument #1 to 'shutdown' (table or boolean expected, got string)",
  [[ex:shutdown { wait = 1 }]], "option 'wait': boolean expected, got number",
  [[ex:shutdown { cancel_futures = "yes" }]],
    "option 'cancel_futures': boolean expected, got string",
  [[ex:shutdown { now = true }]], "unknown option 'now'",
  [[ex:shutdown { true }]], "unknown option '1'",

  [[f:result "1"]], "bad argument #1 to 'result' (number of seconds expected, got string)",
  [[f:result {}]], "bad argument #1 to 'result' (number of seconds expected, got table)",
  [[f:result(0/0)]], "bad argument #1 to 'result' (timeout is not a number (NaN))",
  [[f:result(true)]], "bad argument #1 to 'result' (number of seconds expected, got boolean)",
  [[f:exception {}]], "bad argument #1 to 'exception' (number of seconds expected, got table)",
  [[f:exception "1"]], "bad argument #1 to 'exception' (number of seconds expected, got string)",
  [[f:exception(0/0)]], "bad argument #1 to 'exception' (timeout is not a number (NaN))",
  [[f:add_done_callback()]],
    "bad argument #1 to 'add_done_callback' (function expected, got no value)",
  [[f:add_done_callback(nil)]],
    "bad argument #1 to 'add_done_callback' (function expected, got nil)",
  [[f:add_done_callback "print"]], "(function expected, got string)",
  [[f:add_done_callback {}]], "(function expected, got table)",
  [[f:set_exception()]], "bad argument #1 to 'set_exception' (value expected)",
  [[f[nil] = 1]], "index is nil",
  [[f[0/0] = 1]], "index is NaN",
  [[f.result()]], "bad argument #1 to 'result' (Future expected, got no value)",
  [[f.result(io.stdout)]], "bad argument #1 to 'result' (Future expected, got FILE*)",
  [[f.cancel(ex)]], "bad argument #1 to 'cancel' (Future expected, got CLASS)",
  [[f:cancel(1)]], "bad argument #1 to 'cancel' (boolean expected, got number)",
  [[f:cancel "now"]], "bad argument #1 to 'cancel' (boolean expected, got string)",
  [[f.done {}]], "bad argument #1 to 'done' (Future expected, got table)",
  [[ex.submit(f)]], "bad argument #1 to 'submit' (Executor expected, got Future)",
  [[ex.shutdown()]], "bad argument #1 to 'shutdown' (Executor expected, got no value)",
  [[ex.stats(f)]], "bad argument #1 to 'stats' (Executor expected, got Future)",
  [[ex.options(f, {})]], "Executor expected, got ",
  [[ex:options()]], "bad argument #1 to 'options' (table expected, got no value)",
  [[ex:options(1)]], "bad argument #1 to 'options' (table expected, got number)",

  [[futures.wait()]], "bad argument #1 to 'wait' (table expected, got no value)",
  [[futures.wait(f)]], "bad argument #1 to 'wait' (table expected, got Future)",
  [[futures.wait { f, 1 }]], "bad argument #1 to 'wait' (Future expected at index 2, got number)",
  [[futures.wait { {} }]], "Future expected at index 1, got table",
  [[futures.wait { ex }]], "Future expected at index 1, got ",
  [[futures.wait({}, "1")]], "bad argument #2 to 'wait' (number of seconds expected, got string)",
  [[futures.wait({}, 0/0)]], "bad argument #2 to 'wait' (timeout is not a number (NaN))",
  [[futures.wait({}, nil, "SOME")]], "bad argument #3 to 'wait' (invalid return condition 'SOME')",
  [[futures.wait({}, nil, 1)]], "invalid return condition '1'",
  [[futures.wait({}, { when = "SOME" })]], "bad argument #2 to 'wait' (unknown option 'when')",
  [[futures.wait({}, { timeout = "1" })]],
    "option 'timeout': number of seconds expected, got string",
  [[futures.wait({}, { timeout = 0/0 })]], "option 'timeout' is not a number (NaN)",
  [[futures.wait({}, { return_when = "SOME" })]], "invalid return condition 'SOME'",

  [[futures.wait({}, true)]],
    "bad argument #2 to 'wait' (number of seconds expected, got boolean)",
  [[futures.wait({}, { timeout = {} })]],
    "option 'timeout': number of seconds expected, got table",
  [[futures.wait({}, { return_when = 1 })]], "invalid return condition '1'",
  [[futures.wait({}, { 1 })]], "unknown option '1'",

  [[futures.as_completed(f)]], "bad argument #1 to 'as_completed' (table expected, got Future)",
  [[futures.as_completed({}, {})]], "number of seconds expected, got table",
  [[futures.as_completed()]], "bad argument #1 to 'as_completed' (table expected, got no value)",
  [[futures.as_completed { 1 }]], "Future expected at index 1, got number",
  [[futures.as_completed({}, "1")]],
    "bad argument #2 to 'as_completed' (number of seconds expected",
  [[futures.as_completed({}, 0/0)]], "timeout is not a number (NaN)",

  [[futures.poll "1"]], "bad argument #1 to 'poll' (number of seconds expected, got string)",
  [[futures.poll(0/0)]], "bad argument #1 to 'poll' (timeout is not a number (NaN))",

  [[futures.poll {}]], "bad argument #1 to 'poll' (number of seconds expected, got table)",
  [[futures.poll(true)]], "bad argument #1 to 'poll' (number of seconds expected, got boolean)",

  [[futures.isinstance()]], "bad argument #1 to 'isinstance' (value expected)",
  [[futures.isinstance(1)]], "bad argument #2 to 'isinstance' (table expected, got no value)",
  [[futures.isinstance(1, nil)]], "bad argument #2 to 'isinstance' (table expected, got nil)",
  [[futures.isinstance(1, "Error")]],
    "bad argument #2 to 'isinstance' (table expected, got string)",
}

for _, executor in ipairs(executors.classes) do
  describe("misuse of a " .. executor.name .. " is told, with what is wrong:", function()
    local surroundings

    setup(function()
      surroundings = setmetatable({
        futures = futures,
        class = futures[executor.name],
        ex = executor.make(1),
        f = futures.Future(),
        fn = function() end,
        co = coroutine.create(function() end),
      }, { __index = _G })
    end)
    teardown(function()
      futures.register_source("=code", nil)
      surroundings.ex:shutdown()
    end)

    for _, list in ipairs { cases, constructors } do
      for i = 1, #list, 2 do
        local code, message = list[i], list[i + 1]:gsub("CLASS", executor.name)
        it(code, function()
          futures.register_source("=code", code)
          local ok, err = pcall(assert(load(code, "=code", "t", surroundings)))
          assert.is_false(ok)
          assert.is_truthy(tostring(err):find(message, 1, true), tostring(err))
          local placed = tostring(err):find("code:1:", 1, true) or code:find 'submit "'
          assert.is_truthy(placed, tostring(err))
        end)
      end
    end

    it("and nothing has changed", function()
      assert.is_false(surroundings.f:done())
      assert.equal(1, surroundings.ex:submit(function() return 1 end):result())
    end)
  end)
end
