-- spec/contract.md says which spec keeps each promise: those specs exist, and run
-- on the executors that it names.

local function read(path)
  local file = io.open(path)
  if not file then return end
  local text = file:read "a"
  file:close()
  return text
end

--- The titles of each spec, with those of the blocks around them, as busted lists
-- them: name of the spec to a list.
local function list_titles()
  local specs = {}
  local pipe = assert(io.popen [["$LUA" spec/support/busted.lua --list spec/*_spec.lua 2>&1]])
  local output = pipe:read "a"
  assert(pipe:close(), output)
  for name, title in output:gmatch "spec/([%w_]+)_spec%.lua:%d+: ([^\n]+)" do
    specs[name] = specs[name] or {}
    table.insert(specs[name], title)
  end
  return specs
end

--- The cases of a C test, by the sentences they carry.
local function list_cases(text)
  local titles = {}
  for title in text:gmatch 'CASE%(("[^\n]-"[%s"][^,]-),%s*[%w_]+%)' do
    titles[#titles + 1] = title:gsub('"%s*"', ""):gsub('"', "")
  end
  for title in text:gmatch 'CASE%("([^"]+)",%s*[%w_]+%)' do titles[#titles + 1] = title end
  return titles
end

local specs

--- All titles, with what is around them, of an entry such as "wait: keeps the *".
-- One of a spec that was not listed, for a library is missing here, is looked
-- for in its text.
local function find(spec, title)
  local case = spec:match "^c/(.*)"
  local text = read(case and ("spec/c/%s_test.c"):format(case) or ("spec/%s_spec.lua"):format(spec))
  if not text then return {} end
  local found = {}
  local start = title:match "^(.*)%*$"
  for _, whole in ipairs(case and list_cases(text) or specs[spec] or {}) do
    local fits
    if start then fits = (" " .. whole):find(" " .. start, 1, true)
    else fits = (" " .. whole):sub(-#title - 1) == " " .. title end
    if fits then found[#found + 1] = whole end
  end
  if #found == 0 and text:find(('("%s", function()'):format(title), 1, true) then
    found[1] = title
  end
  return found
end

local groups = {
  all = { "thread", "process", "serial" },
  pools = { "thread", "process" },
  module = {},
}

--- Note the executors that a title runs on: those it names, or its file does;
-- threads otherwise.
local function note_executors(executors, spec, whole)
  local named = (spec .. " " .. whole):lower()
  local any
  for _, name in ipairs(groups.all) do
    if named:find(name, 1, true) then executors[name], any = true, true end
  end
  if not any then executors.thread = true end
end

local function check_row(place, on, entries)
  local problems, executors, count = {}, {}, 0
  for entry in entries:gmatch "`([^`]+)`" do
    local spec, title = entry:match "^(%S+): (.+)$"
    local found = spec and find(spec, title) or {}
    if #found == 0 then problems[#problems + 1] = place .. "there is no " .. entry end
    for _, whole in ipairs(found) do note_executors(executors, spec, whole) end
    count = count + 1
  end
  if count == 0 then problems[#problems + 1] = place .. "names no spec" end
  for word in on:gmatch "%a+" do
    for _, name in ipairs(groups[word] or { word }) do
      if not executors[name] and #problems == 0 then
        problems[#problems + 1] = ("%snothing named runs on %s"):format(place, name)
      end
    end
  end
  return problems
end

describe("spec/contract.md", function()
  local rows = {}

  setup(function()
    specs = list_titles()
    local number = 0
    for line in io.lines "spec/contract.md" do
      number = number + 1
      local promise, on, entries = line:match "^| (.+) | ([%l, ]+) | (`.*`) |$"
      local place = ("line %d: "):format(number)
      if promise then rows[#rows + 1] = { place, on, entries }
      elseif line:find "^|" and not line:find "^| %-%-%-" and not line:find "^| what" then
        error(place .. "is no row of promise, executors and specs")
      end
    end
  end)

  it("names specs that exist, on the executors that it says", function()
    local problems = {}
    for _, row in ipairs(rows) do
      table.move(check_row(table.unpack(row)), 1, 100, #problems + 1, problems)
    end
    assert.equal("", table.concat(problems, "\n"))
    assert.is_true(#rows > 200)
  end)

  it("would be told what is wrong", function()
    local known = "`wait: counts a future given twice once`"
    assert.same({}, check_row("", "pools", known))
    assert.same({ "nothing named runs on serial" }, check_row("", "all", known))
    assert.same({ "there is no wait: counts *x" }, check_row("", "thread", "`wait: counts *x`"))
    assert.same({ "there is no await: counts a future given twice once" },
      check_row("", "thread", "`await: counts a future given twice once`"))
    assert.same({ "there is no nowhere: x" }, check_row("", "thread", "`nowhere: x`"))
    assert.same({ "there is no c/thread: x" }, check_row("", "module", "`c/thread: x`"))
    assert.same({ "names no spec" }, check_row("", "thread", ""))
  end)
end)
