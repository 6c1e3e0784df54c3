// One websocket that comes back by itself: a fresh ticket each time, and longer waits.

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
const SILENT_MS = 45_000;
/** Three pings of the service missed while an answer is awaited: the line is dead. */
const SETTLED_MS = 5_000;
/** A socket that lived so long ends a row of failures. */
const CODES = { moved: 1001, unauthenticated: 4401, forbidden: 4403, idle: 4408, tooMany: 4429 };
const TOO_MANY_MS = 8_000;

/** States: off, connecting, ready, waiting (with `reason` and `until`), asleep, refused. */
export class Connection {
  #socket = null;
  #attempt = 0;
  #failures = 0;
  #unproved = 0;
  #readyAt = 0;
  #timer = null;
  #silence = null;
  #moved = null;
  #lastError = null;

  /** `hooks`: ticket() a promise; conversation() its id or null; awaiting() whether an answer is
   *  due; onFrame(frame); onClosed(code, error); onState(state). */
  constructor(hooks) {
    this.hooks = hooks;
    this.state = { name: "off" };
    this.wake = this.wake.bind(this);
    addEventListener("online", this.wake);
  }

  /** Connect now, unless that is done or under way. */
  wake() {
    if (["connecting", "ready", "refused"].includes(this.state.name)) return;
    if (this.state.name === "off" && this.closed) return;
    this.#connect();
  }

  send(frame) {
    this.#socket.send(JSON.stringify(frame));
    this.#listen();
  }

  /** A new socket, as soon as something is to be sent. */
  renew() {
    this.#drop();
    this.#say({ name: "asleep" });
  }

  close() {
    this.closed = true;
    removeEventListener("online", this.wake);
    this.#drop();
    this.#say({ name: "off" });
  }

  #say(state) {
    this.state = state;
    this.hooks.onState(state);
  }

  #drop() {
    this.#attempt += 1;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  async #connect() {
    this.#drop();
    const attempt = this.#attempt;
    this.#say({ name: "connecting", again: this.#failures > 0 });
    let ticket;
    try {
      ticket = await this.hooks.ticket();
    } catch (refused) {
      if (attempt !== this.#attempt) return;
      if (refused.byKey) this.#say({ name: "refused", reason: refused.message });
      else this.#wait(refused.message, (refused.retryAfterS || 0) * 1_000);
      return;
    }
    if (attempt !== this.#attempt) return;
    const socket = new WebSocket(this.#address(), ["claude.v1", `ticket.${ticket}`]);
    this.#socket = socket;
    this.#listen();
    socket.onmessage = (event) => socket === this.#socket && this.#read(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.#socket && this.#lost(event.code);
  }

  #address() {
    const url = new URL("chat", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const conversation = this.hooks.conversation();
    if (conversation) url.searchParams.set("conversation", conversation);
    return url;
  }

  #read(frame) {
    this.#listen();
    if (frame.type === "reconnect") this.#moved = frame.reason;
    if (frame.type === "error" && !frame.id) this.#lastError = frame.error;
    if (frame.type === "ready") {
      this.#readyAt = performance.now();
      this.#unproved = 0;
      this.#moved = this.#lastError = null;
      this.hooks.onFrame(frame);
      this.#say({ name: "ready" });
    } else {
      this.hooks.onFrame(frame);
    }
  }

  /** Begin to count the silence anew. Only who waits for something can miss it. */
  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (this.state.name === "ready" && !this.hooks.awaiting()) return;
      const code = 1006;
      this.#socket?.close(1000);
      this.#lost(code);
    }, SILENT_MS);
  }

  #lost(code) {
    const error = this.#lastError;
    const lived = this.#readyAt && performance.now() - this.#readyAt > SETTLED_MS;
    this.#drop();
    this.#readyAt = 0;
    if (lived) this.#failures = 0;
    this.hooks.onClosed(code, error);
    if (this.closed) return;
    if (code === CODES.unauthenticated || code === CODES.forbidden) {
      // A ticket may have run out on its way; a second one in a row has not.
      this.#unproved += 1;
      if (code === CODES.forbidden || this.#unproved > 1) {
        this.#say({ name: "refused", reason: error?.message ?? "The key was not accepted." });
        return;
      }
    }
    if (code === CODES.idle) {
      this.#say({ name: "asleep" });
    } else if (code === CODES.moved || this.#moved) {
      this.#wait(this.#moved === "lifetime" ? "lifetime" : "drain", 0, true);
    } else {
      this.#wait(error?.message ?? "lost", code === CODES.tooMany ? TOO_MANY_MS : 0);
    }
  }

  #wait(reason, atLeastMs, planned = false) {
    const spread = 0.5 + Math.random() / 2;
    const backoff = planned && this.#failures === 0
      ? 250 : Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures);
    const delay = Math.max(atLeastMs, backoff * spread);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#say({ name: "waiting", reason, planned, until: Date.now() + delay });
  }
}
