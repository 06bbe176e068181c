// The openai package's Responses: create, the stream helper, its tool runner, parse with zod, what is stored.

import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { ResponsesToolRunner, runnerFunction } from 'openai/helpers/responses-tool-runner';
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { ask, model, ODD, python, Suite, url } from './checks.mjs';
import { BOOKING, BOOKING_CODE, FUNCTIONS, responsesTool } from './tools.mjs';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
const suite = new Suite();

const offered = (...names) => names.map(responsesTool);
const callsOf = (response) => response.output.filter((item) => item.type === 'function_call');
const called = (response) => callsOf(response).map((call) => [call.name, JSON.parse(call.arguments)]);
const outputs = (response) =>
  callsOf(response).map((call) => ({
    type: 'function_call_output',
    call_id: call.call_id,
    output: String(FUNCTIONS[call.name](JSON.parse(call.arguments))),
  }));

/** One answer: whole, or what the stream helper makes of its events, which must say the same. */
async function answer(streamed, params) {
  if (!streamed) return client.responses.create({ model, ...params });
  const stream = client.responses.stream({ model, ...params });
  const events = [];
  for await (const event of stream) events.push(event);
  const types = events.map((event) => event.type);
  assert.deepEqual(types.slice(0, 2), ['response.created', 'response.in_progress']);
  assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
  const response = await stream.finalResponse();
  assert.equal(texts(events, 'response.output_text.delta'), response.output_text);
  const pieces = texts(events, 'response.function_call_arguments.delta');
  assert.equal(pieces, callsOf(response).map((call) => call.arguments).join(''));
  return response;
}

function texts(events, type) {
  return events.filter((event) => event.type === type).map((event) => event.delta).join('');
}

/** The whole loop, sending all items every time; gives the last answer and what was run. */
async function loop(streamed, request, names, extra = {}) {
  const input = [{ role: 'user', content: request }];
  const ran = [];
  for (let round = 0; round < 6; round++) {
    const response = await answer(streamed, { input, tools: offered(...names), ...extra });
    if (!callsOf(response).length) return { response, ran, input };
    ran.push(...called(response));
    input.push(...response.output, ...outputs(response));
  }
  throw new Error('the calls do not end');
}

suite.both('words', async (streamed) => {
  const response = await answer(streamed, {
    instructions: 'Be brief.',
    input: ask('Hi there', '@say Hello, you.'),
    tools: offered('now'),
  });
  assert.equal(response.output_text, 'Hello, you.');
  assert.equal(response.status, 'completed');
});

suite.both('words without tools', async (streamed) => {
  const response = await answer(streamed, { input: ask('Hi', '@say Hello.') });
  assert.equal(response.output_text, 'Hello.');
});

suite.both('one call', async (streamed) => {
  const response = await answer(streamed, {
    input: ask('Weather?', '@1 get_weather(city="Oslo", unit="celsius")'),
    tools: offered('get_weather', 'get_time'),
  });
  assert.deepEqual(called(response), [['get_weather', { city: 'Oslo', unit: 'celsius' }]]);
  const [call] = callsOf(response);
  assert.equal(call.status, 'completed');
  assert.notEqual(call.id, call.call_id);
});

suite.both('words, then calls, in their order', async (streamed) => {
  const response = await answer(streamed, {
    input: ask('Weather?', '@words Let me look.', '@1 get_weather(city="Oslo")', '@1 get_time(city="Rome")'),
    tools: offered('get_weather', 'get_time'),
  });
  assert.deepEqual(response.output.map((item) => item.type), ['message', 'function_call', 'function_call']);
  assert.equal(response.output_text.trim(), 'Let me look.');
});

suite.both('thoughts', async (streamed) => {
  const response = await answer(streamed, { input: ask('Hi', '@think Who is it?', '@say Hello.'), tools: offered('now') });
  const [thought, message] = response.output;
  assert.deepEqual([thought.type, message.type], ['reasoning', 'message']);
  assert.equal(thought.content[0].text, 'Who is it?');
});

suite.both('tokens', async (streamed) => {
  const { usage } = await answer(streamed, { input: ask('Hi', '@1 now()'), tools: offered('now') });
  assert.ok(usage.input_tokens > 0 && usage.output_tokens > 0);
  assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens);
  assert.equal(usage.input_tokens_details.cached_tokens, 0);
});

suite.both('nested arguments', async (streamed) => {
  const response = await answer(streamed, {
    input: ask('A table', `@1 ${BOOKING_CODE}`),
    tools: offered('book-table'),
  });
  assert.deepEqual(called(response), [['book-table', BOOKING]]);
});

