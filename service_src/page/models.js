// The choice of a model: the service's roles where a model fills one, ids for the rest.

import { byId, h } from "./dom.js";
import { wishes } from "./store.js";

const ROLES = { fast: /haiku/, balanced: /sonnet/, deep: /opus/ };
const USUAL = "balanced";

export class Models {
  constructor(element = byId("model")) {
    this.element = element;
    this.names = new Map();
    element.addEventListener("change", () => wishes.set("model", element.value));
  }

  /** Offer these, as `GET /v1/models` lists them. */
  offer(models) {
    const free = new Map(Object.entries(ROLES));
    const options = models.map(({ id, display_name: name = id }) => {
      this.names.set(id, name.replace(/^Claude /, ""));
      const role = [...free.keys()].find((one) => free.get(one).test(id));
      free.delete(role);
      const label = role ? `${this.names.get(id)}, ${role}` : this.names.get(id);
      return h("option", { value: role ?? id, text: label });
    });
    this.element.replaceChildren(...options);
    const values = options.map((option) => option.value);
    this.element.value = [wishes.get("model"), USUAL, values[0]]
      .find((value) => values.includes(value)) ?? "";
    this.element.disabled = !values.length;
  }

  /** What messages ask for; empty leaves it to the service. */
  get chosen() {
    return this.element.value;
  }

  nameOf(id) {
    return this.names.get(id) ?? id;
  }
}
