-- The pages that LDoc makes of lua/futures/types.lua: made without a warning, and
-- everything annotated is on them, with its parameters and what is said of it.
local annotations = require("support.annotations").read()

if not os.execute "command -v ldoc >/dev/null" then
  if os.getenv "CI" then error "needs ldoc" end
  it("makes pages", function() pending "needs ldoc" end)
  return
end

local folder = os.tmpname()
os.remove(folder)

--- Run a command; return what it printed, errors as well, and its exit status.
local function run(command)
  local pipe = assert(io.popen("exec 2>&1; " .. command))
  local output = pipe:read "a"
  local _, _, code = pipe:close()
  return output, code
end

--- LDoc is run by another Lua than ours, which must not look into our folders.
local output, status = run(
  ("env -u LUA_PATH -u LUA_CPATH ldoc --fatalwarnings --dir '%s' ."):format(folder))
local page = ""
do
  local file <close> = io.open(folder .. "/index.html")
  if file then page = file:read "a" end
end

teardown(function() run(("rm -r '%s'"):format(folder)) end)

--- HTML or a comment as plain words.
local function words(text)
  local entities = { amp = "&", lt = "<", gt = ">", quot = '"', apos = "'" }
  text = text:gsub("```%w*", " "):gsub("`", "")
  text = text:gsub("</?code>", ""):gsub("</?%l[^>]*>", " ")
  text = text:gsub("&#(%d+);", function(code) return utf8.char(code) end)
  return (text:gsub("&(%l+);", entities):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

--- A comment as it reads on the page: its `code` is no HTML.
local function said(text)
  return words((text:gsub("<", "&lt;"):gsub(">", "&gt;")))
end

--- The part of the page that describes something: its title and its text.
local function described(name)
  local anchor = ('<a name = "%s"></a>'):format(name)
  local first, last = page:find(anchor, 1, true)
  assert.is_truthy(first, name .. " is not on the page")
  assert.is_nil(page:find(anchor, last, true), name .. " is there twice")
  local title, text = page:match("^%s*<strong>(.-)</strong>%s*</dt>%s*<dd>(.-)\n</dd>", last + 1)
  assert.is_string(title, name)
  return words(title), text
end

--- That a function, by its name on the page, has its parameters and its text.
local function check_function(name, annotation)
  local title, text = described(name)
  local params = annotation.params
  assert.equal(name .. " (" .. table.concat(params, ", ") .. ")",
    (title:gsub("%[, ", ", "):gsub("[%[%]]", "")))
  local listed = {}
  for param in text:gmatch '<li><span class="parameter">(.-)</span>' do
    listed[#listed + 1] = param
  end
  assert.same(params, listed, name)
  local found = words(text):sub(1, #said(annotation.text))
  assert.equal(said(annotation.text), found)
end

describe("the pages", function()
  it("are made without a warning", function()
    assert.equal("reading configuration from config.ld\n"
      .. "output written to " .. folder .. "\n", output)
    assert.equal(0, status)
  end)

  it("have every function with its parameters and text", function()
    local count = 0
    for name, annotation in pairs(annotations.functions) do
      check_function(name, annotation)
      count = count + 1
    end
    assert.is_true(count > 30, count)
  end)

  it("have every class that is called as a function", function()
    local count = 0
    for class, annotation in pairs(annotations.calls) do
      local made = class:match "^(%w+)Class$"
      if made then
        check_function("futures." .. made, annotation)
        count = count + 1
      end
    end
    assert.equal(5, count)
  end)

  it("have every constant and class of the module", function()
    local count = 0
    for name in pairs(annotations.fields.futures) do
      if not annotations.calls[name .. "Class"] then
        local text = page:match('<a name ?= ?"futures%.' .. name .. '"></a>%s*<strong>(.-)\n')
        assert.is_string(text, name)
        count = count + 1
      end
    end
    assert.is_true(count > 10, count)
  end)

  it("have every field of options and values", function()
    for class, fields in pairs(annotations.fields) do
      if class ~= "futures" and next(fields) then
        local _, text = described(class)
        for name, annotation in pairs(fields) do
          local item = text:match('<li><span class="parameter">' .. name .. "</span>(.-)</li>")
          assert.is_string(item, class .. "." .. name)
          local last = annotation.text:match "%S+$"
          assert.truthy(words(item):find(last, 1, true), class .. "." .. name)
        end
      end
    end
  end)

  it("have a place for each of their links", function()
    local count = 0
    for target in page:gmatch 'href="[^"#]*#([^"]*)"' do
      local place = target:gsub("%p", "%%%0")
      assert.is_truthy(page:find('<a name ?= ?"' .. place .. '"'), target)
      count = count + 1
    end
    assert.is_true(count > 50, count)
  end)
end)
