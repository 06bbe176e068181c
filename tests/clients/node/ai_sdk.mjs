// Vercel's AI SDK: calls, and the steps that it makes of them by itself.

import assert from 'node:assert/strict';
import { APICallError, isStepCount, tool, ToolLoopAgent } from 'ai';
import { z } from 'zod';
import { anthropic, api, called, generate, model, openai, ran, thinking, toolset } from './ai_models.mjs';
import { ask, ODD, python, Suite } from './checks.mjs';
import { BOOKING, BOOKING_CODE, WEATHER } from './tools.mjs';

const suite = new Suite();

/** What zod makes JSON Schemas of: formats with patterns, tuples, records, unions by a literal, limits, defaults. */
const Report = z.object({
  from: z.email(),
  id: z.uuid(),
  site: z.url(),
  at: z.iso.datetime(),
  grade: z.int().min(1).max(9),
  place: z.tuple([z.string(), z.number()]),
  counts: z.record(z.string(), z.number()),
  shape: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('circle'), radius: z.number().positive() }),
    z.object({ kind: z.literal('box'), width: z.number(), height: z.number() }),
  ]),
  note: z.string().nullable(),
  either: z.union([z.string(), z.number()]),
  tags: z.array(z.string()).min(1).max(3),
  code: z.string().regex(/^[A-Z]{2}\d+$/),
  more: z.string().optional(),
});
const REPORT = {
  from: 'ana@example.org',
  id: '123e4567-e89b-42d3-a456-426614174000',
  site: 'https://example.org/x',
  at: '2026-11-21T10:00:00Z',
  grade: 3,
  place: ['left', 1.5],
  counts: { '鳥': 2 },
  shape: { kind: 'circle', radius: 2 },
  note: null,
  either: 7,
  tags: ['q'],
  code: 'AB12',
};
const REPORT_CODE =
  'from_="ana@example.org", id="123e4567-e89b-42d3-a456-426614174000", site="https://example.org/x",' +
  ' at="2026-11-21T10:00:00Z", grade=3, place=["left", 1.5], counts={"鳥": 2},' +
  ' shape={"kind": "circle", "radius": 2}, note=None, either=7, tags=["q"], code="AB12"';
const Tree = z.object({
  label: z.string(),
  get children() {
    return z.array(Tree);
  },
});

suite.both('words', async (streamed) => {
  const { text, finishReason } = await generate(streamed, {
    system: 'Be brief.',
    prompt: ask('Hi', '@say Hello, you.'),
    tools: toolset(['now']),
  });
  assert.equal(text, 'Hello, you.');
  assert.equal(finishReason, 'stop');
});

suite.both('words without tools', async (streamed) => {
  assert.equal((await generate(streamed, { prompt: ask('Hi', '@say Hello.') })).text, 'Hello.');
});

suite.both('one call', async (streamed) => {
  const { toolCalls, finishReason } = await generate(streamed, {
    prompt: ask('Weather?', '@1 get_weather(city="Oslo", unit="celsius")'),
    tools: toolset(['get_weather', 'get_time'], false),
  });
  assert.deepEqual(called(toolCalls), [['get_weather', { city: 'Oslo', unit: 'celsius' }]]);
  assert.equal(finishReason, 'tool-calls');
});

suite.both('a call without arguments', async (streamed) => {
  const { toolCalls } = await generate(streamed, { prompt: ask('When?', '@1 now()'), tools: toolset(['now'], false) });
  assert.deepEqual(called(toolCalls), [['now', {}]]);
});

suite.both('words in front of parallel calls', async (streamed) => {
  const { toolCalls, text } = await generate(streamed, {
    prompt: ask('Both?', '@words Looking.', '@1 get_weather(city="Oslo")', '@1 get_time(city="Rome")'),
    tools: toolset(['get_weather', 'get_time'], false),
  });
  assert.equal(text.trim(), 'Looking.');
  assert.deepEqual(called(toolCalls), [['get_weather', { city: 'Oslo' }], ['get_time', { city: 'Rome' }]]);
  assert.equal(new Set(toolCalls.map((call) => call.toolCallId)).size, 2);
});

