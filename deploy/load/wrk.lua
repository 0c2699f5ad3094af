-- Sends the requests of a file in turn, and prints the figures as one line of JSON.
-- A line of the file is a path, followed by headers, all parted by tabs: "name: value".

local requests = {}
local place = 0

local function read(line)
  local path, headers = nil, {}
  for part in line:gmatch("[^\t]+") do
    if not path then
      path = part
    else
      local name, value = part:match("^([^:]+): (.*)$")
      headers[name] = value
    end
  end
  return path, headers
end

function init(args)
  local path, headers
  for line in io.lines(args[1]) do
    path, headers = read(line)
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
  if #requests > 1 then
    request = function()
      place = place % #requests + 1
      return requests[place]
    end
  else
    -- wrk then makes the request once, and asks no Lua for it.
    wrk.path = path
    for name, value in pairs(headers) do wrk.headers[name] = value end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.3f, "p50": %.4f, "p99": %.4f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
