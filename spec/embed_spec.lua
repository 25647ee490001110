-- Programs that carry Lua and link the library.
local embed = require "support.embed"
local limits = require "support.limits"

teardown(embed.remove)

-- Elsewhere only the variable FUTURES_WORKER tells.
local where_told = limits.portable and pending or it

describe("a host program", function()
  it("whose Lua is built as C++ sees errors pass through", function()
    local output, status = embed.start(embed.compile("errors", { packages = "futures lua5.4-c++" }))
    assert.equal(0, status, output)
    local expected = embed.start(embed.compile "errors")
    assert.equal(expected, output)
    assert.matches("^in a task: errors:%d+: oops\nat submit: .*cannot send argument 1: thread\n"
      .. "in a callback: oops\nby on_state: on my account\n$", output)
  end)

  it("may load the C module into a Lua built as C++", function()
    local program = embed.compile("errors", { packages = "lua5.4-c++", libs =
      "-Wl,-E -DFROM_FILES " .. embed.pkg_config "--libs lua5.4-c++" })
    local output = embed.run("'" .. program .. "'")
    assert.matches("^in a task: errors:%d+: oops\nat submit: .*cannot send argument 1: thread\n"
      .. "in a callback: oops\n$", output)
  end)

  it("gives its libraries to worker states", function()
    local output, status = embed.start(embed.compile "on_state")
    assert.equal(0, status, output)
    assert.equal("game first second\nfutures true\n", output)
  end)

  it("is its own worker process, with its own library", function()
    local program = embed.compile("worker", { libs =
      embed.pkg_config "--variable=worker_libs futures" .. embed.pkg_config "--libs lua5.4" })
    local output, status = embed.start(program, embed.told_worker(program))
    assert.equal("true\ttrue\n42\n", output)
    assert.equal(0, status)
    output, status = embed.start(program, nil, "by hand")
    assert.equal(2, status)
    assert.matches("started by a ProcessPoolExecutor", output)
  end)

  where_told("has its worker program beside it", function()
    local libs = embed.prefix() .. "/lib/libfutures.a "
      .. embed.pkg_config "--static --libs lua5.4"
    local program = embed.compile("worker", { libs = libs })
    assert.equal(0, select(2, embed.run(("ln '%s' '%s'"):format(
      program, embed.path "futures-worker"))))
    assert.equal("true\ttrue\n42\n", (embed.start(program)))
    os.remove(embed.path "futures-worker")
    local output, status = embed.start(program)
    assert.equal(1, status)
    assert.matches("cannot find the program futures%-worker .*" .. embed.path "", output)
  end)

  where_told("runs the installed worker program, with no file beside it", function()
    local output, status = embed.start(embed.compile "processes")
    assert.equal(0, status, output)
    assert.equal("42\ttrue\n", output)
  end)

  it("has many states, closed in any order, on any thread", function()
    local output, status = embed.start(embed.compile "states", "env ROUNDS=" .. limits.scaled(20))
    assert.equal(0, status, output)
    assert.equal("all states ended\n", output)
  end)

  it("keeps its signal handlers and its mask", function()
    local output, status = embed.start(embed.compile "signals", embed.told_worker())
    assert.equal(0, status, output)
    assert.equal("exited with code 3, SIGURG mine\nexit status taken by the host, SIGCHLD ignored\n"
      .. "exited with code 3, all blocked\n", output)
  end)

  it("may drop the module while its threads live", function()
    local program = embed.compile("unload", { packages = "lua5.4",
      libs = "-Wl,-E " .. embed.pkg_config "--libs lua5.4" .. "-ldl" })
    local output, status = embed.run(("'%s' '%s/lib/lua/5.4/futures/core.so'"):format(
      program, embed.prefix()))
    assert.equal(0, status, output)
    assert.equal("unloaded\n42\n", output)
  end)
end)