suite.check("a call's input as it is written", 'streamed', async () => {
  const { parts } = await generate(true, {
    prompt: ask('A table', `@1 ${BOOKING_CODE}`),
    tools: toolset(['book-table'], false),
  });
  const input = parts.filter((part) => part.type === 'tool-input-delta').map((part) => part.delta);
  assert.deepEqual(JSON.parse(input.join('')), BOOKING);
});

if (api !== 'openai') suite.both('thoughts', async (streamed) => {
  const { reasoningText, text } = await generate(streamed, {
    prompt: ask('Hi', '@think Who is it?', '@say Hello.'),
    tools: toolset(['now']),
    providerOptions: thinking,
  });
  assert.deepEqual([reasoningText, text], ['Who is it?', 'Hello.']);
});

suite.both('tokens', async (streamed) => {
  const { steps, totalUsage } = await generate(streamed, {
    prompt: ask('When?', '@1 now()'),
    tools: toolset(['now']),
    stopWhen: isStepCount(3),
  });
  for (const { usage } of steps) assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
  assert.equal(totalUsage.inputTokens, steps[0].usage.inputTokens + steps[1].usage.inputTokens);
});

suite.both('nested arguments', async (streamed) => {
  const result = await generate(streamed, {
    prompt: ask('A table', `@1 ${BOOKING_CODE}`),
    tools: toolset(['book-table']),
    stopWhen: isStepCount(3),
  });
  assert.deepEqual(ran(result), [['book-table', BOOKING]]);
  assert.match(result.text, /李雷/);
});

suite.both('all kinds of schemas', async (streamed) => {
  const { toolCalls } = await generate(streamed, {
    prompt: ask('Go', `@1 file_report(${REPORT_CODE})`),
    tools: { file_report: tool({ description: 'File a report.', inputSchema: Report }) },
  });
  assert.deepEqual(toolCalls[0].input, REPORT);
});

suite.both('a schema in itself', async (streamed) => {
  const { toolCalls } = await generate(streamed, {
    prompt: ask('Go', '@1 plant(label="a", children=[{"label": "b", "children": []}])'),
    tools: { plant: tool({ description: 'Plant a tree.', inputSchema: Tree }) },
  });
  assert.deepEqual(called(toolCalls), [['plant', { label: 'a', children: [{ label: 'b', children: [] }] }]]);
});

suite.both('odd texts', async (streamed) => {
  const result = await generate(streamed, {
    prompt: ask('Write', `@1 note(text=${python(ODD)})`),
    tools: toolset(['note']),
    stopWhen: isStepCount(3),
  });
  assert.deepEqual(ran(result), [['note', { text: ODD }]]);
  assert.ok(result.text.includes(`noted: ${ODD}`), result.text);
});

suite.both('several steps', async (streamed) => {
  const result = await generate(streamed, {
    prompt: ask(
      'Plan',
      '@think Cities first.',
      '@1 get_weather(city="Oslo")',
      '@1 get_weather(city="Rome")',
      '@2 get_time(city="Rome")',
      '@3 note(text="go")',
      '@say Off to Rome.',
    ),
    tools: toolset(['get_weather', 'get_time', 'note']),
    stopWhen: isStepCount(6),
  });
  assert.equal(result.text, 'Off to Rome.');
  assert.equal(result.steps.length, 4);
  assert.deepEqual(ran(result).map(([each]) => each), ['get_weather', 'get_weather', 'get_time', 'note']);
  assert.ok(result.totalUsage.totalTokens > 0);
});

