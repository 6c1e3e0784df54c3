// What a signed-in user works at: conversations, the open one's transcript, and the composer.

import { Composer } from "./composer.js";
import { byId } from "./dom.js";
import { count, dollars, tokens } from "./format.js";
import { shortcuts } from "./keys.js";
import { Models } from "./models.js";
import { newConversation, Session } from "./session.js";
import { Sidebar } from "./sidebar.js";
import { clientOf } from "./signin.js";
import { Status } from "./status.js";
import { Store, wishes } from "./store.js";
import { suggestions, Transcript } from "./transcript.js";
import { isOpen } from "./turns.js";

export class Desk {
  #sessions = new Map();
  #unread = new Set();
  #current = null;

  /** `leave(reason)` is called when the key is no longer accepted. */
  constructor(key, models, leave) {
    Object.assign(this, { key, leave });
    this.client = clientOf(key);
    this.store = new Store(this.client,
      () => this.say("This browser has no room left; new answers are not kept after a reload."));
    this.models = new Models();
    this.models.offer(models);
    this.sidebar = new Sidebar({
      open: (id) => this.open(id), rename: (id, title) => this.#rename(id, title),
      remove: (id) => this.#remove(id) });
    this.composer = new Composer({
      send: (text) => this.#send(text), stop: () => this.#current.stop(),
      editLast: () => this.transcript.editLast() });
    this.transcript = new Transcript({ scroller: byId("scroller"), list: byId("turns"),
      jump: byId("jump"), empty: byId("empty") }, {
      retry: (turn) => this.#send(turn.text, turn), edit: (turn, text) => this.#send(text, turn),
      send: (text) => this.#send(text), say: (words) => this.say(words),
      nameOf: (model) => this.models.nameOf(model) });
    this.status = new Status((words) => this.say(words), () => this.#current.connection.wake());
    suggestions(byId("suggestions"), (words) => {
      this.composer.put(words);
      this.composer.focus();
    });
    byId("new-conversation").addEventListener("click", () => this.begin());
    addEventListener("storage", (event) => this.#elsewhere(event));
    shortcuts({ begin: () => {
      this.begin();
      this.composer.focus();
    }, stop: () => this.#current.stop(),
      compose: () => this.composer.focus() });
    const last = wishes.get(`open:${this.client}`);
    const kept = this.store.list();
    if (kept.some(({ id }) => id === last)) this.open(last);
    else this.begin();
    for (const one of kept) if (one.turns.some(isOpen)) this.#session(one); // finish what is open
  }

  say(words) {
    byId("said").textContent = ""; // the same words twice are said twice
    requestAnimationFrame(() => (byId("said").textContent = words));
  }

  begin() {
    const empty = this.#current?.conversation.turns.length === 0;
    this.#show(empty ? this.#current : this.#session(newConversation()));
  }

  open(id) {
    const kept = this.#sessions.get(id)?.conversation
      ?? this.store.list().find((one) => one.id === id);
    if (kept) this.#show(this.#session(kept));
  }

  #session(conversation) {
    const known = this.#sessions.get(conversation.id);
    if (known) return known;
    const session = new Session(conversation, this.key, this.store, {
      onTurns: (one) => {
        if (one === this.#current) this.#drawAll();
        this.#list();
      },
      onAnswer: (one, turn) => this.#answered(one, turn),
      onState: (one, state) => {
        if (state.name === "refused") this.leave(state.reason);
        else if (one === this.#current) this.transcript.hold(this.status.show(state));
      },
    });
    this.#sessions.set(conversation.id, session);
    session.connection.wake();
    return session;
  }

  #show(session) {
    const before = this.#current;
    this.#current = session;
    if (before && before !== session && !before.open) this.#drop(before);
    this.#unread.delete(session.conversation.id);
    wishes.set(`open:${this.client}`, session.conversation.id);
    this.sidebar.leave();
    this.status.reset();
    this.composer.open(session.conversation.id);
    this.#drawAll();
    this.#list();
    this.composer.settle();
  }

  #drop(session) {
    session.close();
    this.#sessions.delete(session.conversation.id);
  }

  #send(text, replaces = null) {
    this.#current.send(text, this.models.chosen, replaces);
    this.say("Sent.");
    if (replaces) this.composer.settle();
  }

  /** Another tab has kept something. An answer that grows there is shown here when it has ended. */
  #elsewhere({ key, newValue }) {
    const session = this.#sessions.get(this.store.idOf(key));
    const kept = session && newValue && JSON.parse(newValue);
    const knows = !session?.open || kept?.turns.some(({ id }) => id === session.open.id);
    if (kept && knows && !kept.turns.some(isOpen)) {
      Object.assign(session.conversation, kept);
      session.connection.renew(); // what it waited for went to the other tab
      if (session === this.#current) this.#drawAll();
    }
    this.#list();
  }

  #answered(session, turn) {
    const ended = !isOpen(turn);
    const current = session === this.#current;
    if (current) {
      this.transcript.update(turn);
      this.composer.answering = !ended;
    }
    if (!ended) return;
    const { answer } = turn;
    const title = session.conversation.title;
    const how = answer.state === "failed" ? "The answer failed."
      : answer.incomplete ? "The answer has stopped; it is incomplete."
        : `Answer finished, ${count(tokens(answer.usage).output)} tokens.`;
    this.say(current ? how : `${title}: ${how}`);
    if (!current) {
      this.#unread.add(session.conversation.id);
      this.#drop(session);
    }
    this.#facts();
    this.#list();
  }

  #drawAll() {
    const session = this.#current;
    this.transcript.show(session);
    this.composer.answering = Boolean(session.open);
    this.transcript.hold(this.status.show(session.connection.state));
    this.#facts();
  }

  #facts() {
    const { title, spent } = this.#current.conversation;
    document.title = title ? `${title} · Chat` : "Chat";
    byId("title").textContent = title || "New conversation";
    byId("spent").textContent = spent?.output
      ? `${count(spent.input + spent.output)} tokens · ${dollars(spent.cost)}` : "";
  }

  #list() {
    const busy = new Set([...this.#sessions.values()].filter((one) => one.open)
      .map((one) => one.conversation.id));
    this.sidebar.show(this.store.list(), this.#current.conversation.id, busy, this.#unread);
  }

  #rename(id, title) {
    const kept = this.#sessions.get(id)?.conversation
      ?? this.store.list().find((one) => one.id === id);
    if (kept && kept.title !== title) {
      Object.assign(kept, { title, named: true });
      this.store.save(kept);
    }
    this.#list();
    this.#facts();
  }

  #remove(id) {
    const session = this.#sessions.get(id);
    session?.stop();
    if (session) this.#drop(session);
    this.store.remove(id);
    if (this.#current.conversation.id === id) {
      this.#current = null;
      this.begin();
    }
    this.#list();
  }
}
