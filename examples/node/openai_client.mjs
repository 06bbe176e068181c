// The openai package for Node with two tools: runTools asks, runs what is called and sends the results, streamed.
//
// `npm install openai` in this folder, start the server (`python app.py`), then `node openai_client.mjs`.
// The variables OPENAI_BASE_URL and MODEL name another server and model.

import OpenAI from 'openai';

const model = process.env.MODEL ?? 'qwen2.5-coder-0.5b-instruct';
const question = 'How is the weather in Oslo, and what time is it in Lisbon?';

const results = { get_weather: 'snow, -2 °C', get_time: '14:30' };

function tool(name, description) {
  const city = { type: 'string', description: 'Name of the city' };
  return {
    type: 'function',
    function: {
      name,
      description,
      parameters: { type: 'object', properties: { city }, required: ['city'] },
      parse: JSON.parse,
      function: (given) => {
        console.log(`${name}(${given.city})`);
        return `${given.city}: ${results[name]}`;
      },
    },
  };
}

const client = new OpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? 'http://127.0.0.1:8001/v1',
  apiKey: 'not-needed',
});
const runner = client.chat.completions.runTools({
  model,
  stream: true,
  messages: [{ role: 'user', content: question }],
  tools: [tool('get_weather', 'Current weather in a city.'), tool('get_time', 'Current local time in a city.')],
});
console.log(await runner.finalContent());
