-- wrk script: GET /update for 100 page URLs with the header fields that a browser sends from another site's page.
-- PORT, and CLOSE=1 for a connection per request, come from the environment; `done` prints one RESULT line.
local pages, requests, next_request = 100, {}, 0
local port = os.getenv("PORT")
local connection = os.getenv("CLOSE") == "1" and "close" or "keep-alive"

function init(args)
  math.randomseed(42)
  for k = 1, 512 do
    local url = string.format("https%%3A%%2F%%2Fexample.com%%2Fblog%%2Fpost-%d", math.random(1, pages))
    requests[k] = wrk.format("GET", "/update?url=" .. url, {
      ["Host"] = "127.0.0.1:" .. port,
      ["Connection"] = connection,
      ["sec-ch-ua-platform"] = '"Linux"',
      ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
      ["sec-ch-ua"] = '"Not)A;Brand";v="8", "Chromium";v="138", "Google Chrome";v="138"',
      ["sec-ch-ua-mobile"] = "?0",
      ["Accept"] = "*/*",
      ["Origin"] = "https://example.com",
      ["Sec-Fetch-Site"] = "cross-site",
      ["Sec-Fetch-Mode"] = "cors",
      ["Sec-Fetch-Dest"] = "empty",
      ["Referer"] = "https://example.com/",
      ["Accept-Encoding"] = "gzip, deflate, br, zstd",
      ["Accept-Language"] = "en-US,en;q=0.9",
    })
  end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format("RESULT answers=%d micros=%d connect=%d read=%d write=%d status=%d timeout=%d p50=%d p99=%d\n",
    summary.requests, summary.duration, e.connect, e.read, e.write, e.status, e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
