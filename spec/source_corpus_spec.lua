-- Every function of the installed Lua libraries can be sent as source.

local corpus = require "support.corpus"
local prototypes = require "support.prototypes"
local same_code = require "support.same_code"
local source = require "futures.source"

local function library_files()
  local folders = { "/usr/share/lua" }
  for folder in (";" .. package.path):gmatch(";(/[^;?]*)/%?%.lua") do
    folders[#folders + 1] = "'" .. folder .. "'"
  end
  local command = "find -L " .. table.concat(folders, " ") .. " -name '*.lua' 2>/dev/null"
  local list <close> = io.popen(command)
  local files, seen = {}, {}
  for path in list:lines() do
    if not seen[path] then files[#files + 1] = path end
    seen[path] = true
  end
  return files
end

local function refusal(fn)
  local found, text, chunkname, names, main = pcall(source.chunk, fn)
  if not found then return text end
  local info = debug.getinfo(fn, "S")
  local built = source.build(text, chunkname, main)
  for nth, name in ipairs(names) do
    if debug.getupvalue(built, nth) ~= name then return info.source .. ": other upvalues" end
  end
  if not same_code(fn, built) then return info.source .. ": other code" end
  local compiled, problem = load("return " .. source.get(fn))
  return not compiled and problem or nil
end

describe("the source of library functions", function()
  it("is found for every function in every file", function()
    local files, functions, refusals = 0, 0, {}
    for _, path in ipairs(library_files()) do
      local chunk = loadfile(path, "t") -- some are for other versions of Lua
      if chunk then
        files = files + 1
        for _, fn in ipairs(prototypes(chunk)) do
          functions = functions + 1
          refusals[#refusals + 1] = refusal(fn)
        end
      end
    end
    print(("\n%d functions in %d files, %d refused"):format(functions, files, #refusals))
    assert.same({}, refusals)
    assert.is_true(functions > 1000)
  end)

  it("is found for every function that can be reached when they are loaded", function()
    local words, modules = corpus "support.check_source"
    local counts, others = {}, {}
    for kind, what in words do
      counts[kind .. " " .. what] = (counts[kind .. " " .. what] or 0) + 1
      if kind == "file" and what ~= "same" then others[#others + 1] = what end
    end
    print(("\n%d modules"):format(modules))
    for what, count in pairs(counts) do print(count, what) end
    assert.same({}, others)
    assert.is_true(counts["file same"] > 100)
  end)
end)
