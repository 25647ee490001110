local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local optional = require "support.optional"

local uv = optional.load "luv"

describe("under luv", function()
  if not uv then
    pending "needs luv"
    return
  end

  local ex, gate, ready, timer, ticks, watchdog

  --- Await a future in a coroutine that its end resumes.
  local function await(f)
    local co = coroutine.running()
    f:add_done_callback(function()
      if coroutine.status(co) == "suspended" then assert(coroutine.resume(co)) end
    end)
    return f:await()
  end

  local function stop()
    for _, handle in ipairs { ready, timer, watchdog } do
      if not handle:is_closing() then handle:close() end
    end
  end

  before_each(function()
    ex = futures.ThreadPoolExecutor(2)
    gate = gates.new()
    ready = uv.new_poll(futures.fd())
    ready:start("r", function() futures.poll() end)
    ticks = 0
    timer = uv.new_timer()
    watchdog = uv.new_timer()
    watchdog:start(limits.within(20) * 1000, 0, stop)
  end)
  after_each(function()
    stop()
    uv.run()
    gate:close()
    ex:shutdown { cancel_futures = true }
  end)

  it("a coroutine awaits results while timers keep firing", function()
    timer:start(1, 1, function()
      ticks = ticks + 1
      if ticks == 5 then gate:open() end
    end)
    local got
    coroutine.wrap(function()
      assert(ticks == 0)
      local value = await(ex:submit(gates.pass, gate.path, "result"))
      got = value .. await(ex:submit(function() return " and more" end))
      stop()
    end)()
    uv.run()
    assert.equal("result and more", got)
    assert.is_true(ticks >= 5)
  end)

  it("many coroutines await at a time, errors included", function()
    local values, count = {}, limits.scaled(1000)
    local left = count
    local function task(n)
      if n % 2 == 0 then error(-n) end
      return n
    end
    for i = 1, count do
      coroutine.wrap(function()
        local _
        _, values[i] = pcall(await, ex:submit(task, i))
        left = left - 1
        if left == 0 then stop() end
      end)()
    end
    uv.run()
    for i = 1, count do assert.equal(i % 2 == 0 and -i or i, values[i]) end
  end)

  it("an idle loop sleeps: the descriptor wakes nobody without reason", function()
    local woken = 0
    ready:start("r", function()
      woken = woken + 1
      futures.poll()
    end)
    local fs = {}
    for i = 1, 20 do fs[i] = ex:submit(function() end) end -- without callbacks
    timer:start(1, 1, function()
      ticks = ticks + 1
      if ticks > 20 and fs[20]:done() then stop() end
    end)
    uv.run()
    assert.is_true(fs[20]:done())
    assert.equal(0, woken)
  end)
end)
