-- embed.lua - host programs, compiled against an installed tree and run
local embed = {}

local build = assert(os.getenv "FUTURES_BUILD")
local sanitize = os.getenv "FUTURES_SANITIZE"
local folder = os.tmpname()
local prefix = folder .. "/prefix"

--- Run a command; return what it printed, errors as well, and its exit status,
-- or "signal N".
function embed.run(command)
  local pipe = assert(io.popen("exec 2>&1; " .. command))
  local output = pipe:read "a"
  local _, how, code = pipe:close()
  return output, how == "exit" and code or how .. " " .. code
end

local function must(command)
  local output, status = embed.run(command)
  if status ~= 0 then error(command .. "\n" .. output, 2) end
  return output
end

--- Install this build into a folder of its own, once; return it.
function embed.prefix()
  if prefix then
    os.remove(folder)
    must("mkdir " .. folder)
    must(("cmake --install '%s' --prefix '%s'"):format(build, prefix))
    embed.installed, prefix = prefix, nil
  end
  return embed.installed
end

--- A path for something that is made, removed at the end.
function embed.path(name)
  embed.prefix()
  return folder .. "/" .. name
end

--- The flags that programs of this build need: its sanitizers.
function embed.flags()
  local names = { address = "address,undefined", thread = "thread" }
  local name = names[sanitize]
  return name and ("-fsanitize=%s -fno-omit-frame-pointer"):format(name) or ""
end

--- What pkg-config says of packages, ours among them.
function embed.pkg_config(what)
  local path = embed.prefix() .. "/lib/pkgconfig"
  return must(("PKG_CONFIG_PATH='%s' pkg-config %s"):format(path, what)):gsub("\n", " ")
end

--- Compile spec/embed/NAME.c as users do it; return the program. Options:
-- `source`, in place of that file; `packages`, for pkg-config ("futures lua5.4");
-- `libs`, in place of what pkg-config says for linking.
function embed.compile(name, options)
  options = options or {}
  local packages = options.packages or "futures lua5.4"
  local program = embed.path(name)
  local flags = embed.flags() .. " " .. embed.pkg_config("--cflags " .. packages)
  local libs = options.libs or embed.pkg_config("--libs " .. packages)
  local command = [["$CC" -std=c11 -O1 -g -Wall -Wextra -Werror -pthread %s -o '%s' %s %s]]
  must(command:format(flags, program, options.source or "spec/embed/" .. name .. ".c", libs))
  return program
end

--- Run a program where no module of ours can be found but in the library.
function embed.start(program, wrapper, arguments)
  local command = "LUA_PATH= LUA_CPATH= LD_LIBRARY_PATH='%s/lib' %s '%s' %s"
  return embed.run(command:format(embed.prefix(), wrapper or "", program, arguments or ""))
end

--- A wrapper for a program: it tells where the worker program lies, that of the
-- installation by default, which not all systems do.
function embed.told_worker(program)
  program = program or embed.prefix() .. "/libexec/futures/futures-worker"
  return ("env FUTURES_WORKER='%s'"):format(program)
end

--- Remove all that was made.
function embed.remove()
  must(("rm -rf '%s'"):format(folder))
end

return embed
