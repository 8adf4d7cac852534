/** Places in a job: a key or an index per level. */
export type Path = readonly PropertyKey[];

/** `flows.main.sinks.lake.write`; keys that are no plain names are quoted: `streams["public.*"].mode`. */
export function pathText(path: Path): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (!/^[A-Za-z_$][\w$-]*$/.test(String(key))) text += `[${JSON.stringify(String(key))}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text;
}
