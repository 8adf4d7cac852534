/** Names of targets: a template over the stream's name. */

/**
 * Renders a target's name. `{stream}` is the last part of the stream's name, `{schema}` what stands before it
 * (`public.orders`: `orders` and `public`), `{name}` the whole name. Without a template: the whole name. A part that
 * is empty takes the dot beside it along. The template has been checked with the job.
 */
export function targetName(template: string | undefined, stream: string): string {
  if (template === undefined) return stream;
  const dot = stream.lastIndexOf('.');
  const schema = dot < 0 ? '' : stream.slice(0, dot);
  return template
    .replaceAll('{name}', stream)
    .replaceAll('{stream}', stream.slice(dot + 1))
    .replaceAll('{schema}', schema)
    .replace(/^\.|\.$/g, '');
}