suite.both('odd texts', async (streamed) => {
  const { response, ran } = await loop(streamed, ask('Write', `@1 note(text=${python(ODD)})`), ['note']);
  assert.deepEqual(ran, [['note', { text: ODD }]]);
  assert.ok(response.output_text.includes(`noted: ${ODD}`), response.output_text);
});

suite.both('a loop that sends all items', async (streamed) => {
  const { response, ran } = await loop(
    streamed,
    ask(
      'Plan',
      '@think Cities first.',
      '@1 get_weather(city="Oslo")',
      '@1 get_weather(city="Rome")',
      '@2 get_time(city="Rome")',
      '@say Off to Rome.',
    ),
    ['get_weather', 'get_time'],
  );
  assert.equal(response.output_text, 'Off to Rome.');
  assert.deepEqual(ran.map(([name]) => name), ['get_weather', 'get_weather', 'get_time']);
});

suite.both('a loop by previous_response_id', async (streamed) => {
  const tools = offered('get_weather', 'get_time');
  let response = await answer(streamed, {
    input: ask('Plan', '@1 get_weather(city="Oslo")', '@2 get_time(city="Rome")', '@say Done.'),
    tools,
  });
  for (let round = 0; round < 2; round++) {
    assert.equal(callsOf(response).length, 1);
    response = await answer(streamed, { previous_response_id: response.id, input: outputs(response), tools });
  }
  assert.equal(response.output_text, 'Done.');
});

suite.both('a program over rounds', async (streamed) => {
  const { response, ran } = await loop(
    streamed,
    ask(
      'Where does it snow?',
      '@1 for city in ["Rome", "Oslo"]:',
      '@1     if get_weather(city=city) == "snow":',
      '@1         print(city, get_time(city=city))',
    ),
    ['get_weather', 'get_time'],
  );
  assert.deepEqual(ran.map(([name]) => name), ['get_weather', 'get_weather', 'get_time']);
  assert.ok(response.output_text.includes('Oslo 14:30'), response.output_text);
});

suite.both('a named function, required calls, none, one at a time', async (streamed) => {
  const tools = offered('get_weather', 'now');
  const named = await answer(streamed, { input: 'Hi', tools, tool_choice: { type: 'function', name: 'now' } });
  assert.deepEqual(called(named), [['now', {}]]);
  const required = await answer(streamed, { input: 'Hi', tools, tool_choice: 'required' });
  assert.equal(callsOf(required).length, 1);
  const none = await answer(streamed, { input: ask('now', '@say No.'), tools, tool_choice: 'none' });
  assert.equal(none.output_text, 'No.');
  const single = await answer(streamed, {
    input: ask('Both', '@1 get_weather(city="Oslo")', '@1 now()'),
    tools,
    parallel_tool_calls: false,
  });
  assert.deepEqual(called(single), [['get_weather', { city: 'Oslo' }]]);
});

suite.both('the tool runner', async (streamed) => {
  const ran = [];
  const add = zodResponsesFunction({
    name: 'add',
    description: 'Add numbers.',
    parameters: z.object({ numbers: z.array(z.number()) }),
    function: ({ numbers }) => {
      ran.push(numbers);
      return String(numbers.reduce((a, b) => a + b, 0));
    },
  });
  const runner = new ResponsesToolRunner({ functions: [runnerFunction(add)] });
  const request = ask('Sums', '@1 add(numbers=[1, 2])', '@1 add(numbers=[3])', '@2 add(numbers=[3, 3])', '@say Six.');
  const response = await runner.run(client, { model, input: request }, { stream: streamed });
  assert.equal(response.output_text, 'Six.');
  assert.deepEqual(ran, [[1, 2], [3], [3, 3]]);
});

suite.both('an answer of a zod schema', async (streamed) => {
  const place = { city: 'Oslo', tags: ['cold', '雪'] };
  const params = {
    model,
    input: ask('Where?', `@json ${JSON.stringify(place)}`),
    text: { format: zodTextFormat(z.object({ city: z.string(), tags: z.array(z.string()) }), 'place') },
  };
  const response = streamed
    ? await client.responses.stream(params).finalResponse()
    : await client.responses.parse(params);
  assert.deepEqual(response.output_parsed, place);
});

suite.both('parsed arguments of a strict function', async (streamed) => {
  const tool = zodResponsesFunction({ name: 'book', parameters: z.object({ title: z.string() }) });
  const params = { model, input: ask('Books', '@1 book(title="Émma")'), tools: [tool] };
  const response = streamed
    ? await client.responses.stream(params).finalResponse()
    : await client.responses.parse(params);
  assert.deepEqual(callsOf(response)[0].parsed_arguments, { title: 'Émma' });
});

