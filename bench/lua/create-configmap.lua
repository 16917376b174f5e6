-- Creates a ConfigMap of 512 bytes with each request, each with a name of its own.
local threads = 0
function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local count = 0
local run = os.getenv("BENCH_RUN")
local headers = { ["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN"), ["Content-Type"] = "application/json" }
local data = string.rep("x", 512)

function request()
  count = count + 1
  local name = string.format("cm-%s-%d-%d", run, id, count)
  local body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"' .. name .. '","labels":{"app":"bench"}},"data":{"k":"' .. data .. '"}}'
  return wrk.format("POST", nil, headers, body)
end
