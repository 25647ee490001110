-- Programs of others that carry Lua: the module is loaded by them as they are.
-- In CI they must be there.
local eventually = require "support.eventually"
local hosts = require "support.hosts"
local lfs = require "lfs"
local limits = require "support.limits"
local processes = require "support.processes"
local socket = require "socket"

if limits.sanitizer then return end -- whose module they cannot load

local function with(name)
  return (hosts.file(name) or os.getenv "CI") and it or pending
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

describe("among other programs", function()
  local folder, server

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(lfs.mkdir(folder))
  end)

  after_each(function()
    if server then processes.signal("KILL", server) end
    server = nil
    os.execute(("rm -rf '%s'"):format(folder))
  end)

  --- Run a command; return what it printed, errors as well.
  local function run(command)
    local pipe <close> = assert(io.popen("exec 2>&1; " .. command))
    return pipe:read "a"
  end

  with "/usr/bin/gringo" ("gringo calls a pool while it grounds", function()
    local output = run(("%s '%s' --text spec/hosts/squares.lp"):format(
      hosts.environment(), hosts.file "/usr/bin/gringo"))
    assert.equal("square(1).\nsquare(4).\nsquare(9).\nsquare(16).\n", output)
  end)

  with "/usr/sbin/lighttpd" ("lighttpd answers by a pool in each of its processes", function()
    local free = assert(socket.bind("127.0.0.1", 0))
    local _, port = free:getsockname()
    free:close()
    write(folder .. "/lighttpd.conf", ([[
      server.modules = ("mod_magnet")
      server.document-root = "%s"
      server.bind = "127.0.0.1"
      server.port = %d
      server.max-worker = 2
      server.errorlog = "%s/log"
      magnet.attract-physical-path-to = ("%s/spec/hosts/answer.lua")
    ]]):format(folder, port, folder, lfs.currentdir()))
    -- At its end it signals its process group, so that must be its own.
    local magnet = assert(hosts.file "/usr/lib/lighttpd/mod_magnet.so")
    server = math.tointeger(run(([[
      setsid sh -c 'echo $$; exec %s "%s" -D -m "%s" -f "%s/lighttpd.conf" >"%s/log" 2>&1' &
    ]]):format(hosts.environment():gsub("'", '"'), hosts.file "/usr/sbin/lighttpd",
      magnet:match "^(.*)/", folder, folder)))

    local function ask(n)
      local client = socket.connect("127.0.0.1", port)
      if not client then return end
      client:settimeout(limits.within(20))
      client:send(("GET /?%d HTTP/1.0\r\n\r\n"):format(n))
      local answer = client:receive "*a"
      client:close()
      return answer
    end
    local pools, count, n = {}, 0, 0
    eventually(function()
      local answer = ask(n + 1)
      if not answer then return end
      n = n + 1
      local square, process, pool = answer:match "^HTTP/1.0 200 OK.*\r\n\r\n(%d+) (%d+) (.*)\n$"
      assert.equal(n * n, tonumber(square), answer)
      if not pools[process] then count = count + 1 end
      pools[process] = pools[process] or pool
      assert.equal(pools[process], pool)
      return count == 2 and n >= 20
    end)

    processes.signal("TERM", server)
    processes.gone(server)
    for process in pairs(pools) do processes.gone(tonumber(process)) end
    server = nil
  end)

  with "/usr/bin/prosody" ("prosody loads it and then becomes a daemon", function()
    local report = folder .. "/report"
    write(folder .. "/prosody.cfg.lua", ([[
      run_as_root = true
      pidfile = "%s/pid"
      data_path = "%s"
      plugin_paths = { "%s/spec/hosts" }
      interfaces = { "127.0.0.1" }
      modules_enabled = { "posix", "futures" }
      modules_disabled = { "c2s", "s2s" }
      futures_report = "%s"
      log = { { levels = { min = "info" }, to = "file", filename = "%s/log" } }
      VirtualHost "localhost"
    ]]):format(folder, folder, lfs.currentdir(), report, folder))
    local script = hosts.file "/usr/bin/prosody"
    local root = script:match "^(.*)/usr/bin/prosody$"
    local there = read(script):gsub("'/usr/lib/prosody", "'" .. root .. "/usr/lib/prosody")
    write(folder .. "/prosody", there)
    local output = run(("%s '%s' '%s/prosody' -D --config '%s/prosody.cfg.lua'"):format(
      hosts.environment(), os.getenv "LUA", folder, folder))

    local said = eventually(function()
      local file = io.open(report)
      local text = file and file:read "a"
      if file then file:close() end
      local process = text and text:match "after (%d+)"
      server = process and math.tointeger(tonumber(process)) or server
      return text and text:find "sum" and text
    end, 20)
    local before, after = said:match "^before (%d+)\nafter (%d+)\n"
    assert.is_string(after, said .. output)
    assert.not_equal(before, after)
    assert.matches("\nthis executor belongs to the parent process [^\n]*\n"
      .. "this task belongs to the parent process [^\n]*\nsum 42\n$", said)
    processes.gone(server)
    server = nil
    assert.not_matches(" error\t.*futures", read(folder .. "/log"))
  end)
end)
