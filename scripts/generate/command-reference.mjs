// The reference of the command line, made from the declarations that also make its help.
import { code, prose, table } from './markdown.mjs';

const exitCodes = [
  [0, 'all is done'],
  [1, 'a defect of Sluice or of a connector'],
  [2, 'the command line or the job file is wrong'],
  [3, 'credentials or permissions are missing'],
  [4, 'source, sink and state no longer agree with each other'],
  [5, 'rows cannot be kept'],
  [75, 'a system does not answer, or another run holds the job: try again later'],
  [130, 'stopped by SIGINT (Ctrl-C), state saved'],
  [143, 'stopped by SIGTERM, state saved'],
];

/** @param {{ commands: import('../../cli/dist/index.js').CommandSpec[], globalOptions: object, usageLine: Function, optionRow: Function }} cli */
export function commandReference({ commands, globalOptions, usageLine, optionRow }) {
  const options = (specs) =>
    table(
      ['option', 'what it does'],
      Object.entries(specs)
        .map((entry) => optionRow(entry))
        .map(([term, text]) => [code(term), text]),
    );
  const sections = commands.map((spec) =>
    [
      `## sluice ${spec.name}`,
      `${code(usageLine(spec))}`,
      prose(`${spec.summary}.${spec.description ? ` ${spec.description}` : ''}`),
      table(
        ['argument', 'what it is'],
        spec.positionals.map(({ name, summary }) => [code(name), summary]),
      ),
      options(spec.options),
      `\`\`\`sh\n${spec.examples.map(({ command, summary }) => `# ${summary}\n${command}`).join('\n')}\n\`\`\``,
    ]
      .filter((part) => part !== '')
      .join('\n\n'),
  );
  const intro = [
    '# The command line',
    'People get progress, tables and colour on a terminal. Programs get one JSON event a line on stdout with `--json`, and logs as JSON on stderr; without it the last line of stdout is the result of the run as JSON wherever stdout is no terminal. When rows go to stdout, the result goes to stderr instead. `NO_COLOR` and `FORCE_COLOR` are respected.',
    '## For every command',
    options(globalOptions),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      exitCodes.map(([number, meaning]) => [code(number), meaning]),
    ),
  ];
  return `${[...intro, ...sections].join('\n\n')}\n`;
}
