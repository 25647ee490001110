--- annotations.lua - what lua/futures/types.lua says there is, read as text
local annotations = {}

--- One function of the text, its arguments in order.
local function signature(names)
  local params = {}
  for name in names:gmatch "[%w_.]+" do params[#params + 1] = name end
  return params
end

--- The prose of a comment and its tags: pairs of a tag and what follows it.
local function parse(comment)
  local prose, tags = {}, {}
  for _, line in ipairs(comment) do
    local tag, rest = line:match "^@(%w+)%s*(.*)$"
    if tag then
      tags[#tags + 1] = { tag, rest }
    elseif #tags == 0 then
      prose[#prose + 1] = line
    end
  end
  return table.concat(prose, "\n"), tags
end

--- Read the file. `functions` has by name ("futures.wait", "Future:result") the
-- parameters and the text of each function, `fields` by class ("futures", "Stats") and
-- name the type and text of each field, `calls` by class what calling it takes.
function annotations.read()
  local found = { functions = {}, fields = {}, calls = {} }

  local function add_class(text, tags)
    local class
    for _, tag in ipairs(tags) do
      local kind, rest = table.unpack(tag)
      if kind == "class" then
        class = rest:match "^futures%.(%w+)" or rest:match "^futures$"
        assert(class and not found.fields[class], rest)
        found.fields[class] = {}
      elseif kind == "field" and not rest:find "^%[" then
        local name, said = rest:match "^([%w_]+)%??%s+(.*)$"
        found.fields[class][name] = { text = said }
      elseif kind == "overload" then
        local names = rest:match("^fun(%b())"):gsub(":[^,)]*", "")
        found.calls[class] = { params = signature(names), text = text }
      end
    end
  end

  local comment = {}
  for line in io.lines "lua/futures/types.lua" do
    local said = line:match "^%-%-%-%s?(.*)$"
    if said then
      comment[#comment + 1] = said
    else
      local text, tags = parse(comment)
      local name, names = line:match "^function ([%w_.:]+)(%b()) end$"
      local assigned = line:match "^futures%.([%w_]+) = "
      if name then
        found.functions[name] = { params = signature(names), text = text }
      elseif assigned then
        found.fields.futures[assigned] = { text = text }
      else
        assert(not line:find "^function", line)
        add_class(text, tags)
      end
      comment = {}
    end
  end
  return found
end

return annotations
