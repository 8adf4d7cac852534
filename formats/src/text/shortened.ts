/** A value as an error message shows it: quoted, on one line, at most sixty characters. */
export function shortened(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  return JSON.stringify(shown);
}
