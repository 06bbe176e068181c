// Vercel's AI SDK with two tools: streamText runs the whole loop; the answer is shown as it is written.
//
// `npm install ai @ai-sdk/openai-compatible zod` in this folder, start the server (`python app.py`), then
// `node ai_sdk_client.mjs`.  The variables OPENAI_BASE_URL and MODEL name another server and model.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { isStepCount, streamText, tool } from 'ai';
import { z } from 'zod';

const model = process.env.MODEL ?? 'qwen2.5-coder-0.5b-instruct';
const question = 'How is the weather in Oslo, and what time is it in Lisbon?';

const inputSchema = z.object({ city: z.string().describe('Name of the city') });
const tools = {
  get_weather: tool({
    description: 'Current weather in a city.',
    inputSchema,
    execute: ({ city }) => {
      console.log(`get_weather(${city})`);
      return `${city}: snow, -2 °C`;
    },
  }),
  get_time: tool({
    description: 'Current local time in a city.',
    inputSchema,
    execute: ({ city }) => {
      console.log(`get_time(${city})`);
      return `${city}: 14:30`;
    },
  }),
};

const provider = createOpenAICompatible({
  name: 'emulator',
  baseURL: process.env.OPENAI_BASE_URL ?? 'http://127.0.0.1:8001/v1',
  supportsStructuredOutputs: true,
});
const { textStream } = streamText({ model: provider(model), tools, prompt: question, stopWhen: isStepCount(5) });
for await (const text of textStream) process.stdout.write(text);
console.log();
