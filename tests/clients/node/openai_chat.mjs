// The openai package's Chat Completions without its helpers: create, whole and as a stream of chunks.

import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { model, Suite } from './checks.mjs';
import { answer, called, client, offered, user } from './openai_answers.mjs';
import { BOOKING, BOOKING_CODE, SCHEMAS } from './tools.mjs';

const suite = new Suite();

suite.both('words without tools', async (streamed) => {
  const { message, finish_reason } = await answer(streamed, { messages: user('Hi there', '@say Hello, you.') });
  assert.equal(message.content, 'Hello, you.');
  assert.equal(finish_reason, 'stop');
});

suite.both('words beside tools', async (streamed) => {
  const { message, finish_reason } = await answer(streamed, {
    messages: user('Hi there', '@say Hello, you.'),
    tools: offered('get_weather'),
  });
  assert.equal(message.content, 'Hello, you.');
  assert.equal(message.tool_calls, undefined);
  assert.equal(finish_reason, 'stop');
});

suite.both('one call', async (streamed) => {
  const { message, finish_reason } = await answer(streamed, {
    messages: user('Weather?', '@1 get_weather(city="Oslo", unit="celsius")'),
    tools: offered('get_weather', 'get_time'),
  });
  assert.deepEqual(called(message), [['get_weather', { city: 'Oslo', unit: 'celsius' }]]);
  assert.equal(message.content, null);
  assert.equal(message.tool_calls[0].type, 'function');
  assert.equal(finish_reason, 'tool_calls');
});

suite.both('a call without arguments', async (streamed) => {
  const { message } = await answer(streamed, { messages: user('When?', '@1 now()'), tools: offered('now') });
  assert.deepEqual(called(message), [['now', {}]]);
});

suite.both('words in front of a call', async (streamed) => {
  const { message } = await answer(streamed, {
    messages: user('Weather?', '@words Let me look.', '@1 get_weather(city="Oslo")'),
    tools: offered('get_weather'),
  });
  assert.equal(message.content.trim(), 'Let me look.');
  assert.deepEqual(called(message), [['get_weather', { city: 'Oslo' }]]);
});

suite.both('thoughts', async (streamed) => {
  const params = { model, messages: user('Hi', '@think Who is it?', '@say Hello.'), tools: offered('now') };
  if (!streamed) {
    const { message } = (await client.chat.completions.create(params)).choices[0];
    assert.deepEqual([message.reasoning_content, message.content], ['Who is it?', 'Hello.']);
    return;
  }
  let thoughts = '';
  for await (const chunk of await client.chat.completions.create({ ...params, stream: true })) {
    thoughts += chunk.choices[0].delta.reasoning_content ?? '';
  }
  assert.equal(thoughts, 'Who is it?');
});

suite.both('parallel calls', async (streamed) => {
  const { message } = await answer(streamed, {
    messages: user('Both?', '@1 get_weather(city="Oslo")', '@1 get_time(city="Rome")', '@1 get_weather(city="Rome")'),
    tools: offered('get_weather', 'get_time'),
  });
  assert.deepEqual(called(message), [
    ['get_weather', { city: 'Oslo' }],
    ['get_time', { city: 'Rome' }],
    ['get_weather', { city: 'Rome' }],
  ]);
  assert.equal(new Set(message.tool_calls.map((call) => call.id)).size, 3);
});

suite.both('nested arguments', async (streamed) => {
  const { message } = await answer(streamed, {
    messages: user('A table', `@1 ${BOOKING_CODE}`),
    tools: offered('book-table'),
  });
  assert.deepEqual(called(message), [['book-table', BOOKING]]);
});

suite.both('a named function', async (streamed) => {
  const { message } = await answer(streamed, {
    messages: user('Hello'),
    tools: offered('get_weather', 'now'),
    tool_choice: { type: 'function', function: { name: 'now' } },
  });
  assert.deepEqual(called(message), [['now', {}]]);
});

suite.both('calls required, forbidden, one at a time', async (streamed) => {
  const tools = offered('get_weather', 'now');
  const required = await answer(streamed, { messages: user('Hi'), tools, tool_choice: 'required' });
  assert.equal(required.message.tool_calls.length, 1);
  const none = await answer(streamed, { messages: user('now', '@say No.'), tools, tool_choice: 'none' });
  assert.equal(none.message.tool_calls, undefined);
  const single = await answer(streamed, {
    messages: user('Both', '@1 get_weather(city="Oslo")', '@1 now()'),
    tools,
    parallel_tool_calls: false,
  });
  assert.deepEqual(called(single.message), [['get_weather', { city: 'Oslo' }]]);
});

suite.both('a tool that fails', async (streamed) => {
  const messages = user('Weather?', '@1 get_weather(city="Atlantis")', '@2 get_weather(city="Rome")');
  const tools = offered('get_weather');
  const { message } = await answer(streamed, { messages, tools });
  const [call] = message.tool_calls;
  messages.push(message, { role: 'tool', tool_call_id: call.id, content: 'Error: no weather station in Atlantis' });
  const again = await answer(streamed, { messages, tools });
  assert.deepEqual(called(again.message), [['get_weather', { city: 'Rome' }]]);
  messages.push(again.message, { role: 'tool', tool_call_id: again.message.tool_calls[0].id, content: 'sun' });
  const last = await answer(streamed, { messages, tools });
  assert.match(last.message.content, /no weather station.*sun/s);
});

