-- recent.lua - a table that forgets what was not used for long
--
-- There are two generations. When the young one is full it becomes the old one,
-- and the old one goes; what is looked up in the old one becomes young again.

---@class futures.source.Recent
---@field limit number   how much one generation may weigh
---@field weight number  of the young one
---@field young table
---@field old table
local Recent = {}
Recent.__index = Recent

--- Every value must have a field `weight`.
---@param limit number
---@return futures.source.Recent
function Recent.new(limit)
  return setmetatable({ limit = limit, weight = 0, young = {}, old = {} }, Recent)
end

function Recent:put(key, value)
  self.young[key] = value
  self.weight = self.weight + value.weight
  if self.weight > self.limit then
    self.old, self.young, self.weight = self.young, {}, 0
  end
end

function Recent:get(key)
  local value = self.young[key]
  if value then return value end
  value = self.old[key]
  if value then self:put(key, value) end
  return value
end

function Recent:forget(key)
  self.young[key], self.old[key] = nil, nil
end

return Recent
