-- wrk: one request, made once.
wrk.method = "POST"
wrk.headers["X-Auth-Token"] = os.getenv("PEER_TOKEN")
wrk.headers["Content-Type"] = os.getenv("PEER_CONTENT_TYPE")
local file = assert(io.open(os.getenv("PEER_BODY"), "rb"))
wrk.body = file:read("*a")
file:close()
