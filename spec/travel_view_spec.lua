-- luacheck: ignore 431 432 (tasks call what they were sent by the same name)
local futures = require "futures"

local function refusal(ex, ...)
  local ok, err = pcall(ex.submit, ex, ...)
  assert.is_false(ok)
  assert.is_true(futures.isinstance(err, futures.SerializationError))
  return err.message
end

describe("a view of an executor, sent to a task of a thread pool,", function()
  local ex

  before_each(function() ex = futures.ThreadPoolExecutor(2) end)
  after_each(function() ex:shutdown() end)

  it("is a view of the same executor there", function()
    local same, class, value = ex:submit(function(view, ex)
      local _, of = getmetatable(view).__reduce(view)
      return of == ex, futures.isinstance(view, futures.ThreadPoolExecutor),
        view:submit("return 7"):result()
    end, ex:options { priority = 1 }, ex):result()
    assert.same({ true, true, 7 }, { same, class, value })
  end)

  it("has its options", function()
    local limit, name = ex:submit(function(view)
      local f = view:submit(function() while true do end end)
      local g = view:options { timeout = 1000 }:submit(function() error "oh" end)
      g:exception()
      return f:exception(), g:traceback()
    end, ex:options { timeout = 0.05 }:options { name = "sluggish" }):result()
    assert.is_true(futures.isinstance(limit, futures.TimeoutError))
    assert.equal("task 'sluggish' timed out after 0.05 s", limit.message)
    assert.matches("sluggish", name)
  end)

  for _, options in ipairs {
    {},
    { timeout = 2.5 },
    { timeout = 0 },
    { priority = -3.5, name = "a name" },
    { chunksize = 7, buffersize = 9, ordered = false },
    { timeout = 1, priority = 2, name = "all", chunksize = 3, buffersize = 4, ordered = false },
  } do
    it("has each of them, there and back: " .. (next(options) or "none"), function()
      local function options_of(view) return (select(3, getmetatable(view).__reduce(view))) end
      local view = ex:options(options)
      assert.same(options, options_of(view))
      local there, back = ex:submit(function(view, options_of)
        return options_of(view), view
      end, view, options_of):result()
      assert.same(options, there)
      assert.same(options, options_of(back))
      assert.equal(ex, (select(2, getmetatable(back).__reduce(back))))
    end)
  end

  it("works for map there", function()
    assert.equal(6, ex:submit(function(view)
      local sum = 0
      for _, x in view:map(function(x) return x end, { 1, 2, 3 }) do sum = sum + x end
      return sum
    end, ex:options { chunksize = 2, ordered = false }):result())
  end)

  it("goes along as an upvalue and in tables", function()
    local view = ex:options { name = "kept" }
    assert.equal(3, ex:submit(function(t)
      return view:submit("return 1"):result() + t.view:submit("return 2"):result()
    end, { view = view }):result())
  end)

  it("opens the module there, like an executor", function()
    local other <close> = futures.ThreadPoolExecutor(1)
    local code = "return (...):submit('return 5'):result()"
    assert.equal(5, other:submit(code, ex:options {}):result())
  end)

  it("may be of a process pool", function()
    local processes <close> = futures.ProcessPoolExecutor(1)
    assert.equal(5, ex:submit(function(view)
      return view:submit("return 5"):result()
    end, processes:options { name = "far" }):result())
  end)

  it("keeps the executor open, as itself does", function()
    local f
    do
      local other = futures.ThreadPoolExecutor(1)
      local go = futures.Future()
      f = ex:submit(function(view, go)
        go:result()
        return view:submit("return 8"):result()
      end, other:options { name = "it" }, go)
      other = nil -- luacheck: ignore
      for _ = 1, 3 do collectgarbage() end
      go:set_result()
    end
    assert.equal(8, f:result())
  end)
end)

describe("what stays where it is", function()
  it("is a view of a SerialExecutor", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    assert.equal("cannot send argument 1.__reduce[2]: userdata (SerialExecutor)",
      refusal(ex, print, futures.SerialExecutor():options {}))
  end)

  it("is a view, for a worker process and for encode", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local processes <close> = futures.ProcessPoolExecutor(1)
    assert.equal("cannot send argument 1.__reduce[2]: userdata (ThreadPoolExecutor)",
      refusal(processes, print, ex:options {}))
    local ok, err = pcall(futures.encode, ex:options {})
    assert.is_false(ok)
    assert.equal("cannot send value.__reduce[2]: userdata (ThreadPoolExecutor)", err.message)
  end)

  it("is what map returns, which says so", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local results = ex:map(function(x) return x end, { 1 })
    assert.equal("cannot send argument 1: userdata (Results)", refusal(ex, print, results))
    assert.equal("cannot send argument 1.r: userdata (Results)",
      refusal(ex, print, { r = results }))
    local f = ex:submit(function()
      return futures.current().executor:map(function(x) return x end, { 1 })
    end)
    assert.equal("cannot send result 1: userdata (Results)", f:exception().message)
  end)
end)
