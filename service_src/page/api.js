// The service's HTTP routes. The key travels in a header, never in an address.

const ANSWER_MS = 15_000;

/** What the service refused, or what kept it from being reached (status 0). */
export class Refused extends Error {
  constructor(status, type, message, retryAfterS) {
    super(message);
    Object.assign(this, { status, type, retryAfterS });
  }

  /** The key itself is refused: trying again changes nothing. */
  get byKey() {
    return this.status === 401 || this.status === 403;
  }
}

async function call(method, path, key) {
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI), {
      method,
      headers: { "x-api-key": key },
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch {
    throw new Refused(0, "connection_error", "The service could not be reached.");
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const { type = "api_error", message = `The service answered ${response.status}.` } =
    body.error ?? {};
  throw new Refused(response.status, type, message, Number(response.headers.get("retry-after")));
}

/** A ticket for one websocket, good once and for a minute. */
export const ticket = async (key) => (await call("POST", "v1/tickets", key)).ticket;

/** The models that this key may use, as the Messages API lists them. */
export const models = async (key) => (await call("GET", "v1/models", key)).data ?? [];
