// The tools that the suites offer, as functions of this process, and as Chat Completions declares them.

export const WEATHER = { Oslo: 'snow', Rome: 'sun', Lisbon: 'rain' };

const text = (description) => ({ type: 'string', description });

export const SCHEMAS = {
  get_weather: {
    description: 'Current weather in a city.',
    parameters: {
      type: 'object',
      properties: { city: text('Name of the city'), unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
      required: ['city'],
    },
  },
  get_time: {
    description: 'Current local time in a city.',
    parameters: { type: 'object', properties: { city: text('Name of the city') }, required: ['city'] },
  },
  note: {
    description: 'Write something down.',
    parameters: { type: 'object', properties: { text: text('What to write') }, required: ['text'] },
  },
  'book-table': {
    description: 'Book a table.',
    parameters: {
      type: 'object',
      properties: {
        at: text('When, ISO 8601'),
        guests: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              name: text('Full name'),
              age: { type: 'integer' },
              allergies: { type: 'array', items: { type: 'string' } },
              address: { type: 'object', properties: { street: text(''), city: text('') }, required: ['street'] },
            },
            required: ['name'],
          },
        },
        vip: { type: 'boolean' },
      },
      required: ['at', 'guests'],
    },
  },
  now: { description: 'The time.', parameters: { type: 'object', properties: {} } },
};

export const FUNCTIONS = {
  get_weather: ({ city }) => {
    if (!(city in WEATHER)) throw new Error(`no weather station in ${city}`);
    return WEATHER[city];
  },
  get_time: () => '14:30',
  note: ({ text }) => `noted: ${text}`,
  'book-table': ({ guests }) => ({ booked: guests.map((guest) => guest.name) }),
  now: () => '2026-11-21T14:30',
};

/** Python that books a table, and the arguments that it stands for. */
export const BOOKING = {
  at: '2026-12-24T19:00',
  guests: [
    { name: 'Søren Åberg', age: 41, allergies: ['nuts', 'soy'], address: { street: 'Østergade 1', city: 'København' } },
    { name: '李雷' },
  ],
  vip: true,
};
export const BOOKING_CODE =
  'book_table(at="2026-12-24T19:00", guests=[{"name": "Søren Åberg", "age": 41, "allergies": ["nuts", "soy"],' +
  ' "address": {"street": "Østergade 1", "city": "København"}}, {"name": "李雷"}], vip=True)';

export function chatTool(name) {
  return { type: 'function', function: { name, ...SCHEMAS[name] } };
}

export function responsesTool(name) {
  return { type: 'function', name, ...SCHEMAS[name], strict: false };
}
