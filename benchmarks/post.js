// k6: one request. The body is read once for each virtual user.
import http from "k6/http";

const body = open(__ENV.PEER_BODY, "b");
const params = { headers: { "X-Auth-Token": __ENV.PEER_TOKEN, "Content-Type": __ENV.PEER_CONTENT_TYPE } };

export default function () {
  http.post(__ENV.PEER_URL, body, params);
}
