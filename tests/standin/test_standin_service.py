import json

import pytest

from loadgate.standin.settings import Settings


@pytest.mark.parametrize("path", ["/", "/v1/inferences", "/v3/auth/tokens/x", "/v1/infersx/1"])
def test_an_unknown_path_is_the_gateways_404_and_no_row(bench, path):
    async def scenario(bed):
        reply = await bed.call(path=path)
        content = json.loads(reply.body)
        assert (reply.status, content["error_code"]) == (404, "APIG.0101")
        assert reply.headers["server"] == "api-gateway"
        assert reply.headers["x-request-id"] == content["request_id"]
        assert bed.rows == []

    bench(Settings(), scenario)
