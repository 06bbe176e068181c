// The openai package's helpers over Chat Completions: runTools, the stream helper, parse with zod.

import assert from 'node:assert/strict';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { ask, model, ODD, python, Suite } from './checks.mjs';
import { answer, called, client, offered, user } from './openai_answers.mjs';
import { FUNCTIONS, SCHEMAS } from './tools.mjs';

const suite = new Suite();

/** The whole loop by runTools; gives its runner when it is done, and what was run. */
async function loop(streamed, content, names, extra = {}) {
  const ran = [];
  const tools = names.map((name) => ({
    type: 'function',
    function: {
      name,
      ...SCHEMAS[name],
      parse: JSON.parse,
      function: (given) => {
        ran.push([name, given]);
        return FUNCTIONS[name](given);
      },
    },
  }));
  const runner = client.chat.completions.runTools({
    model,
    stream: streamed,
    ...(streamed && { stream_options: { include_usage: true } }),
    messages: [{ role: 'user', content }],
    tools,
    ...extra,
  });
  const said = await runner.finalContent();
  return { said, ran, runner };
}

suite.both('odd texts', async (streamed) => {
  const { said, ran } = await loop(streamed, ask('Write it down', `@1 note(text=${python(ODD)})`), ['note']);
  assert.deepEqual(ran, [['note', { text: ODD }]]);
  assert.ok(said.includes(`noted: ${ODD}`), said);
});

suite.both('runTools over three rounds', async (streamed) => {
  const { said, ran, runner } = await loop(
    streamed,
    ask(
      'Plan',
      '@1 get_weather(city="Oslo")',
      '@1 get_weather(city="Rome")',
      '@2 get_time(city="Rome")',
      '@3 note(text="go")',
      '@say Off to Rome.',
    ),
    ['get_weather', 'get_time', 'note'],
  );
  assert.equal(said, 'Off to Rome.');
  assert.deepEqual(ran.map(([name]) => name), ['get_weather', 'get_weather', 'get_time', 'note']);
  assert.equal(runner.allChatCompletions().length, 4);
  assert.ok((await runner.totalUsage()).total_tokens > 0);
});

suite.both('runTools with zod functions', async (streamed) => {
  const ran = [];
  const tool = zodFunction({
    name: 'add',
    description: 'Add numbers.',
    parameters: z.object({ numbers: z.array(z.number()), label: z.string().nullable() }),
    function: ({ numbers }) => {
      ran.push(numbers);
      return String(numbers.reduce((a, b) => a + b, 0));
    },
  });
  const runner = client.chat.completions.runTools({
    model,
    stream: streamed,
    messages: user('Sum', '@1 add(numbers=[1, 2.5], label=None)'),
    tools: [tool],
  });
  assert.ok((await runner.finalContent()).includes('3.5'));
  assert.deepEqual(ran, [[1, 2.5]]);
});

suite.both('a program over rounds', async (streamed) => {
  const { said, ran } = await loop(
    streamed,
    ask(
      'Where does it snow?',
      '@1 for city in ["Rome", "Oslo"]:',
      '@1     if get_weather(city=city) == "snow":',
      '@1         print(city, get_time(city=city))',
    ),
    ['get_weather', 'get_time'],
  );
  assert.deepEqual(ran.map(([name, given]) => [name, given.city]), [
    ['get_weather', 'Rome'],
    ['get_weather', 'Oslo'],
    ['get_time', 'Oslo'],
  ]);
  assert.ok(said.includes('Oslo 14:30'), said);
});

suite.both('a conversation', async (streamed) => {
  const { runner } = await loop(streamed, ask('Weather?', '@1 get_weather(city="Oslo")', '@say Snow.'), ['get_weather']);
  const messages = [...runner.messages, ...user('And Rome?', '@1 get_weather(city="Rome")')];
  const { message } = await answer(streamed, { messages, tools: offered('get_weather') });
  assert.deepEqual(called(message), [['get_weather', { city: 'Rome' }]]);
});

suite.both('an answer of a zod schema', async (streamed) => {
  const Place = z.object({ city: z.string(), tags: z.array(z.string()), at: z.object({ lat: z.number() }) });
  const place = { city: 'Oslo', tags: ['cold', '雪'], at: { lat: 59.9 } };
  const params = {
    model,
    messages: user('Where?', `@json ${JSON.stringify(place)}`),
    response_format: zodResponseFormat(Place, 'place'),
  };
  const completion = streamed
    ? await client.chat.completions.stream(params).finalChatCompletion()
    : await client.chat.completions.parse(params);
  assert.deepEqual(completion.choices[0].message.parsed, place);
});

suite.both('a zod schema beside tools', async (streamed) => {
  const Report = z.object({ weather: z.string() });
  const { said } = await loop(
    streamed,
    ask('Report', '@1 get_weather(city="Oslo")', '@json {"weather": "snow"}'),
    ['get_weather'],
    { response_format: zodResponseFormat(Report, 'report') },
  );
  assert.deepEqual(JSON.parse(said), { weather: 'snow' });
});

suite.both('parsed arguments of a strict function', async (streamed) => {
  const tool = zodFunction({ name: 'book', parameters: z.object({ title: z.string(), copies: z.number().int() }) });
  const params = { model, messages: user('Books', '@1 book(title="Émma", copies=2)'), tools: [tool] };
  const completion = streamed
    ? await client.chat.completions.stream(params).finalChatCompletion()
    : await client.chat.completions.parse(params);
  const [call] = completion.choices[0].message.tool_calls;
  assert.deepEqual(call.function.parsed_arguments, { title: 'Émma', copies: 2 });
});

suite.check("the stream helper's events", 'streamed', async () => {
  const seen = { arguments: {}, done: [], content: '' };
  const stream = client.chat.completions
    .stream({
      model,
      messages: user('Both', '@words Looking.', '@1 get_weather(city="Oslo")', '@1 get_time(city="Rome")'),
      tools: offered('get_weather', 'get_time'),
      stream_options: { include_usage: true },
    })
    .on('content.delta', ({ delta }) => (seen.content += delta))
    .on('tool_calls.function.arguments.delta', ({ index, arguments_delta: piece }) => {
      seen.arguments[index] = (seen.arguments[index] ?? '') + piece;
    })
    .on('tool_calls.function.arguments.done', ({ index, name }) => seen.done.push([index, name]));
  const completion = await stream.finalChatCompletion();
  assert.equal(seen.content.trim(), 'Looking.');
  assert.deepEqual(seen.done, [[0, 'get_weather'], [1, 'get_time']]);
  assert.deepEqual(Object.values(seen.arguments).map((text) => JSON.parse(text)), [{ city: 'Oslo' }, { city: 'Rome' }]);
  assert.equal(completion.choices[0].finish_reason, 'tool_calls');
  assert.ok(completion.usage.total_tokens > 0);
});

suite.check('a stream that is handed on', 'streamed', async () => {
  const params = { model, messages: user('Weather?', '@1 get_weather(city="Oslo")'), tools: offered('get_weather') };
  const there = await client.chat.completions.create({ ...params, stream: true });
  const here = ChatCompletionStream.fromReadableStream(there.toReadableStream());
  assert.deepEqual(called(await here.finalMessage()), [['get_weather', { city: 'Oslo' }]]);
});

await suite.run();
