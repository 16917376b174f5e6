-- Applies a ConfigMap of 512 bytes with each request, one of a hundred a thread, with another value than before: each is a write. Two requests for the same one are never under way at once.
local threads = 0
function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local count = 0
local run = os.getenv("BENCH_RUN")
local headers = { ["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN"), ["Content-Type"] = "application/apply-patch+yaml" }
local data = string.rep("x", 500)

function request()
  count = count + 1
  local name = string.format("applied-%d-%d", id, count % 100)
  local body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"' .. name .. '","labels":{"app":"bench"}},"data":{"k":"' .. data .. run .. count .. '"}}'
  return wrk.format("PATCH", wrk.path .. "/" .. name .. "?fieldManager=bench&force=true", headers, body)
end
