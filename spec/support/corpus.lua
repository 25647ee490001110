-- corpus.lua - what comes of checking every function of the installed libraries

--- Runs reachable.lua with a module that checks. The iterator gives for each check where
--- the function comes from, "file" or "other", and the words.
---@param check string
---@return fun(): string?, string?
---@return integer modules
return function(check)
  local results = os.tmpname()
  local folder = results .. ".d" -- some libraries leave files where they are loaded
  local here = os.getenv "PWD"
  local path = (";" .. package.path):gsub(";([^/;])", ";" .. here:gsub("%%", "%%%%") .. "/%1")
  os.execute(("mkdir '%s' && cd '%s' && LUA_PATH='%s' '%s' '%s/spec/support/reachable.lua'"
    .. " '%s' '%s' '%s' </dev/null >out 2>&1; rm -r '%s'"):format(folder, folder, path:sub(2),
    os.getenv "LUA" or "lua5.4", here, results, package.path, check, folder))
  local file <close> = assert(io.open(results))
  local text = file:read "a"
  os.remove(results)
  local modules = text:match "\nrequired (%d+)\n$"
  assert(modules, "a library ended the program: " .. (text:match ".*\nmodule ([^\n]*)" or ""))
  local lines = text:gmatch "[^\n]+"
  return function()
    for line in lines do
      local kind, words = line:match "^(%S+) (.*)$"
      if kind == "file" or kind == "other" then return kind, words end
    end
  end, tonumber(modules)
end