suite.check('several choices', 'plain', async () => {
  const params = { model, messages: user('Weather?', '@1 get_weather(city="Oslo")'), tools: offered('get_weather'), n: 2 };
  const { choices } = await client.chat.completions.create(params);
  assert.deepEqual(choices.map((choice) => called(choice.message)), Array(2).fill([['get_weather', { city: 'Oslo' }]]));
  assert.equal(new Set(choices.map((choice) => choice.message.tool_calls[0].id)).size, 2);
});

suite.both('tokens', async (streamed) => {
  const { usage } = await answer(streamed, { messages: user('Hi', '@1 now()'), tools: offered('now') });
  assert.ok(usage.prompt_tokens > 0 && usage.completion_tokens > 0);
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
});

suite.both('the response behind an answer', async (streamed) => {
  const params = { model, stream: streamed, messages: user('Hi', '@say Hello.'), tools: offered('now') };
  const { data, response, request_id } = await client.chat.completions.create(params).withResponse();
  assert.ok(request_id);
  assert.ok(response.headers.get('x-emulator-strategy'));
  if (streamed) for await (const chunk of data) assert.equal(chunk.object, 'chat.completion.chunk');
});

suite.both('a custom tool', async (streamed) => {
  const tools = [{ type: 'custom', custom: { name: 'run_sql', description: 'Run SQL.' } }];
  const messages = user('Count', '@1 run_sql("SELECT \'é\' FROM t\\nLIMIT 1;")', '@say Two rows.');
  const { message, finish_reason } = await answer(streamed, { messages, tools });
  const [call] = message.tool_calls;
  assert.deepEqual([call.type, call.custom.name], ['custom', 'run_sql']);
  assert.equal(call.custom.input, "SELECT 'é' FROM t\nLIMIT 1;");
  assert.equal(finish_reason, 'tool_calls');
  messages.push(message, { role: 'tool', tool_call_id: call.id, content: '2' });
  assert.equal((await answer(streamed, { messages, tools })).message.content, 'Two rows.');
});

suite.both('legacy functions', async (streamed) => {
  const functions = [{ name: 'get_weather', ...SCHEMAS.get_weather }];
  const messages = user('Weather?', '@1 get_weather(city="Oslo")', '@say Snow.');
  const { message, finish_reason } = await answer(streamed, { messages, functions });
  assert.deepEqual(JSON.parse(message.function_call.arguments), { city: 'Oslo' });
  assert.equal(finish_reason, 'function_call');
  messages.push(
    { role: 'assistant', content: null, function_call: message.function_call },
    { role: 'function', name: 'get_weather', content: 'snow' },
  );
  assert.equal((await answer(streamed, { messages, functions })).message.content, 'Snow.');
});

suite.both('an answer that a limit ends', async (streamed) => {
  const { finish_reason } = await answer(streamed, {
    messages: user('Tell', `@say ${'long '.repeat(50)}`),
    tools: offered('now'),
    max_tokens: 5,
  });
  assert.equal(finish_reason, 'length');
});

suite.both('many requests at a time', async (streamed) => {
  const numbers = Array.from({ length: 24 }, (_, index) => String(index));
  const ask = (number) => answer(streamed, { messages: user('Note', `@1 note(text="${number}")`), tools: offered('note') });
  const answers = await Promise.all(numbers.map(ask));
  assert.deepEqual(answers.map(({ message }) => called(message)[0][1].text), numbers);
});

suite.both('a request that is wrong', async (streamed) => {
  const tools = [{ type: 'function', function: { name: 'not a name', parameters: { type: 'object' } } }];
  await assert.rejects(answer(streamed, { messages: user('Hi'), tools }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.deepEqual([error.param, error.code], ['tools[0].function.name', 'invalid_value']);
    return true;
  });
});

suite.both("the model server's refusal", async (streamed) => {
  const params = { messages: user('Hi', '@status 429'), tools: offered('now') };
  await assert.rejects(answer(streamed, params), OpenAI.RateLimitError);
});

suite.check('a stream that the client leaves', 'streamed', async () => {
  const params = { model, messages: user('Hi', '@hold', `@say ${'word '.repeat(20)}`), tools: offered('now') };
  const stream = await client.chat.completions.create({ ...params, stream: true });
  for await (const chunk of stream) {
    if (chunk.choices[0].delta.content) stream.controller.abort();
  }
  const { message } = await answer(true, { messages: user('Hi', '@say Still here.'), tools: offered('now') });
  assert.equal(message.content, 'Still here.');
});

suite.check('the models', 'plain', async () => {
  const listed = [];
  for await (const item of client.models.list()) listed.push(item.id);
  assert.ok(listed.includes(model));
  assert.equal((await client.models.retrieve(model)).id, model);
});

await suite.run();
