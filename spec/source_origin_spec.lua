-- Where the text of a function is looked for, and what is said when it is not there.

local same_code = require "support.same_code"
local source = require "futures.source"

local SLOW = tonumber(os.getenv "FUTURES_SLOW") or 1

local path

local function write(text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

local function assert_found(fn)
  local text, chunkname, _, main = source.chunk(fn)
  assert.is_true(same_code(fn, source.build(text, chunkname, main)))
end

-- Raised without a position, so that callers can put one of their own before it.
local function assert_refused(reason, fn)
  for _, call in ipairs { source.chunk, source.get } do
    local found, problem = pcall(call, fn)
    assert.is_false(found)
    assert.equal(reason, problem)
  end
end

before_each(function() path = os.tmpname() end)

after_each(function()
  os.remove(path)
  source.register("=game", nil)
  source.loader = nil
end)

describe("the source of a function in a file", function()
  it("is found under a first line with # and a byte order mark", function()
    write "\xEF\xBB\xBF#!/usr/bin/lua function()\nreturn function() return 1 end, 2"
    assert_found(dofile(path))
    assert_found(loadfile(path))
    write "# only this"
    assert_found(loadfile(path))
  end)

  it("has changed when the file holds something else there", function()
    write "\nreturn function() return 1 end"
    local fn = dofile(path)
    write "\nreturn function() return 2 end"
    assert_refused("source of function <" .. path .. ":2> has changed on disk", fn)
    write ""
    assert_refused("source of function <" .. path .. ":2> has changed on disk", fn)
    write "\nreturn function() return 1 end -- back again"
    assert_found(fn)
  end)

  it("is read again when the file was loaded anew", function()
    write "return function() return 1 end"
    assert_found(dofile(path))
    write "return nil, function() return 2 end"
    local _, fn = dofile(path)
    assert_found(fn)
  end)

  it("stays known once it was found", function()
    write "return function() return function() return 1 end end"
    local make = dofile(path)
    local fn = make()
    assert_found(fn)
    os.remove(path)
    assert_found(fn)
    assert_found(make()) -- another closure of the same function
    assert_found(make) -- in the text as it was
  end)

  it("never runs what the file holds", function()
    write "local f = function() return 1 end return f"
    local fn = dofile(path)
    for _, text in ipairs {
      "local f = function() end, RAN() return f", "function() end RAN()", "function() RAN( end",
      "local N <const> = RAN() return function() return N end", "RAN() --[[ function()",
      "f = function() end end RAN()", "function() repeat end RAN() until nil end",
    } do
      write(text)
      RAN = function() error "ran" end -- luacheck: ignore
      assert_refused("source of function <" .. path .. ":1> has changed on disk", fn)
      RAN = nil -- luacheck: ignore
    end
  end)

  it("cannot be read when the file is gone, or no text", function()
    write(string.dump(load("return 1", "@" .. path)))
    local chunk = loadfile(path)
    assert_refused("source of main chunk <" .. path
      .. "> is not known: the file holds bytecode", chunk)
    os.remove(path)
    assert_refused("source of main chunk <" .. path .. "> cannot be read: " .. path
      .. ": No such file or directory", chunk)
    local folder = load("return 1", "@/")
    assert_refused("source of main chunk </> cannot be read: Is a directory", folder)
  end)
end)

describe("the source of a function in no file", function()
  it("is the chunk name if that is the text", function()
    assert_found(load "return function() return 1 end" ())
    assert_refused('source of main chunk <[string "some text"]> is not known:'
      .. " its chunk name is not its text", load("return 1", "some text"))
  end)

  it("is what was registered for its chunk", function()
    local fn = load("return function() return 1 end", "=game")()
    assert_refused("source of function <game:1> is not known:"
      .. " its chunk =game is no file, register its text", fn)
    source.register("=game", "return function() return 2 end")
    assert_refused("source of function <game:1> differs from the text registered for it", fn)
    source.register("=game", "return function() return 1 end")
    assert_found(fn)
  end)

  it("is what the loader gives", function()
    local fn = load("return function() return 1 end", "@packed/main.lua")()
    local asked
    source.loader = function(chunkname) asked = chunkname end
    assert_refused("source of function <packed/main.lua:1> cannot be read:"
      .. " packed/main.lua: No such file or directory", fn)
    assert.equal("@packed/main.lua", asked)
    source.loader = function() return "return 1" end
    assert_refused("source of function <packed/main.lua:1>"
      .. " differs from what source_loader returned", fn)
    source.loader = function() return true end
    assert_refused("source_loader must return a string or nil, not a boolean", fn)
    source.loader = function() return "return function() return 1 end" end
    assert_found(fn)
  end)

  it("does not exist for C functions and stripped ones", function()
    assert_refused("a C function has no source", print)
    local stripped = load(string.dump(function() end, true))
    local line = debug.getinfo(stripped, "S").linedefined
    assert_refused("source of function <?:" .. line .. "> is not known:"
      .. " its debug information is stripped", stripped)
  end)

  it("is asked for with the right arguments", function()
    assert.has_error(function() source.get() end,
      "bad argument #1 to 'getsource' (function expected, got no value)")
    assert.has_error(function() source.chunk(1) end,
      "bad argument #1 to 'chunk' (function expected, got number)")
    assert.has_error(function() source.register(1) end,
      "bad argument #1 to 'register_source' (string expected, got number)")
    assert.has_error(function() source.register("=game", 1) end,
      "bad argument #2 to 'register_source' (string expected, got number)")
  end)
end)

describe("the search for a source", function()
  -- The best of some tries: another process may take the time of one.
  local function best(action, ...)
    local least = math.huge
    for _, argument in ipairs { ... } do
      collectgarbage()
      local start = os.clock()
      action(argument)
      least = math.min(least, os.clock() - start)
    end
    return least
  end

  it("is fast: 30 ms for a file of 5,000 lines, 1 us once known", function()
    local part = "function module.f(a) -- to 'end'\n  if a[1] then return 'x' .. a end\nend\n"
    write("local module = {}\n" .. part:rep(1667) .. "return function() return 1 end,"
      .. " function() return 2 end, function() return 3 end, function() return 4 end")
    local function first_search(fn)
      source.register("@" .. path, nil) -- forgets what it knew of the file
      source.chunk(fn)
    end
    local function known(fn)
      for _ = 1, 100000 do source.chunk(fn) end
    end
    assert.is_true(best(first_search, dofile(path)) < 0.03 * SLOW)
    assert.is_true(best(known, known, known, known) < 0.1 * SLOW)
  end)
end)
