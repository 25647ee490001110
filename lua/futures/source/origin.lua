-- origin.lua - where the text of a chunk lies: registered, with the user's loader,
-- in a file, or in the chunk name itself

local sub = string.sub
local open = io.open

local origin = {
  ---@type table<string, string> by chunk name
  registered = {},
}

-- What luaL_loadfile() skips: a byte order mark, and a first line with `#` but not
-- its line break. No text given to load() begins so.
local function without_preamble(text)
  if sub(text, 1, 3) == "\xEF\xBB\xBF" then text = sub(text, 4) end
  if sub(text, 1, 1) ~= "#" then return text end
  local line_end = text:find("\n", 1, true)
  return line_end and sub(text, line_end) or "\n"
end

local function read(path)
  local file, problem = open(path, "rb")
  if not file then return nil, problem end
  local text
  text, problem = file:read("a")
  file:close()
  return text, problem or path .. ": not readable"
end

--- The text of a chunk, and what to say when it is not the function's.
---@param chunkname string  as in `debug.getinfo(f, "S").source`
---@param loader fun(chunkname: string): string?
---@return string? text
---@return string reason  why there is none, or why the function is not in it
function origin.text(chunkname, loader)
  local text = origin.registered[chunkname]
  if text then return without_preamble(text), "differs from the text registered for it" end
  text = loader and loader(chunkname)
  if text ~= nil then
    if type(text) ~= "string" then
      error("source_loader must return a string or nil, not a " .. type(text), 0)
    end
    return without_preamble(text), "differs from what source_loader returned"
  end
  local mark = sub(chunkname, 1, 1)
  if mark == "=" then
    return nil, "is not known: its chunk " .. chunkname .. " is no file, register its text"
  elseif mark ~= "@" then
    return chunkname, "is not known: its chunk name is not its text"
  end
  local problem
  text, problem = read(sub(chunkname, 2))
  if not text then return nil, "cannot be read: " .. problem end
  if sub(text, 1, 1) == "\27" then return nil, "is not known: the file holds bytecode" end
  return without_preamble(text), "has changed on disk"
end

return origin
