-- Host programs under valgrind, which sees what the library does in theirs.
local embed = require "support.embed"
local limits = require "support.limits"

if limits.sanitizer then return end -- which valgrind cannot run

describe("under valgrind", function()
  teardown(embed.remove)

  for _, name in ipairs { "host", "plain", "on_state" } do
    it(name .. ".c does nothing wrong and loses no memory", function()
      local wrapper = "valgrind -q --error-exitcode=99 --leak-check=full"
      local output, status = embed.start(embed.compile(name), wrapper)
      assert.equal(0, status, output)
    end)
  end
end)