if (api !== 'openai') suite.both('thoughts that go back with the results', async (streamed) => {
  const result = await generate(streamed, {
    prompt: ask('Weather?', '@think Where?', '@1 get_weather(city="Oslo")', '@2 get_weather(city="Rome")', '@say Rome.'),
    tools: toolset(['get_weather']),
    stopWhen: isStepCount(4),
    providerOptions: thinking,
  });
  assert.deepEqual(result.steps.map((step) => step.reasoningText), ['Where?', undefined, undefined]);
  assert.equal(result.text, 'Rome.');
});

suite.both('a program over steps', async (streamed) => {
  const result = await generate(streamed, {
    prompt: ask(
      'Where does it snow?',
      '@1 for city in ["Rome", "Oslo"]:',
      '@1     if get_weather(city=city) == "snow":',
      '@1         print(city, get_time(city=city))',
    ),
    tools: toolset(['get_weather', 'get_time']),
    stopWhen: isStepCount(6),
  });
  assert.deepEqual(ran(result).map(([, given]) => given.city), ['Rome', 'Oslo', 'Oslo']);
  assert.ok(result.text.includes('Oslo 14:30'), result.text);
});

suite.check('a program whose calls come back with defaults', 'plain', async () => {
  const options = z.object({ deep: z.boolean().default(false) });
  const inputSchema = z.object({ city: z.string(), days: z.number().default(1), options: options.optional() });
  const look = tool({ description: 'Look.', inputSchema, execute: ({ city }) => WEATHER[city] });
  const prompt = ask(
    'Where does it snow?',
    '@1 for city in ["Rome", "Oslo"]:',
    '@1     if look(city=city, options={}) == "snow":',
    '@1         print(city, look(city=city, days=3))',
  );
  const result = await generate(false, { prompt, tools: { look }, stopWhen: isStepCount(6) });
  assert.deepEqual(ran(result), [
    ['look', { city: 'Rome', days: 1, options: { deep: false } }],
    ['look', { city: 'Oslo', days: 1, options: { deep: false } }],
    ['look', { city: 'Oslo', days: 3 }],
  ]);
  const asked = result.steps.map((step) => step.response.headers['x-emulator-upstream-calls']);
  assert.deepEqual(asked, ['1', '0', '0', '1']);
});

suite.both('a tool that fails', async (streamed) => {
  const result = await generate(streamed, {
    prompt: ask('Weather?', '@1 get_weather(city="Atlantis")', '@2 get_weather(city="Rome")'),
    tools: toolset(['get_weather']),
    stopWhen: isStepCount(4),
  });
  assert.equal(result.steps[0].content.filter((part) => part.type === 'tool-error').length, 1);
  assert.match(result.text, /no weather station in Atlantis.*sun/s);
});

suite.both('calls required, named, forbidden', async (streamed) => {
  const tools = toolset(['get_weather', 'now'], false);
  const required = await generate(streamed, { prompt: 'Hi', tools, toolChoice: 'required' });
  assert.equal(required.toolCalls.length, 1);
  const named = await generate(streamed, { prompt: 'Hi', tools, toolChoice: { type: 'tool', toolName: 'now' } });
  assert.deepEqual(called(named.toolCalls), [['now', {}]]);
  const none = await generate(streamed, { prompt: ask('now', '@say No.'), tools, toolChoice: 'none' });
  assert.deepEqual([none.text, none.toolCalls], ['No.', []]);
});

suite.both('a conversation', async (streamed) => {
  const messages = [{ role: 'user', content: ask('Weather?', '@1 get_weather(city="Oslo")', '@say Snow.') }];
  const tools = toolset(['get_weather']);
  const first = await generate(streamed, { messages, tools, stopWhen: isStepCount(3) });
  messages.push(...first.responseMessages, { role: 'user', content: ask('Rome?', '@1 get_weather(city="Rome")') });
  const second = await generate(streamed, { messages, tools, stopWhen: isStepCount(3) });
  assert.deepEqual(ran(second), [['get_weather', { city: 'Rome' }]]);
  assert.match(second.text, /sun/);
});

