/** Templates for the names of targets: which parts of a stream's name they may use. */
import { nearestName } from '@sluice/sdk';

/** The parts of a stream's name: `public.orders` has stream `orders`, schema `public` and name `public.orders`. */
export const TEMPLATE_PARTS = ['stream', 'schema', 'name'] as const;

/** What is wrong with a template; undefined when nothing is. */
export function templateProblem(template: string): string | undefined {
  for (const [all, name] of template.matchAll(/\{([^{}]*)\}/g)) {
    if ((TEMPLATE_PARTS as readonly string[]).includes(name!)) continue;
    const near = nearestName(name!, TEMPLATE_PARTS);
    const hint = near === undefined ? 'there are {stream}, {schema} and {name}' : `did you mean {${near}}?`;
    return `${all} stands for nothing; ${hint}`;
  }
  if (/[{}]/.test(template.replace(/\{[^{}]*\}/g, ''))) return 'a { or } in it has no partner';
  return undefined;
}
