local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local optional = require "support.optional"

local copas = optional.load "copas"
local system = require "system"

describe("under copas", function()
  if not copas then
    pending "needs copas"
    return
  end

  local socket = require "socket"
  local ex, gate

  --- Await a future in a thread of copas, which takes this for a socket from which
  -- something can be received when the future is done.
  local function await(f)
    f:add_done_callback(function() end)
    copas.receive {
      getfd = futures.fd,
      dirty = function() return f:done() end,
      receive = function()
        futures.poll()
        return f:done() or nil, "timeout"
      end,
      close = function() end,
    }
    return f:await()
  end

  --- Let the loop run until condition() holds; return how often it was idle.
  local function run(condition)
    local limit, idle = system.monotime() + limits.within(20), 0
    while not condition() do
      assert(system.monotime() < limit, "copas does not come to an end")
      if not copas.step(0.001) then idle = idle + 1 end
    end
    return idle
  end

  before_each(function()
    ex = futures.ThreadPoolExecutor(2)
    gate = gates.new()
  end)
  after_each(function()
    gate:close()
    ex:shutdown { cancel_futures = true }
  end)

  it("a thread awaits results while others and the loop's own steps go on", function()
    local from, to = socket.udp(), socket.udp()
    to:setsockname("127.0.0.1", 0)
    to:settimeout(0)
    from:setpeername(to:getsockname())
    local heard, got = 0, nil
    copas.addthread(function()
      while not got do
        copas.receive(to, 16)
        heard = heard + 1
        if heard == 5 then gate:open() end
      end
    end)
    copas.addthread(function()
      local value = await(ex:submit(gates.pass, gate.path, "result"))
      assert(heard >= 5)
      got = value .. await(ex:submit(function() return " and more" end))
    end)
    run(function()
      from:send "tick"
      return got
    end)
    assert.equal("result and more", got)
    from:close()
    to:close()
  end)

  it("steps of the loop time out as ever while a thread awaits", function()
    local got
    local idle = 0
    copas.addthread(function() got = await(ex:submit(gates.pass, gate.path, "result")) end)
    run(function()
      idle = idle + 1
      if idle == 5 then gate:open() end
      return got
    end)
    assert.equal("result", got)
    assert.is_true(idle >= 5)
  end)

  it("a wake-up is not lost when another thread runs the callbacks", function()
    local got
    copas.addthread(function() got = await(ex:submit(gates.pass, gate.path, "result")) end)
    gate:open()
    run(function()
      futures.wait {} -- a safe point
      return got
    end)
    assert.equal("result", got)
  end)

  it("many threads await at a time, errors included", function()
    local values, count = {}, limits.scaled(200)
    local left = count
    local function task(n)
      if n % 2 == 0 then error(-n) end
      return n
    end
    for i = 1, count do
      copas.addthread(function()
        local _
        _, values[i] = pcall(await, ex:submit(task, i))
        left = left - 1
      end)
    end
    run(function() return left == 0 end)
    for i = 1, count do assert.equal(i % 2 == 0 and -i or i, values[i]) end
  end)
end)
