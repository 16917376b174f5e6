-- Creates a Pod with each request. Its scheduler is one that nobody runs: the row is about creating, not about scheduling.
local threads = 0
function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local count = 0
local run = os.getenv("BENCH_RUN")
local headers = { ["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN"), ["Content-Type"] = "application/json" }
local spec = '{"schedulerName":"nobody","automountServiceAccountToken":false,"containers":[{"name":"c","image":"nginx:1.25","ports":[{"containerPort":80}],'
  .. '"resources":{"requests":{"cpu":"10m","memory":"16Mi"}},"env":[{"name":"A","value":"b"}]}]}'

function request()
  count = count + 1
  local name = string.format("pod-%s-%d-%d", run, id, count)
  local body = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"' .. name .. '","labels":{"app":"bench"}},"spec":' .. spec .. "}"
  return wrk.format("POST", nil, headers, body)
end
