-- luacheck: ignore 431 432 (tasks call what they were sent by the same name)
local futures = require "futures"
local limits = require "support.limits"
local stopping = require "support.stopping"
local eventually = require "support.eventually"

local function refusal(...)
  local fine, err = pcall(...)
  assert.is_false(fine)
  assert.is_true(futures.isinstance(err, futures.SerializationError))
  return err.message
end

describe("process pools and tasks in threads", function()
  local threads, processes
  before_each(function()
    threads = futures.ThreadPoolExecutor(1)
    processes = futures.ProcessPoolExecutor(1)
  end)
  after_each(function()
    threads:shutdown()
    processes:shutdown()
  end)

  it("an executor or future cannot be sent to a process", function()
    local function f() end
    assert.equal("cannot send argument 1: userdata (ThreadPoolExecutor)",
      refusal(processes.submit, processes, f, threads))
    assert.equal("cannot send argument 2.pool: userdata (ProcessPoolExecutor)",
      refusal(processes.submit, processes, f, 1, { pool = processes }))
    assert.equal("cannot send argument 1: userdata (Future)",
      refusal(processes.submit, processes, f, threads:submit(f)))
    assert.equal("cannot send argument 1: userdata (Future)",
      refusal(processes.submit, processes, f, futures.Future()))
    assert.matches("^cannot send upvalue 'threads' of function <.*>: userdata",
      refusal(processes.submit, processes, function() return threads end))
  end)

  it("nor can they be encoded", function()
    assert.equal("cannot send value: userdata (ThreadPoolExecutor)",
      refusal(futures.encode, threads))
    assert.equal("cannot send value 2: userdata (Future)",
      refusal(futures.encode, 1, futures.Future()))
  end)

  it("a process pool can be sent to a thread, which submits to it and waits", function()
    local same, value = threads:submit(function(pool, text)
      return tostring(pool):match "0x%x+" == text, pool:submit("return 1 + ...", 41):result()
    end, processes, tostring(processes):match "0x%x+"):result(limits.within(10))
    assert.is_true(same)
    assert.equal(42, value)
  end)

  it("a thread waits for a future of a process, and is replaced meanwhile", function()
    local path = os.tmpname()
    os.remove(path)
    local far = processes:submit(function(path)
      local file
      repeat file = io.open(path) until file
      file:close()
      return "far"
    end, path)
    local waiting = threads:submit(function(f)
      return f:result(), futures.wait { f }[1] == f
    end, far)
    eventually(function() return waiting:running() end)
    assert.equal("near", threads:submit("return 'near'"):result(limits.within(10)))
    io.open(path, "w"):close()
    assert.same({ "far", true }, { waiting:result(limits.within(10)) })
    os.remove(path)
  end)

  it("a thread that waits for a process can be stopped, and the other way round", function()
    local far = processes:submit "while true do end"
    local waiting = stopping.start(threads, function(f) return f:result() end, far)
    stopping.stop(waiting)
    assert.is_false(far:done())
    local told = threads:submit(function(f)
      while not f:running() do end
      return f:cancel(true) and not pcall(f.result, f) and f:cancelled()
    end, far)
    assert.is_true(told:result(limits.within(10)))
  end)

  it("a process pool stays open while a task holds it, and ends with its last handle", function()
    local sent = futures.Future()
    local f = threads:submit(function(pool, sent)
      sent:result()
      return pool:submit("return 'open'"):result()
    end, futures.ProcessPoolExecutor(1), sent)
    collectgarbage()
    collectgarbage()
    sent:set_result()
    assert.equal("open", f:result(limits.within(10)))
  end)
end)
