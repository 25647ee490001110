-- What a program is linked from, and how build systems find it.
local embed = require "support.embed"

teardown(embed.remove)

describe("a host program", function()
  it("of forty lines runs Lua and C tasks with no file beside it", function()
    local program = embed.compile "host"
    local output, status = embed.start(program)
    assert.equal("42\ttrue\n7\n", output)
    assert.equal(0, status)
  end)

  it("is found by CMake", function()
    local source, build = embed.path "cmake", embed.path "cmake-build"
    assert(os.execute("mkdir " .. source))
    local file <close> = assert(io.open(source .. "/CMakeLists.txt", "w"))
    file:write(([[
cmake_minimum_required(VERSION 3.20)
project(host C)
find_package(futures 0.1 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LUA REQUIRED IMPORTED_TARGET lua5.4)
add_compile_options(-Wall -Wextra -Werror %s)
foreach(target futures futures_static worker)
  add_executable(host_${target} %s/spec/embed/host.c)
  target_link_libraries(host_${target} futures::${target} PkgConfig::LUA)
endforeach()
]]):format(embed.flags(), require("lfs").currentdir()))
    file:close()
    local output, status = embed.run(([[
      cmake -S '%s' -B '%s' -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH='%s' \
        -DCMAKE_EXE_LINKER_FLAGS='%s' && cmake --build '%s']]):format(
      source, build, embed.prefix(), embed.flags(), build))
    assert.equal(0, status, output)
    for _, target in ipairs { "futures", "futures_static", "worker" } do
      output, status = embed.start(build .. "/host_" .. target)
      assert.equal("42\ttrue\n7\n", output)
      assert.equal(0, status)
    end
  end)

  it("links the static library", function()
    local libs = embed.pkg_config("--static --libs lua5.4"):gsub("%s+$", "")
    local program = embed.compile("host", { libs = embed.prefix() .. "/lib/libfutures.a " .. libs })
    assert.equal("42\ttrue\n7\n", (embed.start(program)))
  end)

  it("that knows no Lua links both", function()
    for _, libs in ipairs { "-Wl,-z,now -L%s/lib -lfutures", "%s/lib/libfutures.a" } do
      local program = embed.compile("plain", {
        packages = "futures", libs = libs:format(embed.prefix()),
      })
      local output, status = embed.start(program)
      assert.equal("first 1, all done, callbacks 3\n", output)
      assert.equal(0, status)
    end
  end)

  it("with a static liblua lends its Lua to the shared library", function()
    local libs = embed.pkg_config "--libs futures"
      .. " -Wl,-Bstatic -llua5.4 -Wl,-Bdynamic -lm -ldl"
    assert.equal("42\ttrue\n7\n", (embed.start(embed.compile("host", { libs = libs }))))
  end)

  it("is written as the programs of docs/embedding.md", function()
    local file <close> = assert(io.open "docs/embedding.md")
    local count = 0
    for text, expected in file:read("a"):gmatch "```c\n(.-)```\n\nIt prints\n\n```\n(.-)```\n" do
      count = count + 1
      local source = embed.path("doc" .. count .. ".c")
      local copy <close> = assert(io.open(source, "w"))
      copy:write(text)
      copy:close()
      local libs = embed.pkg_config "--variable=worker_libs futures"
        .. embed.pkg_config "--libs lua5.4"
      local program = embed.compile("doc" .. count, { source = source, libs = libs })
      local output, status = embed.start(program)
      assert.equal(expected, output)
      assert.equal(0, status)
    end
    assert.equal(3, count)
  end)

  it("finds ways in the game loop of the example, with a pool as without", function()
    local build = embed.path "game"
    local output, status = embed.run(([[
      cmake -S examples/embed -B '%s' -DCMAKE_C_COMPILER="$CC" -DCMAKE_C_FLAGS='%s' \
        -DCMAKE_PREFIX_PATH='%s' && cmake --build '%s']]):format(
      build, embed.flags(), embed.prefix(), build))
    assert.equal(0, status, output)
    output, status = embed.start(build .. "/game", nil,
      "examples/embed/game.lua examples/embed/cave.map 20")
    assert.equal(0, status, output)
    local found = " ms, (600 of 600 ways found, %d+ steps)\n"
    local serial, parallel = output:match("^without.-" .. found .. "with a pool.-" .. found)
    assert.is_string(serial, output)
    assert.equal(serial, parallel)
  end)
end)

describe("the library", function()
  local function symbols(what)
    local names = {}
    for name in embed.run(what):gmatch "[%w_]+ [BCDRT] ([%w_]+)" do names[#names + 1] = name end
    return names
  end

  it("exports what its headers declare, and nothing else", function()
    local declared = {}
    for _, header in ipairs { "futures.h", "futures_lua.h" } do
      local file <close> = assert(io.open(embed.prefix() .. "/include/" .. header))
      for name in file:read "a":gmatch "\nFUTURES_API[^;]-([%w_]+)%(" do
        declared[#declared + 1] = name
      end
    end
    local exported = symbols(("nm -D --defined-only '%s/lib/libfutures.so'"):format(embed.prefix()))
    table.sort(declared)
    table.sort(exported)
    assert.same(declared, exported)
    assert.is_true(#declared > 15)
  end)

  it("takes no name of a program's when it is linked statically", function()
    local names = symbols(("nm -g --defined-only '%s/lib/libfutures.a'"):format(embed.prefix()))
    assert.is_true(#names > 15)
    for _, name in ipairs(names) do
      local own = name:find "^fut_" or name:find "^futures_"
      if not own and not name:find "^__" then -- the compiler's
        assert.equal("luaopen_futures", name)
      end
    end
  end)
end)

describe("an installation", function()
  --- The paths of all files in a folder, sorted, without those of a folder in it.
  local function files(folder, but)
    local command = [[cd '%s' && find . \( -type f -o -type l \) | sed 's/..//' | sort]]
    local names = {}
    for name in embed.run(command:format(folder)):gmatch "[^\n]+" do
      if not but or name:find(but, 1, true) ~= 1 then names[#names + 1] = name end
    end
    return names
  end

  it("lies where it is promised", function()
    local there = {}
    for _, name in ipairs(files(embed.prefix())) do there[name] = true end
    for _, name in ipairs {
      "lib/lua/5.4/futures/core.so", "share/lua/5.4/futures/init.lua",
      "share/lua/5.4/futures/types.lua", "libexec/futures/futures-worker", "include/futures.h",
      "include/futures_lua.h", "lib/libfutures.a", "lib/libfutures.so", "lib/pkgconfig/futures.pc",
      "lib/cmake/futures/futures-config.cmake", "share/doc/futures/README.md",
    } do assert.is_true(there[name], name) end
  end)

  it("lies the same in the tree that runs in place", function()
    local documents = "share/doc/" -- which nobody runs
    local stage = os.getenv "FUTURES_BUILD" .. "/stage"
    assert.same(files(embed.prefix(), documents), files(stage, documents))
  end)
end)
