local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local optional = require "support.optional"

local cqueues = optional.load "cqueues"
local condition = cqueues and require "cqueues.condition"

describe("under cqueues", function()
  if not cqueues then
    pending "needs cqueues"
    return
  end

  local ex, gate, loop, left, ended

  --- Await a future in a coroutine of the loop.
  local function await(f)
    local done = condition.new()
    f:add_done_callback(function() done:signal() end)
    while not f:done() do done:wait() end
    return f:await()
  end

  --- Run the loop until all coroutines have ended that `start` has started.
  local function run()
    local ready = { pollfd = futures.fd(), events = "r" }
    loop:wrap(function()
      while left > 0 do
        cqueues.poll(ready, ended)
        futures.poll()
      end
    end)
    assert(loop:loop(limits.within(20)))
    assert.equal(0, left)
  end

  local function start(fn)
    left = left + 1
    loop:wrap(function()
      fn()
      left = left - 1
      if left == 0 then ended:signal() end
    end)
  end

  before_each(function()
    ex = futures.ThreadPoolExecutor(2)
    gate = gates.new()
    loop, left, ended = cqueues.new(), 0, condition.new()
  end)
  after_each(function()
    gate:close()
    ex:shutdown { cancel_futures = true }
  end)

  it("a coroutine awaits results while timers keep firing", function()
    local ticks, got = 0, nil
    loop:wrap(function()
      while left > 0 do
        cqueues.sleep(0.001)
        ticks = ticks + 1
        if ticks == 5 then gate:open() end
      end
    end)
    start(function()
      local value = await(ex:submit(gates.pass, gate.path, "result"))
      got = value .. await(ex:submit(function() return " and more" end))
    end)
    run()
    assert.equal("result and more", got)
    assert.is_true(ticks >= 5)
  end)

  it("many coroutines await at a time, errors included", function()
    local values, count = {}, limits.scaled(1000)
    local function task(n)
      if n % 2 == 0 then error(-n) end
      return n
    end
    for i = 1, count do
      start(function()
        local _
        _, values[i] = pcall(await, ex:submit(task, i))
      end)
    end
    run()
    for i = 1, count do assert.equal(i % 2 == 0 and -i or i, values[i]) end
  end)
end)
