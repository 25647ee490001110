-- `luarocks make` in a clone: what it installs is complete, starts pools of both
-- kinds, and can be removed.
local lfs = require "lfs"

if not os.execute "command -v luarocks >/dev/null" then
  if os.getenv "CI" then error "needs luarocks" end
  it("installs the rock", function() pending "needs luarocks" end)
  return
end

local folder = os.tmpname()
os.remove(folder)
local clone, tree = folder .. "/clone", folder .. "/tree"
local modules = tree .. "/lib/lua/5.4/futures/"

--- Run a command; return what it printed, errors as well. It must succeed.
local function run(command)
  local pipe = assert(io.popen("exec 2>&1; " .. command))
  local output = pipe:read "a"
  assert.is_true(pipe:close(), output)
  return output
end

--- A command of LuaRocks in the clone. It knows nothing of this build, of settings
-- of the user's, and of servers.
local function luarocks(command)
  return ("cd '%s' && env -u LUA_PATH -u LUA_CPATH HOME='%s' LUAROCKS_CONFIG=/dev/null "
    .. "luarocks --lua-version 5.4 --only-server '%s' --tree '%s' %s"):format(
    clone, folder, folder, tree, command)
end

--- Run a program with the paths that LuaRocks gives for the tree; return its output.
local function with_tree(program)
  local file <close> = assert(io.open(folder .. "/app.lua", "w"))
  file:write(program)
  file:flush()
  return run(([[paths=$(%s) && eval "$paths" && cd '%s' && unset FUTURES_WORKER && "$LUA" app.lua]])
    :format(luarocks "path", folder))
end

setup(function()
  run(("mkdir '%s' '%s'"):format(folder, clone))
  for name in lfs.dir "." do -- what a clone has, and not what was built in it
    if not name:find "^%." and not name:find "^build" then
      run(("cp -R '%s' '%s/'"):format(name, clone))
    end
  end
  run(luarocks "make")
end)

teardown(function() run(("rm -rf '%s'"):format(folder)) end)

describe("the rock", function()
  it("installs the module, and the worker program beside it", function()
    assert.equal(modules .. "futures-worker\n" .. modules .. "core.so\n"
      .. tree .. "/share/lua/5.4/futures/init.lua\n", with_tree [[
        local futures = require "futures"
        print(require "futures.program".find())
        print((package.searchpath("futures.core", package.cpath)))
        print((package.searchpath("futures", package.path)))]])
  end)

  it("starts a pool of threads and a pool of processes", function()
    assert.equal("ThreadPoolExecutor\t42\t1\t4\t9\nProcessPoolExecutor\t42\t1\t4\t9\n", with_tree [[
      local futures = require "futures"
      for _, kind in ipairs { "ThreadPoolExecutor", "ProcessPoolExecutor" } do
        local pool <close> = futures[kind](2)
        local f = pool:submit(function(x) return x + 1 end, 41)
        local squares = pool:map(function(n) return n * n end, { 1, 2, 3 }):collect()
        print(kind, f:result(), table.unpack(squares))
      end]])
  end)

  it("has all Lua sources of the project, and the licence", function()
    local function sources(where)
      return run(("cd '%s' && find futures -name '*.lua' | sort"):format(where))
    end
    assert.equal(sources "lua", sources(tree .. "/share/lua/5.4"))
    local licence = run(("find '%s' -name LICENSE"):format(tree))
    assert.matches("/doc/LICENSE\n$", licence)
  end)

  it("is gone when it is removed", function()
    run(luarocks "remove futures")
    assert.equal("", run(("find '%s' -path '*futures*'"):format(tree)))
  end)
end)
