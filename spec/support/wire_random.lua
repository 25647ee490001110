-- wire_random.lua - random values by seed, and whether two are alike
local random = {}

-- A generator of pseudo-random integers that is the same everywhere.
function random.numbers(seed)
  local state = seed * 2 + 1
  return function(n)
    state = state * 6364136223846793005 + 1442695040888963407
    return (state >> 33) % n + 1
  end
end

local integers = { 0, 1, -1, 111, 112, -16, -17, 127, 128, 32767, 32768,
  -32768, -32769, 1 << 31, -(1 << 31), (1 << 31) - 1, math.maxinteger,
  math.mininteger }
local floats = { 0.0, -0.0, 1.5, 1e300, 5e-324, math.huge, -math.huge,
  0 / 0, -(0 / 0), 2.0 ^ 53, string.unpack("n", "\1\2\3\4\5\6\xf1\x7f") }

--- A value that may hold tables, shared ones and cycles too.
function random.value(seed, functions)
  local pick = random.numbers(seed)
  local made, budget = {}, pick(200)
  local value

  local function text()
    local n = ({ 0, 1, 5, 39, 40, 41, 63, 64, 200, 5000 })[pick(10)]
    local bytes = {}
    for i = 1, math.min(n, 50) do bytes[i] = string.char(pick(256) - 1) end
    return table.concat(bytes) .. ("."):rep(n - 50)
  end

  local function key(depth)
    for _ = 1, 10 do
      local k = value(depth + 1)
      if k ~= nil and k == k then return k end
    end
    return pick(1000)
  end

  local function fill(t, depth)
    local kind = pick(5)
    local n = pick(({ 3, 20, 100 })[pick(3)])
    for i = 1, n do
      budget = budget - 1
      if budget < 0 then break end
      if kind == 1 then t[i] = value(depth + 1)
      elseif kind == 2 then t["key" .. pick(30)] = value(depth + 1)
      elseif kind == 3 then t[key(depth)] = value(depth + 1)
      elseif kind == 4 then t[n - i + pick(3)] = value(depth + 1)
      else
        t[i] = value(depth + 1)
        t["k" .. i] = value(depth + 1)
      end
    end
    if pick(6) == 1 and not getmetatable(t) then
      local mt = value(depth + 1)
      if type(mt) == "table" then
        setmetatable(t, mt)
      end
    end
    return t
  end

  function value(depth)
    local kind = pick(depth > 30 and 9 or 14)
    if kind == 1 then return nil
    elseif kind == 2 then return pick(2) == 1
    elseif kind == 3 then return integers[pick(#integers)]
    elseif kind == 4 then return pick(1 << 20) - (1 << 19)
    elseif kind == 5 then return floats[pick(#floats)]
    elseif kind <= 7 then return text()
    elseif kind <= 9 then return made[pick(#made + 1)]
    elseif kind == 10 and functions then
      local up, other = value(depth + 1), made[pick(#made + 1)]
      local function get(_) return up, other, print end
      local function set(v) up, other = v, v end
      made[#made + 1] = get
      made[#made + 1] = set
      return get
    else
      local t = {}
      made[#made + 1] = t
      return fill(t, depth)
    end
  end

  return value(1)
end

local function upvalues(f)
  local list = {}
  for i = 1, 255 do
    local name, v = debug.getupvalue(f, i)
    if not name then break end
    list[i] = v
    list["n" .. i] = name
  end
  return list
end

--- Stands for a finder of sources: the functions above.
function random.source(f)
  local text = debug.getupvalue(f, 3) and "return up, other, print"
    or "up, other = v, v"
  return "local up, other return function(v) " .. text .. " end", "=random", {}
end

--- Whether two values are copies of one another, with the same sharing. Table
--- keys that are tables or functions are matched by what can be told apart.
function random.alike(a, b)
  local there, back = {}, {}
  local alike

  local function matched(t, u)
    local n = 0
    for k, v in next, t do
      n = n + 1
      if type(k) ~= "table" and type(k) ~= "function" and
        not alike(v, rawget(u, k)) then
        return false
      end
    end
    for k in next, u do
      n = n - 1
      if back[k] and t[back[k]] == nil then return false end
    end
    return n == 0
  end

  function alike(x, y)
    if math.type(x) ~= math.type(y) or type(x) ~= type(y) then
      return false
    elseif type(x) == "number" then
      return string.pack("n", x) == string.pack("n", y)
        and (math.type(x) == "float" or x == y)
    elseif type(x) ~= "table" and type(x) ~= "function" then
      return x == y
    elseif x == y then
      return true -- by name
    elseif there[x] or back[y] then
      return there[x] == y and back[y] == x
    end
    there[x], back[y] = y, x
    if type(x) == "function" then
      return matched(upvalues(x), upvalues(y))
    end
    return matched(x, y) and alike(debug.getmetatable(x), debug.getmetatable(y))
  end

  return alike(a, b)
end

return random
