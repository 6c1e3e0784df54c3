// One conversation and its connection: what the user does becomes frames, frames become turns.

import { ticket } from "./api.js";
import { Connection } from "./connection.js";
import { apply, fail, isOpen, knownAs, newTurn, openTurn, withdraw } from "./turns.js";
import { newId } from "./dom.js";
import { titleOf } from "./format.js";

const TOO_LONG = 1009;
const TOO_MANY = 4429;
const MOST_TOKENS = 8_192;
/** Of an answer. So much of the budget is reserved while it runs; what is not used comes back. */

export const newConversation = () => ({
  id: newId(), remote: null, title: "", updated: Date.now(), turns: [],
});

export class Session {
  #pending = null;

  /** `hooks`: onTurns(session) a turn came or went; onAnswer(session, turn) one grew or ended;
   *  onState(session, state) of the connection. */
  constructor(conversation, key, store, hooks) {
    Object.assign(this, { conversation, store, hooks });
    this.connection = new Connection({
      ticket: () => ticket(key),
      conversation: () => conversation.remote,
      awaiting: () => Boolean(this.open),
      onFrame: (frame) => this.#read(frame),
      onClosed: (code, error) => this.#closed(code, error),
      onState: (state) => hooks.onState(this, state),
    });
  }

  get open() {
    return openTurn(this.conversation);
  }

  /** Ask; `replaces` is the turn that is forgotten first, with all after it. */
  send(text, model, replaces = null) {
    if (this.open) return;
    const { conversation } = this;
    let known = null;
    if (replaces) {
      known = knownAs(conversation.turns.splice(conversation.turns.indexOf(replaces)));
    }
    const turn = newTurn(text, model, known);
    conversation.turns.push(turn);
    conversation.updated = turn.at;
    if (!conversation.named) conversation.title = titleOf(conversation.turns[0].text);
    this.#keep();
    this.hooks.onTurns(this);
    if (this.connection.state.name === "ready") this.#post(turn);
    else this.connection.wake();
  }

  stop() {
    const turn = this.open;
    if (!turn) return;
    if (!turn.sent || turn.stopping) {
      withdraw(turn); // asked twice: do not wait for the service to say so
    } else {
      turn.stopping = true;
      if (this.connection.state.name === "ready") {
        this.connection.send({ type: "cancel", id: turn.id });
      }
    }
    this.#keep();
    this.hooks.onAnswer(this, turn);
  }

  close() {
    this.connection.close();
    this.store.flush();
  }

  #keep(options) {
    this.store.save(this.conversation, options);
  }

  #post(turn) {
    turn.sent = true;
    this.#pending = turn;
    this.#keep();
    this.connection.send({
      type: "message", id: turn.id, content: turn.text, resume: true, max_tokens: MOST_TOKENS,
      ...(turn.model && { model: turn.model }),
      ...(turn.replaces && { replaces: turn.replaces }),
    });
  }

  #read(frame) {
    if (frame.type === "ready") return this.#ready(frame.conversation);
    const turn = this.conversation.turns.find((one) => one.id === frame.id);
    if (!turn) return undefined;
    this.#pending = null;
    if (apply(this.conversation, turn, frame)) {
      if (!isOpen(turn)) this.conversation.updated = Date.now();
      this.#keep({ soon: isOpen(turn) });
      this.hooks.onAnswer(this, turn);
    }
    return undefined;
  }

  #ready(remote) {
    this.conversation.remote = remote;
    this.#keep();
    // After the state has changed, so that what is sent now finds it ready.
    queueMicrotask(() => {
      const turn = this.open;
      if (!turn || this.connection.state.name !== "ready") return;
      if (!turn.sent) return this.#post(turn);
      this.connection.send({ type: "resume", id: turn.id, after: turn.answer.seq });
      if (turn.stopping) this.connection.send({ type: "cancel", id: turn.id });
    });
  }

  /** Some closes are the answer to what was just sent: it is not sent again. */
  #closed(code, error) {
    const turn = this.#pending;
    this.#pending = null;
    if (!turn || !isOpen(turn) || (code !== TOO_LONG && code !== TOO_MANY)) return;
    const [type, words] = code === TOO_LONG
      ? ["request_too_large", "The message is longer than the service takes."]
      : ["rate_limit_error", "Too many messages a minute."];
    fail(turn, type, error?.message ?? words, code === TOO_MANY);
    this.#keep();
    this.hooks.onAnswer(this, turn);
  }
}
