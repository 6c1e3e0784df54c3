// A turn: a message and its answer, and what each frame of the service makes of it.

import { newId } from "./dom.js";
import { tokens } from "./format.js";

/** `state` is open until the answer has ended, well (done) or not (failed). */
export const newTurn = (text, model, replaces = null) => ({
  id: newId(), text, model, replaces, sent: false, stopping: false, at: Date.now(),
  answer: { text: "", seq: 0, state: "open" },
});

/** Take in a frame of the turn's answer; true if something changed. */
export function apply(conversation, turn, frame) {
  const { answer } = turn;
  if (answer.state !== "open") return false;
  if (frame.type === "delta") {
    if (frame.whole) answer.text = frame.text; // all that another task has kept, instead
    else if (frame.seq <= answer.seq) return false; // told again after a resume
    else answer.text += frame.text;
    answer.seq = frame.seq;
    return true;
  }
  if (frame.type === "done") {
    // An answer that was ended early has neither usage nor cost: nobody knows them yet.
    const { usage, cost_usd: cost = 0, stop_reason: reason, model, incomplete = false } = frame;
    Object.assign(answer, { state: "done", usage, cost, reason, model, incomplete });
    spend(conversation, usage, cost);
    return true;
  }
  if (frame.type === "error") {
    Object.assign(answer, { state: "failed", error: frame.error, retryable: !!frame.retryable });
    return true;
  }
  return false;
}

/** What is spent stays spent, whichever answers are replaced later. */
function spend(conversation, usage, cost) {
  const { input, output } = tokens(usage);
  const spent = (conversation.spent ??= { input: 0, output: 0, cost: 0 });
  spent.input += input;
  spent.output += output;
  spent.cost += cost;
}

export function fail(turn, type, message, retryable) {
  Object.assign(turn.answer, { state: "failed", error: { type, message }, retryable });
}

/** An answer that was not asked for yet, and will not be. */
export function withdraw(turn) {
  Object.assign(turn.answer, { state: "done", reason: "cancelled", incomplete: true });
}

/** The id that makes the service forget these turns, which follow each other: it keeps none that
 *  nothing was answered to, and does not know one that never left this browser. */
export const knownAs = (turns) => turns.find((turn) => turn.answer.text)?.id ?? turns[0].replaces;

export const isOpen = (turn) => turn.answer.state === "open";
export const openTurn = (conversation) => conversation.turns.find(isOpen);
