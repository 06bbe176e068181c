// The models of Vercel's AI SDK, of four kinds, as the third argument says; and one run of generateText or streamText.

import assert from 'node:assert/strict';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import { model as name, url } from './checks.mjs';
import { FUNCTIONS, SCHEMAS } from './tools.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;

const settings = { baseURL: `${url}/v1`, apiKey: 'none' };
const APIS = {
  chat: () =>
    createOpenAICompatible({ name: 'emulator', includeUsage: true, supportsStructuredOutputs: true, ...settings })(name),
  openai: () => openai.chat(name),
  responses: () => openai.responses(name),
  messages: () => anthropic(name),
};
export const openai = createOpenAI(settings);
export const anthropic = createAnthropic(settings);
export const api = process.argv[3];
export const model = APIS[api]();
export const providerOptions = { anthropic: { structuredOutputMode: 'outputFormat' } };
export const thinking = {
  openai: { forceReasoning: true, reasoningSummary: 'auto' },
  anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } },
};

/** Tools of the given names; `run` false leaves their calls to the caller. */
export function toolset(names, run = true) {
  const entries = names.map((each) => {
    const { description, parameters } = SCHEMAS[each];
    const execute = run ? (given) => FUNCTIONS[each](given) : undefined;
    return [each, tool({ description, inputSchema: jsonSchema(parameters), execute })];
  });
  return Object.fromEntries(entries);
}

/** One run, whole or streamed, with the same fields; of a stream, what its parts say must be what it resolves to. */
export async function generate(streamed, params) {
  const given = { model, maxRetries: 0, providerOptions, ...params };
  if (!streamed) return generateText(given);
  const result = streamText({ ...given, onError() {} });
  const parts = [];
  for await (const part of result.stream) {
    if (part.type === 'error') throw part.error;
    parts.push(part);
  }
  const fields = ['text', 'toolCalls', 'reasoningText', 'finishReason', 'usage', 'totalUsage', 'steps', 'responseMessages'];
  const values = await Promise.all(fields.map((field) => result[field]));
  const said = Object.fromEntries(fields.map((field, index) => [field, values[index]]));
  const last = parts.slice(parts.findLastIndex((part) => part.type === 'start-step'));
  const joined = last.filter((part) => part.type === 'text-delta').map((part) => part.text);
  assert.equal(joined.join(''), said.text);
  return { ...said, parts, output: params.output ? await result.output : undefined };
}

export const called = (calls) => calls.map((call) => [call.toolName, call.input]);
export const ran = (result) => result.steps.flatMap((step) => called(step.toolCalls));
