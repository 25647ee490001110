-- hosts.lua - programs of others that carry Lua; scripts/hosts fetches them
local lfs = require "lfs"

local hosts = {}

local build = assert(os.getenv "FUTURES_BUILD")
local fetched = build .. "/../hosts"

--- Return where a file of a package lies, "/usr/bin/gringo", or nil.
function hosts.file(name)
  for _, root in ipairs { fetched, "" } do
    if lfs.attributes(root .. name) then return root .. name end
  end
end

--- Return a shell command that gives the libraries and Lua modules which came
-- with the programs, and the Lua modules in spec/hosts, to what stands behind it.
function hosts.environment()
  local folder <close> = assert(io.popen "gcc -print-multiarch")
  local libraries = ("%s/usr/lib/%s"):format(fetched, folder:read "l")
  local share = fetched .. "/usr/share/lua/5.4"
  return ("env LD_LIBRARY_PATH='%s:%s/usr/lib' LUA_PATH='%s' LUA_CPATH='%s'"):format(
    libraries, fetched,
    ("%s/?.lua;%s/?/init.lua;%s/spec/hosts/?.lua;"):format(share, share, lfs.currentdir())
      .. package.path,
    ("%s/lua/5.4/?.so;"):format(libraries) .. package.cpath)
end

return hosts
