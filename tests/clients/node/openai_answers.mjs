// Chat Completions by the openai package, and what both suites of it make of an answer.

import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { ask, model, url } from './checks.mjs';
import { chatTool } from './tools.mjs';

export const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });

export const user = (...lines) => [{ role: 'user', content: ask(...lines) }];
export const offered = (...names) => names.map(chatTool);
export const called = (message) => message.tool_calls.map(({ function: f }) => [f.name, JSON.parse(f.arguments)]);

/** One answer: whole, or a stream folded by hand, as clients without helpers do. */
export async function answer(streamed, params) {
  if (!streamed) {
    const completion = await client.chat.completions.create({ model, ...params });
    const [choice] = completion.choices;
    return { ...choice, usage: completion.usage };
  }
  const stream = await client.chat.completions.create({
    model,
    stream: true,
    stream_options: { include_usage: true },
    ...params,
  });
  const message = { role: undefined, content: null, tool_calls: undefined };
  let finish_reason = null;
  let usage;
  for await (const chunk of stream) {
    if (chunk.usage) {
      assert.deepEqual(chunk.choices, []);
      usage = chunk.usage;
      continue;
    }
    const { delta } = chunk.choices[0];
    message.role ??= delta.role;
    if (delta.content) message.content = (message.content ?? '') + delta.content;
    for (const piece of delta.tool_calls ?? []) fold((message.tool_calls ??= []), piece);
    if (delta.function_call) {
      message.function_call ??= { name: delta.function_call.name, arguments: '' };
      message.function_call.arguments += delta.function_call.arguments ?? '';
    }
    finish_reason = chunk.choices[0].finish_reason ?? finish_reason;
  }
  assert.equal(message.role, 'assistant');
  return { message, finish_reason, usage };
}

function fold(calls, piece) {
  if (calls[piece.index] === undefined) {
    assert.equal(piece.index, calls.length);
    assert.ok(piece.id);
    calls.push({ id: piece.id, type: piece.type, [piece.type]: { ...piece[piece.type] } });
    return;
  }
  const call = calls[piece.index];
  if (piece.function) call.function.arguments += piece.function.arguments;
  if (piece.custom) call.custom.input = (call.custom.input ?? '') + piece.custom.input;
}
