-- Walks a pool of messages, sending each once, and stops when as many were answered as the caller counts.
-- Arguments: the pool's file (messages parted by a zero byte), how many answers to wait for, a text that each must hold.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  content = file:read("*a")
  file:close()
  wanted = tonumber(args[2])
  expected = args[3]
  position = 1
  answered = 0
  failed = 0
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "text/xml; charset=utf-8"
  wrk.headers["SOAPAction"] = '""'
  -- wrk asks for one request that it never sends, to see whether the script is sound.
  verifying = true
end

function request()
  if verifying then
    verifying = false
    return wrk.format(nil, nil, nil, "")
  end
  local stop = assert(string.find(content, "\0", position, true), "the pool is used up")
  local message = string.sub(content, position, stop - 1)
  position = stop + 1
  return wrk.format(nil, nil, nil, message)
end

function response(status, headers, body)
  answered = answered + 1
  if status ~= 200 or not string.find(body, expected, 1, true) then
    failed = failed + 1
  end
  if answered == wanted then
    wrk.thread:stop()
    -- wrk itself would sleep until the end of its duration: whoever started it interrupts it now.
    io.stdout:write("answered\n")
    io.stdout:flush()
  end
end

function done(summary, latency, requests)
  local thread = threads[1]
  local errors = summary.errors
  print(string.format(
    '{"answered": %d, "failed": %d, "microseconds": %d, "p50": %d, "p99": %d, "bytes": %d}',
    thread:get("answered"),
    thread:get("failed") + errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99), summary.bytes))
end
