// Vercel's AI SDK: structured output, and what goes wrong.

import assert from 'node:assert/strict';
import { APICallError, generateObject, isStepCount, Output, streamObject, streamText } from 'ai';
import { z } from 'zod';
import { api, generate, model, providerOptions, ran, toolset } from './ai_models.mjs';
import { ask, Suite } from './checks.mjs';

const suite = new Suite();

const Place = z.object({ city: z.string(), tags: z.array(z.string()), at: z.object({ lat: z.number() }) });
const PLACE = { city: 'Oslo', tags: ['cold', '雪'], at: { lat: 59.9 } };
const where = ask('Where?', `@json ${JSON.stringify(PLACE)}`);

suite.both('Output.object', async (streamed) => {
  const { output } = await generate(streamed, { prompt: where, output: Output.object({ schema: Place }) });
  assert.deepEqual(output, PLACE);
});

suite.both("Output.object in the provider's own way", async (streamed) => {
  const byTool = ask('Where?', '@1 json(city="Oslo", tags=["cold", "雪"], at={"lat": 59.9})');
  const { output } = await generate(streamed, {
    prompt: api === 'messages' ? byTool : where,
    output: Output.object({ schema: Place }),
    providerOptions: {},
  });
  assert.deepEqual(output, PLACE);
});

suite.both('Output.object beside tools', async (streamed) => {
  const result = await generate(streamed, {
    prompt: ask('Report', '@1 get_weather(city="Oslo")', '@json {"weather": "snow"}'),
    tools: toolset(['get_weather']),
    output: Output.object({ schema: z.object({ weather: z.string() }) }),
    stopWhen: isStepCount(4),
  });
  assert.deepEqual(ran(result), [['get_weather', { city: 'Oslo' }]]);
  assert.deepEqual(result.output, { weather: 'snow' });
});

suite.check('objects as they are written', 'streamed', async () => {
  const prompt = ask('Cities', '@json {"elements": [{"city": "Oslo"}, {"city": "東京"}]}');
  const { elementStream } = streamText({
    model,
    maxRetries: 0,
    providerOptions,
    prompt,
    output: Output.array({ element: z.object({ city: z.string() }) }),
  });
  const elements = [];
  for await (const element of elementStream) elements.push(element.city);
  assert.deepEqual(elements, ['Oslo', '東京']);
});

suite.both('generateObject and streamObject', async (streamed) => {
  const params = { model, maxRetries: 0, providerOptions, schema: Place, prompt: where };
  const result = streamed ? streamObject(params) : await generateObject(params);
  if (streamed) for await (const partial of result.partialObjectStream) assert.ok(partial);
  assert.deepEqual(await result.object, PLACE);
});

suite.both('one of some words, and JSON of any form', async (streamed) => {
  const choice = await generate(streamed, {
    prompt: ask('Sky?', '@json {"result": "rainy"}'),
    output: Output.choice({ options: ['sunny', 'rainy'] }),
  });
  assert.equal(choice.output, 'rainy');
  const prompt = ask('JSON', '@json {"a": [1, null]}', '@say {"a": [1, null]}'); // Over Messages it is only asked for.
  const any = await generate(streamed, { prompt, output: Output.json() });
  assert.deepEqual(any.output, { a: [1, null] });
});

suite.both('an answer that a limit ends', async (streamed) => {
  const { finishReason } = await generate(streamed, {
    prompt: ask('Tell', `@say ${'long '.repeat(50)}`),
    tools: toolset(['now']),
    maxOutputTokens: 16,
  });
  assert.equal(finishReason, 'length');
});

suite.both("the model server's refusal", async (streamed) => {
  await assert.rejects(generate(streamed, { prompt: ask('Hi', '@status 429'), tools: toolset(['now']) }), (error) => {
    assert.ok(APICallError.isInstance(error), String(error));
    assert.deepEqual([error.statusCode, error.isRetryable], [429, true]);
    return true;
  });
});

suite.both('a request that is wrong', async (streamed) => {
  const tools = { 'not a name': toolset(['now']).now };
  await assert.rejects(generate(streamed, { prompt: 'Hi', tools }), (error) => {
    assert.ok(APICallError.isInstance(error), String(error));
    assert.equal(error.statusCode, 400);
    assert.match(error.message, /name/);
    return true;
  });
});

suite.check('a stream that the client leaves', 'streamed', async () => {
  const leave = new AbortController();
  const result = streamText({
    model,
    maxRetries: 0,
    prompt: ask('Hi', '@hold', `@say ${'word '.repeat(20)}`),
    tools: toolset(['now']),
    abortSignal: leave.signal,
  });
  const types = [];
  for await (const part of result.stream) {
    types.push(part.type);
    if (part.type === 'text-delta') leave.abort();
  }
  assert.equal(types.at(-1), 'abort');
  assert.equal((await generate(true, { prompt: ask('Hi', '@say Still here.') })).text, 'Still here.');
});

await suite.run();
