// k6's side of the comparison: constant arrivals, one POST each, the same body and token header as loadgate's.
import http from "k6/http";

export const options = {
  discardResponseBodies: true,
  scenarios: {
    load: {
      executor: "constant-arrival-rate",
      rate: Number(__ENV.RATE),
      timeUnit: "1s",
      duration: __ENV.DURATION,
      preAllocatedVUs: Number(__ENV.USERS),
      gracefulStop: "60s",
    },
  },
};

const how = { headers: { "Content-Type": "application/json", "X-Auth-Token": __ENV.TOKEN }, timeout: "60s" };

export default function () {
  http.post(__ENV.URL, '{"req_data": [1]}', how);
}
