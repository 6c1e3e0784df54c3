// The official TypeScript SDK against a deployment: `node conformance.mjs URL KEY [fake]`.
// Prints one JSON line of what it got; an assertion that fails ends it with its message.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";

const [url, key, fake] = process.argv.slice(2);
const client = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
const asking = {
  model: "fast",
  max_tokens: 60,
  messages: [{ role: "user", content: "Why is the sky blue?" }],
};
const got = {};

const whole = await client.messages.create(asking);
assert.equal(whole.stop_reason, "end_turn");
assert.ok(whole._request_id);
got.create = whole.model;

const stream = client.messages.stream(asking);
const deltas = [];
stream.on("text", (text) => deltas.push(text));
const final = await stream.finalMessage();
assert.equal(final.content[0].text, deltas.join(""));
assert.ok(deltas.length > 1);
got.stream = final.stop_reason;

const events = [];
for await (const event of await client.messages.create({ ...asking, stream: true })) {
  events.push(event.type);
}
assert.equal(events[0], "message_start");
assert.equal(events.at(-1), "message_stop");

got.counted = (await client.messages.countTokens({ model: "fast", messages: asking.messages })).input_tokens;
assert.ok(got.counted > 0);

got.models = [];
for await (const model of client.models.list()) got.models.push(model.id);

await assert.rejects(client.messages.create({ ...asking, model: "claude-9" }), (err) => {
  assert.ok(err instanceof Anthropic.NotFoundError);
  assert.equal(err.status, 404);
  assert.ok(err.requestID);
  return true;
});
const stranger = new Anthropic({ baseURL: url, apiKey: "ck_" + "x".repeat(43), maxRetries: 0 }); // pragma: allowlist secret
await assert.rejects(stranger.messages.create(asking), Anthropic.AuthenticationError);

if (fake) {
  const told = (script) => ({ ...asking, messages: [{ role: "user", content: `[[fake: ${script}]]` }] });
  await assert.rejects(client.messages.stream(told("stream_error")).finalMessage(), /overloaded_error/);
  await assert.rejects(client.messages.stream(told("cut")).finalMessage(), /cut off/);
  await assert.rejects(client.messages.create(told("spend_cap")), Anthropic.RateLimitError);
}
console.log(JSON.stringify(got));
