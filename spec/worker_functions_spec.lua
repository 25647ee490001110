local child = require "support.child"
local futures = require "futures"

describe("in a worker thread", function()
  local ex
  before_each(function() ex = futures.ThreadPoolExecutor(2) end)
  after_each(function() ex:shutdown() end)

  it("os.exit ends only the task, with an error that says so", function()
    for _, case in ipairs {
      { "os.exit()", function() os.exit() end },
      { "os.exit(3)", function() os.exit(3, true) end },
      { "os.exit(true)", function() while true do pcall(os.exit, true) end end },
      { "os.exit(false)", function() coroutine.wrap(function() os.exit(false) end)() end },
    } do
      local f = ex:submit(case[2])
      local err = f:exception()
      assert.is_truthy(err:find(case[1] .. " in a worker thread ends only its task", 1, true), err)
    end
    assert.equal(1, ex:submit(function() return 1 end):result())
  end)

  it("os.exit runs closers", function()
    local path = os.tmpname()
    os.remove(path)
    ex:submit(function(name)
      local x <close> = setmetatable({}, { __close = function() io.open(name, "w"):close() end })
      assert(x)
      os.exit(1)
    end, path):exception()
    assert.is_truthy(os.remove(path))
  end)

  it("os.exit tells its line", function()
    local err = ex:submit(function() os.exit() end):exception()
    assert.matches("worker_functions_spec.lua:%d+: os.exit", err)
  end)

  it("os.setlocale tells the locale and raises for another", function()
    assert.equal(os.setlocale(), ex:submit(function() return os.setlocale() end):result())
    assert.equal(os.setlocale(nil, "numeric"), ex:submit(os.setlocale, nil, "numeric"):result())
    assert.equal(os.setlocale(), ex:submit(function()
      return os.setlocale(os.setlocale())
    end):result())
    assert.matches("is that of the whole process", ex:submit(os.setlocale, "xx"):exception())
  end)

  it("print writes each line in one piece", function()
    local output = child.run [[
      io.stdout:setvbuf "no"
      local futures = require "futures"
      local ex <close> = futures.ThreadPoolExecutor(4)
      for _ = 1, 4 do
        ex:submit(function()
          for _ = 1, 200 do print(("x"):rep(100), ("y"):rep(100), nil, 1) end
        end)
      end
    ]]
    local line = ("x"):rep(100) .. "\t" .. ("y"):rep(100) .. "\tnil\t1\n"
    assert.equal(line:rep(800), output)
  end)

  it("print calls __tostring, and may be called with nothing", function()
    local output = child.run [[
      local futures = require "futures"
      local ex <close> = futures.ThreadPoolExecutor(1)
      ex:submit(function()
        print(setmetatable({}, { __tostring = function() return "mine" end }), 1.5)
        print()
      end)
    ]]
    assert.equal("mine\t1.5\n\n", output)
  end)

  it("programs start with the signal mask of the thread that made the pool", function()
    local mask = [[grep SigBlk /proc/self/status 2>&1]]
    local file = io.popen(mask)
    local here = file:read "a"
    file:close()
    local there = ex:submit(function(command)
      local stream = io.popen(command)
      local text = stream:read "a"
      return text, stream:close()
    end, mask)
    local text, ok, how, code = there:result()
    assert.same({ here, true, "exit", 0 }, { text, ok, how, code })
    local path = os.tmpname()
    assert.is_true(ex:submit(os.execute, mask .. " > " .. path):result())
    local file2 <close> = io.open(path)
    assert.equal(here, file2:read "a")
    os.remove(path)
  end)

  it("os.execute and io.popen are as ever", function()
    local function all()
      local results = {}
      local function add(...) results[#results + 1] = table.pack(...) end
      add(os.execute())
      add(os.execute "true")
      add(os.execute "exit 3")
      add(os.execute "kill -9 $$")
      add(pcall(io.popen, "true", "x"))
      local path = os.tmpname()
      local out = io.popen("cat > " .. path, "w")
      out:write "through a pipe"
      add(out:close())
      add(io.open(path):read "a")
      os.remove(path)
      for line in io.popen("echo a; echo b"):lines() do add(line) end
      add(io.popen("exit 4"):close())
      add(io.type(out))
      return results
    end
    assert.same(all(), ex:submit(all):result())
  end)

  it("a pipe is not inherited by programs that others start", function()
    local fs = {}
    for i = 1, 20 do
      fs[i] = ex:submit(function()
        local out = io.popen("cat > /dev/null", "w")
        out:write "x"
        return (out:close()) -- would hang if another program held the pipe
      end)
      fs[#fs + 1] = ex:submit(os.execute, "sleep 0.01")
    end
    for _, f in ipairs(fs) do assert.is_true(f:result(20)) end
  end)
end)
