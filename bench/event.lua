-- wrk script: POST /api/v1/events, a pageview of a visitor that nobody has seen before, with the header fields that a
-- browser sends. AGENTS: `warm` = 12 user agents, `new` = every request another one.
-- RATE: so many requests a second, 0 = as fast as they are answered.
-- PORT, AGENTS, RATE and SEED (another one for every run) come from the environment; `done` prints one RESULT line.
local port, agents, seed = os.getenv("PORT"), os.getenv("AGENTS") or "warm", tonumber(os.getenv("SEED") or "1")
local number = seed * 16777216
local zones = {"Europe/Berlin", "America/New_York", "Asia/Tokyo", "Europe/Paris", "America/Sao_Paulo", "Asia/Kolkata"}
local referrers = {"", "https://www.google.com/", "https://news.ycombinator.com/", "https://example.com/blog/", "https://t.co/x"}
local head = "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:" .. port .. "\r\nConnection: keep-alive\r\n"
  .. 'sec-ch-ua-platform: "Linux"\r\nsec-ch-ua: "Not)A;Brand";v="8", "Chromium";v="138", "Google Chrome";v="138"\r\n'
  .. "sec-ch-ua-mobile: ?0\r\nAccept: */*\r\nOrigin: https://example.com\r\nSec-Fetch-Site: cross-site\r\n"
  .. "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nReferer: https://example.com/\r\n"
  .. "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\nContent-Type: text/plain;charset=UTF-8\r\n"

local function agent()
  if agents == "new" then
    return string.format("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
      .. "Chrome/%d.0.%d.%d Safari/537.36", 100 + number % 40, math.floor(number / 1000) % 100000, number % 1000)
  end
  return string.format("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36",
    128 + number % 12)
end

function request()
  number = number + 1
  local address = string.format("%d.%d.%d.%d", 11 + math.floor(number / 16777216) % 100, math.floor(number / 65536) % 256, math.floor(number / 256) % 256, number % 256)
  local body = string.format('{"type":"pageview","id":"%08x%08x%08x%08x","url":"https://example.com/blog/post-%d?utm_source=news",'
    .. '"referrer":"%s","title":"Post number %d","language":"en-US","timezone":"%s","screen":"1920x1080","viewport":"1280x720"}',
    seed, number % 4294967296, number * 7 % 4294967296, number * 13 % 4294967296, number % 100,
    referrers[number % #referrers + 1], number % 100, zones[number % #zones + 1])
  return head .. "User-Agent: " .. agent() .. "\r\nX-Forwarded-For: " .. address .. "\r\nContent-Length: "
    .. #body .. "\r\n\r\n" .. body
end

local rate = tonumber(os.getenv("RATE") or "0")
if rate > 0 then
  local ffi = require("ffi")
  ffi.cdef("struct moment { long seconds; long nanos; }; int clock_gettime(int clock, struct moment *now);")
  local moment, first, sent = ffi.new("struct moment"), nil, 0

  -- wrk asks before each request how many milliseconds it is to wait: until the request's turn at that rate.
  function delay()
    ffi.C.clock_gettime(1, moment) -- CLOCK_MONOTONIC
    local now = tonumber(moment.seconds) * 1000 + tonumber(moment.nanos) / 1000000
    first = first or now
    sent = sent + 1
    return math.max(0, math.floor(first + sent * 1000 / rate - now))
  end
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format("RESULT answers=%d micros=%d connect=%d read=%d write=%d status=%d timeout=%d p50=%d p99=%d\n",
    summary.requests, summary.duration, e.connect, e.read, e.write, e.status, e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
