-- What the documents say is so: every block of Lua in them runs and prints what
-- its comments `-->` say (one that begins with `-- name.lua` is a module too), and
-- docs/errors.md lists what the sources list.

local lfs = require "lfs"
local optional = require "support.optional"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

--- Run a block in an interpreter of its own, where it is called app.lua, with
-- modules beside it; return its output, errors included, and whether it succeeded.
local function run(block, modules)
  local folder = os.tmpname()
  os.remove(folder)
  assert(lfs.mkdir(folder))
  write(folder .. "/app.lua", block)
  for name, text in pairs(modules) do write(folder .. "/" .. name, text) end
  local child = assert(io.popen(("cd '%s' && LUA_PATH=\"./?.lua;$LUA_PATH%s\" '%s' app.lua 2>&1")
    :format(folder, optional.path, os.getenv "LUA" or "lua")))
  local output = child:read "a"
  local succeeded = child:close()
  for name in pairs(modules) do os.remove(folder .. "/" .. name) end
  os.remove(folder .. "/app.lua")
  lfs.rmdir(folder)
  return output, succeeded
end

--- Each line of what a block prints, according to its comments or in fact.
-- How it is spaced does not matter.
local function lines(text, pattern)
  local found = {}
  for line in text:gmatch(pattern) do
    found[#found + 1] = line:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  end
  return table.concat(found, "\n")
end

local documents = { "README.md" }
for name in lfs.dir "docs" do
  if name:find "%.md$" then documents[#documents + 1] = "docs/" .. name end
end
table.sort(documents)

for _, path in ipairs(documents) do
  local text, number, modules = read(path), 0, {}
  for before, block in text:gmatch "()```lua\n(.-)\n```" do
    number = number + 1
    local _, line = text:sub(1, before):gsub("\n", "")
    local name = block:match "^%-%- (%w+%.lua)\n" -- a module for the others
    if name then modules[name] = block end
    it(("runs the block of Lua in line %d of %s"):format(line + 1, path), function()
      local library = block:match 'require "(luv)"' or block:match 'require "(cqueues)"'
        or block:match 'require "(copas)"'
      if library and not optional.load(library) then
        pending("needs " .. library)
        return
      end
      local output, succeeded = run(block, modules)
      assert.is_true(succeeded, output)
      local expected = lines(block, "%-%->%s*([^\n]*)")
      if expected ~= "" then
        assert.are.equal(expected, lines(output, "([^\n]+)"))
      end
    end)
  end
end

describe("docs/errors.md", function()
  local text = read "docs/errors.md"

  --- The rows of its tables whose first cell is a name like this one.
  local function rows(name)
    local found, count = {}, 0
    for key, second in text:gmatch("\n| `(" .. name .. ")` |([^|]*)|") do
      found[key], count = second:match "^[ `]*(.-)[ `]*$", count + 1
    end
    return found, count
  end

  it("lists every outcome of runtime/error.h with its message", function()
    local listed, count = rows "FUT_%w+"
    local source = read "runtime/error.h":gsub('"%s*\\\n%s*"', "") -- cut strings joined
    for code, message in source:gmatch 'X%((FUT_%w+),%s*\\?%s*"([^"]*)"' do
      assert.are.equal(message, listed[code], code)
      count = count - 1
    end
    assert.are.equal(0, count)
  end)

  it("lists every class of bindings/fail.h with its parent", function()
    local listed, count = rows "%u%w*"
    local source = read "bindings/fail.h"
    local names, parents = {}, {}
    for constant, name, parent in source:gmatch 'X%(([%u_]+), "(%w+)",%s*([%u_]+)%)' do
      names[constant], parents[name] = name, parent
    end
    for name, parent in pairs(parents) do
      local expected = names[parent] ~= name and names[parent] or ""
      assert.are.equal(expected, listed[name], name)
      count = count - 1
    end
    assert.are.equal(0, count)
  end)
end)
