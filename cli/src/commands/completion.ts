import { SHELLS } from '../completion/scripts.js';
import type { CommandSpec } from './command.js';

export const completion: CommandSpec = {
  name: 'completion',
  summary: 'Print a script that lets a shell complete commands, options, connectors and job files',
  positionals: [{ name: 'shell', summary: `One of ${SHELLS.join(', ')}`, choices: SHELLS }],
  options: {
    words: {
      kind: 'text',
      value: '<words>',
      summary: 'What the script asks: the candidates for the last of these words, one a line',
    },
  },
  examples: [
    { command: 'sluice completion fish > ~/.config/fish/completions/sluice.fish', summary: 'For fish' },
    { command: "echo 'source <(sluice completion bash)' >> ~/.bashrc", summary: 'For bash' },
    {
      command: "echo 'source <(sluice completion zsh)' >> ~/.zshrc",
      summary: 'For zsh, behind the line with compinit',
    },
  ],
  action: () => import('../actions/completion.js'),
};
