// Conversations in this browser's localStorage, apart for each client: a shared computer shows
// nobody's to another key. The key itself is never among them.

const LATER_MS = 1_000;

export class Store {
  #waiting = new Map();
  #timer = null;

  /** `client` is the key's public part; `onFull` is told when the browser has no room left. */
  constructor(client, onFull) {
    this.prefix = `chat:${client}:`;
    this.onFull = onFull;
    addEventListener("pagehide", () => this.flush());
    document.addEventListener("visibilitychange", () => this.flush());
  }

  /** All of them, the last used first. */
  list() {
    const found = [];
    for (let at = 0; at < localStorage.length; at += 1) {
      const name = localStorage.key(at);
      if (!name.startsWith(this.prefix)) continue;
      const read = this.#waiting.get(name) ?? parsed(localStorage.getItem(name));
      if (read?.turns?.length) found.push(read);
    }
    for (const [name, one] of this.#waiting) {
      if (localStorage.getItem(name) === null && one.turns.length) found.push(one);
    }
    return found.sort((one, other) => other.updated - one.updated);
  }

  /** Keep it now, or within a second while an answer grows. */
  save(conversation, { soon = false } = {}) {
    this.#waiting.set(this.prefix + conversation.id, conversation);
    if (!soon) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), LATER_MS);
  }

  flush() {
    clearTimeout(this.#timer);
    this.#timer = null;
    try {
      for (const [name, conversation] of this.#waiting) {
        if (conversation.turns.length) localStorage.setItem(name, JSON.stringify(conversation));
        this.#waiting.delete(name);
      }
    } catch {
      this.onFull();
    }
  }

  /** The conversation that a name of localStorage stands for, if it is one of this client's. */
  idOf(name) {
    return name?.startsWith(this.prefix) ? name.slice(this.prefix.length) : null;
  }

  remove(id) {
    this.#waiting.delete(this.prefix + id);
    localStorage.removeItem(this.prefix + id);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Small wishes that outlive a visit: theme, model, the conversation that was open. */
export const wishes = {
  get: (name) => localStorage.getItem(`wish:${name}`),
  set: (name, value) => {
    try {
      localStorage.setItem(`wish:${name}`, value);
    } catch {
      // A full browser forgets the wish, nothing else.
    }
  },
};

/** The key, in this tab alone, and only if its owner said so. */
export const keptKey = {
  get: () => sessionStorage.getItem("key"),
  set: (key) => sessionStorage.setItem("key", key),
  forget: () => sessionStorage.removeItem("key"),
};
