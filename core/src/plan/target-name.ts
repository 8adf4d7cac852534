/** Names of targets: a template over the stream's name. */
import { coreErrors } from '../errors.js';

/**
 * Renders a target's name. `{stream}` is the last part of the stream's name, `{schema}` what stands before it
 * (`public.orders`: `orders` and `public`), `{name}` the whole name. Without a template: the whole name.
 */
export function targetName(template: string | undefined, stream: string): string {
  if (template === undefined) return stream;
  const dot = stream.lastIndexOf('.');
  const parts: { [name: string]: string } = {
    name: stream,
    stream: stream.slice(dot + 1),
    schema: dot < 0 ? '' : stream.slice(0, dot),
  };
  const rendered = template.replace(/\{(\w*)\}/g, (all, name: string) => {
    const part = parts[name];
    if (part === undefined) {
      throw coreErrors.jobInvalid(`${all} in the target name ${template} stands for nothing; use {stream}, {schema} or {name}`);
    }
    return part;
  });
  return rendered.replace(/^\.|\.$/g, '');
}
