// Numbers, times and titles as a reader wants them.

const whole = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export const count = (number) => whole.format(number);

/** US dollars: two digits that say something, however little it is. */
export function dollars(amount) {
  if (amount === 0) return "$0";
  if (amount >= 1) return `$${amount.toFixed(2)}`;
  const digits = Math.min(8, Math.max(2, 1 - Math.floor(Math.log10(amount))));
  return `$${amount.toFixed(digits)}`;
}

/** What an answer's usage comes to; whatever was read from or written to a cache was read too. */
export function tokens(usage = {}) {
  const read = (usage.input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0)
    + (usage.cache_read_input_tokens ?? 0);
  return { input: read, output: usage.output_tokens ?? 0 };
}

export function when(time) {
  const then = new Date(time);
  return new Date().toDateString() === then.toDateString() ? clock.format(then) : day.format(then);
}

/** A conversation's name: the first words of its first message. */
export function titleOf(text) {
  const words = text.replace(/[`*#]+/g, "").replace(/\s+/g, " ").trim() || "Untitled";
  if (words.length <= 48) return words;
  const cut = words.slice(0, 48);
  return `${cut.slice(0, cut.lastIndexOf(" ") > 20 ? cut.lastIndexOf(" ") : 48)}…`;
}
