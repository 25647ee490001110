-- A callback completed a promise that only it knew. Before the promise's own callbacks
-- ran, another callback collected garbage: the promise survived that, but what its
-- callbacks had captured was finalized, and they met futures that were no more.
local futures = require "futures"
local eventually = require "support.eventually"
local gates = require "support.gate"

describe("a promise completed by a callback", function()
  it("keeps what its callbacks have captured until they ran", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local seen = {}
    local function watch(first)
      local own, other = futures.Future(), futures.Future()
      other:set_result "here"
      own:add_done_callback(function(f) seen[1], seen[2] = f:result(), other:result() end)
      first:add_done_callback(function() own:set_result "own" end)
    end
    local gate <close> = gates.new()
    local first = ex:submit(gates.pass, gate.path)
    local second = ex:submit(function() end)
    watch(first)
    second:add_done_callback(function()
      collectgarbage()
      collectgarbage()
    end)
    gate:open()
    eventually(function() return second:done() end) -- and no callback has run
    local errors = {}
    futures.on_callback_error = function(err) errors[#errors + 1] = tostring(err) end
    futures.wait { second }
    futures.on_callback_error = nil
    assert.same({}, errors)
    assert.same({ "own", "here" }, seen)
    assert.is_true(first:done())
  end)
end)
