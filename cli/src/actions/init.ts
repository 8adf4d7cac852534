import { join, resolve } from 'node:path';
import type { ConnectionSpec } from '@sluice/sdk';
import { shellWord } from '@sluice/sdk';
import type { Action, CommandInput } from '../commands/command.js';
import { locationWord, plainLocation } from '../copy/copy-name.js';
import { type AskedConnection, askConnection } from '../init/ask-connection.js';
import { askJob } from '../init/ask-job.js';
import { draftJob } from '../init/draft-job.js';
import { givenAnswers, type Questions, terminalQuestions } from '../init/questions.js';
import { separateSecrets } from '../init/separate-secrets.js';
import { freeName, refuseExisting, writeJob, writeSecrets } from '../init/write-job.js';
import { hideCredentials, registryAt } from '../job/open-job.js';
import type { Output } from '../output/output.js';

export const action: Action = async (input, output) => {
  const isAsked = process.stdin.isTTY && output.stderr.isTTY && !output.json && !input.flag('yes');
  const questions = isAsked ? terminalQuestions('init') : givenAnswers();
  try {
    return await makeJob(input, questions, output);
  } finally {
    questions.close();
  }
};

async function makeJob(input: CommandInput, questions: Questions, output: Output): Promise<number> {
  const folder = resolve();
  const registry = registryAt(folder);
  const from =
    input.positionals[0] ?? (await questions.ask({ text: 'Source: URL, path, glob or connector' }));
  const to = input.positionals[1] ?? (await questions.ask({ text: 'Sink: URL, path or connector' }));
  hideCredentials(output, [from, to]);
  const name = await askName(input, questions, from, to, folder);
  const file = `${name}.json`;
  refuseExisting(join(folder, file));
  const source = await askConnection(from, 'source', input.pairs('from'), registry, folder, questions);
  const sink = await askConnection(to, 'sink', input.pairs('to'), registry, folder, questions);
  const { answers, streams, notes } = await askJob(name, source, sink, input, questions, output);

  const secrets: { [variable: string]: string } = {};
  const withoutSecrets = ({ connection, schema }: AskedConnection, side: string): ConnectionSpec => {
    const separated = separateSecrets(connection, schema, (path, value) => {
      const wanted = [name, side, ...path]
        .join('_')
        .replace(/[^A-Za-z0-9]+/g, '_')
        .toUpperCase();
      return freeName(/^\d/.test(wanted) ? `_${wanted}` : wanted, value, folder, output.env);
    });
    Object.assign(secrets, separated.secrets);
    return separated.connection as ConnectionSpec;
  };
  const job = draftJob({
    ...answers,
    source: withoutSecrets(source, 'source'),
    sink: withoutSecrets(sink, 'sink'),
  });
  const variables = writeSecrets(folder, secrets, output.env);
  writeJob(folder, file, job);
  const next = [`sluice plan ${shellWord(file)}`, `sluice run ${shellWord(file)}`];
  const { stdout } = output;
  if (output.json) {
    const { mode, write } = answers;
    stdout.json({ job: name, file, streams, mode, write, variables, notes, next });
    return 0;
  }
  stdout.line(
    `${stdout.colours.green('✔')} ${file}: ${streams.length} ${streams.length === 1 ? 'stream' : 'streams'}, ${answers.mode}, ${answers.write}`,
  );
  if (variables.length > 0) stdout.line(`${stdout.colours.green('✔')} .env: ${variables.join(', ')}`);
  for (const note of notes) stdout.line(`${stdout.colours.yellow('!')} ${note}`);
  if (!output.quiet) stdout.line(`\nNext: ${next.join(', then ')}`);
  return 0;
}

/** Names are identity and a file's name: letters that every system takes. */
function askName(
  input: CommandInput,
  questions: Questions,
  from: string,
  to: string,
  folder: string,
): Promise<string> {
  const words = [from, to].map((location) => locationWord(plainLocation(location, folder)));
  const refuse = (answer: string) =>
    /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(answer)
      ? undefined
      : `a name has letters, digits, - and _, and "${answer}" has others`;
  const given = input.text('name');
  const proposal = given ?? (words.filter((word) => word !== '').join('-to-') || 'job');
  const question = { text: 'Name of the job', proposal, refuse };
  return given === undefined ? questions.ask(question) : givenAnswers().ask(question);
}
