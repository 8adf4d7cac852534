import type { CommandSpec } from './command.js';
import { state } from './shared-options.js';

export const dlqShow: CommandSpec = {
  name: 'dlq show',
  summary: 'Show one dead letter: the row, where it was refused and why',
  positionals: [
    { name: 'job', summary: 'Job file, or the name of a job', completion: 'job' },
    { name: 'id', summary: 'The letter, as `dlq list` names it' },
  ],
  options: { state },
  examples: [
    {
      command: 'sluice dlq show shop.json main/lake/1/public.orders/3/sink/public.orders/17',
      summary: 'One letter whole',
    },
  ],
  action: () => import('../actions/dlq-show.js'),
};