suite.both('a custom tool', async (streamed) => {
  const tools = [{ type: 'custom', name: 'run_sql', description: 'Run SQL.' }];
  const input = [{ role: 'user', content: ask('Count', '@1 run_sql("SELECT \'é\'\\nFROM t;")', '@say Two rows.') }];
  const response = await answer(streamed, { input, tools });
  const [call] = response.output;
  assert.deepEqual([call.type, call.name, call.input], ['custom_tool_call', 'run_sql', "SELECT 'é'\nFROM t;"]);
  input.push(call, { type: 'custom_tool_call_output', call_id: call.call_id, output: '2' });
  assert.equal((await answer(streamed, { input, tools })).output_text, 'Two rows.');
});

suite.both('a tool that fails', async (streamed) => {
  const tools = offered('get_weather');
  const input = [{ role: 'user', content: ask('Weather?', '@1 get_weather(city="Atlantis")') }];
  const response = await answer(streamed, { input, tools });
  const [call] = callsOf(response);
  input.push(call, { type: 'function_call_output', call_id: call.call_id, output: 'Error: no station there' });
  assert.match((await answer(streamed, { input, tools })).output_text, /no station there/);
});

suite.both('an answer that a limit ends', async (streamed) => {
  const response = await answer(streamed, {
    input: ask('Tell', `@say ${'long '.repeat(50)}`),
    tools: offered('now'),
    max_output_tokens: 16,
  });
  assert.equal(response.status, 'incomplete');
  assert.equal(response.incomplete_details.reason, 'max_output_tokens');
});

suite.check('what is stored', 'plain', async () => {
  const { id } = await client.responses.create({ model, input: ask('Hi', '@say Hello.'), metadata: { topic: 'test' } });
  const kept = await client.responses.retrieve(id);
  assert.deepEqual([kept.output_text, kept.metadata.topic], ['Hello.', 'test']);
  const items = [];
  for await (const item of client.responses.inputItems.list(id)) items.push(item);
  assert.deepEqual(items.map((item) => item.role), ['user']);
  await client.responses.delete(id);
  await assert.rejects(client.responses.retrieve(id), OpenAI.NotFoundError);
});

suite.check('in the background', 'plain', async () => {
  let response = await client.responses.create({
    model,
    background: true,
    input: ask('Weather?', '@1 get_weather(city="Oslo")'),
    tools: offered('get_weather'),
  });
  while (['queued', 'in_progress'].includes(response.status)) response = await client.responses.retrieve(response.id);
  assert.deepEqual(called(response), [['get_weather', { city: 'Oslo' }]]);
});

suite.check('what is cancelled', 'plain', async () => {
  const request = ask('Hi', '@hold', `@say ${'word '.repeat(20)}`);
  const { id } = await client.responses.create({ model, background: true, input: request, tools: offered('now') });
  assert.equal((await client.responses.cancel(id)).status, 'cancelled');
  assert.equal((await client.responses.retrieve(id)).status, 'cancelled');
});

suite.check('a stream of raw events', 'streamed', async () => {
  const input = ask('Both?', '@1 get_weather(city="Oslo")', '@1 now()');
  const stream = await client.responses.create({ model, stream: true, input, tools: offered('get_weather', 'now') });
  const types = [];
  for await (const event of stream) types.push(event.type.replace('response.', ''));
  const call = ['output_item.added', 'function_call_arguments.delta', 'function_call_arguments.done', 'output_item.done'];
  const said = types.filter((type, index) => type !== types[index - 1]);
  assert.deepEqual(said, ['created', 'in_progress', ...call, ...call, 'completed']);
});

suite.both('a tool of the platform', async (streamed) => {
  await assert.rejects(answer(streamed, { input: 'News?', tools: [{ type: 'web_search' }] }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.match(error.message, /web_search/);
    return true;
  });
});

suite.both('a result that nobody asked for', async (streamed) => {
  const input = [{ type: 'function_call_output', call_id: 'call_1', output: 'x' }];
  await assert.rejects(answer(streamed, { input, tools: offered('now') }), OpenAI.BadRequestError);
});

suite.both("the model server's refusal", async (streamed) => {
  const params = { input: ask('Hi', '@status 429'), tools: offered('now') };
  await assert.rejects(answer(streamed, params), OpenAI.RateLimitError);
});

await suite.run();