suite.both('an agent', async (streamed) => {
  const agent = new ToolLoopAgent({ model, instructions: 'Be brief.', tools: toolset(['get_weather']), maxRetries: 0 });
  const prompt = ask('Weather?', '@1 get_weather(city="Oslo")', '@say Snow.');
  const result = streamed ? await agent.stream({ prompt }) : await agent.generate({ prompt });
  assert.equal(await result.text, 'Snow.');
});

suite.both('a picture', async (streamed) => {
  const image = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  const { text } = await generate(streamed, {
    messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'image', image }] }],
    tools: toolset(['now']),
  });
  assert.equal(text, 'I see 1 picture.');
});

suite.both('steps with a choice of tools each', async (streamed) => {
  const result = await generate(streamed, {
    prompt: ask('Go', '@1 now()', '@2 get_weather(city="Oslo")', '@say Done.'),
    tools: toolset(['now', 'get_weather']),
    stopWhen: isStepCount(4),
    prepareStep: ({ stepNumber }) => [
      { activeTools: ['now'], toolChoice: 'required' },
      { toolChoice: { type: 'tool', toolName: 'get_weather' } },
    ][stepNumber],
  });
  assert.deepEqual(ran(result), [['now', {}], ['get_weather', { city: 'Oslo' }]]);
  assert.equal(result.text, 'Done.');
});

if (api === 'responses') {
  suite.both('steps of which nothing is stored', async (streamed) => {
    const result = await generate(streamed, {
      prompt: ask('Weather?', '@think Where?', '@1 get_weather(city="Oslo")', '@2 get_weather(city="Rome")', '@say Rome.'),
      tools: toolset(['get_weather']),
      stopWhen: isStepCount(4),
      providerOptions: { openai: { ...thinking.openai, store: false } },
    });
    assert.equal(result.text, 'Rome.');
    assert.equal(result.steps[0].reasoningText, 'Where?');
  });

  suite.both('a conversation that is stored', async (streamed) => {
    const first = await generate(streamed, { prompt: ask('Hi', '@say Hello.') });
    const { responseId } = first.steps[0].providerMetadata.openai;
    const second = await generate(streamed, {
      prompt: ask('Weather?', '@1 get_weather(city="Oslo")'),
      tools: toolset(['get_weather'], false),
      providerOptions: { openai: { previousResponseId: responseId } },
    });
    assert.deepEqual(called(second.toolCalls), [['get_weather', { city: 'Oslo' }]]);
  });

  suite.both('a tool of the platform', async (streamed) => {
    const tools = { web_search: openai.tools.webSearch({}) };
    await assert.rejects(generate(streamed, { prompt: 'News?', tools }), (error) => {
      assert.ok(APICallError.isInstance(error), String(error));
      assert.match(error.message, /web_search/);
      return true;
    });
  });
}

if (api === 'messages') {
  suite.both("a tool that is the provider's and runs here", async (streamed) => {
    const seen = [];
    const bash = anthropic.tools.bash_20250124({
      execute: ({ command }) => {
        seen.push(command);
        return 'README.md';
      },
    });
    const result = await generate(streamed, {
      prompt: ask('Files?', '@1 bash(command="ls -1 \'a b\'")', '@say One.'),
      tools: { bash },
      stopWhen: isStepCount(3),
    });
    assert.deepEqual([seen, result.text], [["ls -1 'a b'"], 'One.']);
  });

  suite.both('one call at a time', async (streamed) => {
    const { toolCalls } = await generate(streamed, {
      prompt: ask('Both', '@1 get_weather(city="Oslo")', '@1 now()'),
      tools: toolset(['get_weather', 'now'], false),
      providerOptions: { anthropic: { disableParallelToolUse: true } },
    });
    assert.deepEqual(called(toolCalls), [['get_weather', { city: 'Oslo' }]]);
  });
}

await suite.run();
