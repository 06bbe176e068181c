// What all suites share: checks are run one after the other, and each prints one line of JSON,
// {check, mode, ok, detail}, which test_node.py reads.  A check that hangs fails by itself; the others still run.

const PATIENCE = 20_000;

export const url = process.argv[2];
export const model = 'scripted';

/** A request with the script of the model's answers (tests/clients/model.py) below it. */
export function ask(text, ...script) {
  return [text, ...script].join('\n');
}

/** A bit of everything that breaks naive quoting. */
export const ODD = 'Grüße, 東京 🌧️: "a\'b" \\n C:\\temp ```py```';

/** Python source of a text. */
export function python(text) {
  return JSON.stringify(text);
}

export class Suite {
  checks = [];

  /** `run(streamed)` throws if the check fails; `modes` of 'plain' and 'streamed'. */
  check(name, modes, run) {
    for (const mode of modes.split(' ')) this.checks.push({ name, mode, run: () => run(mode === 'streamed') });
  }

  both(name, run) {
    this.check(name, 'plain streamed', run);
  }

  async run() {
    for (const { name, mode, run } of this.checks) {
      let problem = '';
      try {
        await inTime(run());
      } catch (error) {
        problem = String(error?.stack ?? error);
      }
      console.log(JSON.stringify({ check: name, mode, ok: !problem, detail: problem }));
    }
    process.exit(0);
  }
}

async function inTime(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${PATIENCE} ms`)), PATIENCE);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
