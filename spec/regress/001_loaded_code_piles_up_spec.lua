-- A worker's tasks loaded closures, one each, but made nothing else that gives the
-- collector its turn: its memory grew by 0.4 KB a task, without end.
local wire = require "wire_test"
local source = require "futures.source"

describe("a worker that loads a closure for each task", function()
  for where, portable in pairs { ["a thread"] = false, ["another process"] = true } do
    it("does not grow, being " .. where, function()
      local c = wire.channel(portable)
      c:source(source.chunk)
      local base = 1
      local function f(deep)
        if deep then return base end
        return function() return base end -- it captures, so f is loaded each time
      end
      assert.equal(1, c:call(f, true))
      local before = wire.used()
      for _ = 1, 20000 do assert.equal(1, c:call(f, true)) end
      assert.is_true(wire.used() - before < 1e6)
    end)
  end
end)
