/** Comparing keys of several columns. DuckDB compares rows too, but turns two such conditions into a BETWEEN that it lacks. */

/** A condition that holds for keys before or after others, column by column; both sides are SQL expressions. */
export function compareKeys(
  keys: readonly string[],
  operator: '>' | '>=' | '<' | '<=',
  values: readonly string[],
): string {
  const strict = operator.startsWith('>') ? '>' : '<';
  const last = values.length - 1;
  const cases = values.map((value, i) => {
    const equal = keys.slice(0, i).map((key, k) => `${key} = ${values[k]}`);
    return [...equal, `${keys[i]} ${i === last ? operator : strict} ${value}`].join(' AND ');
  });
  return cases.length === 1 ? cases[0]! : `(${cases.map((one) => `(${one})`).join(' OR ')})`;
}
