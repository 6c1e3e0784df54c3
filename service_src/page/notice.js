// What is said below an answer that did not simply end, and what may help.

const PART = "What stands above is only a part.";

const ERRORS = {
  overloaded_error: "Claude is overloaded",
  rate_limit_error: "A limit is reached",
  authentication_error: "The key was not accepted",
  permission_error: "Not allowed",
  not_found_error: "Not found",
  invalid_request_error: "The request was refused",
  request_too_large: "The message is too long",
  timeout_error: "Claude took too long",
  connection_error: "The answer was lost",
  api_error: "Something went wrong",
};

/** {tone, title, words, retry, edit, more} or null. `tone` is calm, warn or bad. */
export function noticeOf({ answer, text }) {
  const part = answer.text ? ` ${PART}` : "";
  if (answer.state === "failed") {
    const { type, message } = answer.error ?? {};
    const advice = answer.retryable
      ? "Trying again may help."
      : "Trying the same again will not help.";
    return {
      tone: "bad", title: titleOf(type, answer),
      words: `${sentence(message)} ${advice}${part}`,
      retry: answer.retryable, edit: !answer.retryable && !!text,
    };
  }
  if (answer.state !== "done") return null;
  if (answer.reason === "cancelled") {
    return { tone: "calm", title: "Stopped", words: part.trim() || "Nothing was answered yet.",
      retry: true };
  }
  if (answer.incomplete) {
    return { tone: "warn", title: "Incomplete", retry: true,
      words: `The server was replaced before the answer was finished.${part}` };
  }
  if (answer.reason === "max_tokens") {
    return { tone: "warn", title: "Cut off", more: true,
      words: "The answer reached the longest length that was asked for." };
  }
  if (answer.reason === "refusal") {
    return { tone: "warn", title: "Declined", edit: true,
      words: "Claude declined to go on. Trying the same again rarely helps; "
        + "asking differently may." };
  }
  if (answer.reason === "model_context_window_exceeded") {
    return { tone: "warn", title: "Cut off", words: "The conversation is longer than the model "
      + "can read. Begin a new one to go on." };
  }
  return null;
}

function titleOf(type, { retryable, text }) {
  if (type === "not_found_error" && retryable) return ERRORS.connection_error;
  if (type === "api_error" && text) return "Broken off";
  return ERRORS[type] ?? ERRORS.api_error;
}

/** Words with a capital at their beginning and a stop at their end. */
export function sentence(message) {
  const words = String(message ?? "").trim();
  if (!words) return "";
  const plain = /^[a-z]+[ ,.]/.test(words) && !/^\S+[._]\S/.test(words); // not a field's name
  const capital = plain ? words[0].toUpperCase() + words.slice(1) : words;
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
