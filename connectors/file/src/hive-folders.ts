/**
 * Folders called `name=value`, as Hive lays out tables by some of their columns: the rows below hold neither name nor
 * value. Names and values are percent-encoded where a path could not hold them; a word of its own stands for null.
 * https://cwiki.apache.org/confluence/display/Hive/LanguageManual+DDL
 */

export interface FolderValue {
  readonly name: string;
  readonly value: string | null;
}

const NULL = '__HIVE_DEFAULT_PARTITION__';
/** What Hive escapes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: paths hold none
const SPECIAL = /[\u0000-\u001f\u007f"#%'*/:=?\\{[\]^]/g;

/** Whether a folder's name says a column and its value. */
export function isHiveFolder(name: string): boolean {
  return name.indexOf('=') > 0;
}

/** The values that the folders of a file's path say, from the outermost on. */
export function folderValues(path: string): FolderValue[] {
  return path
    .split('/')
    .slice(0, -1)
    .filter(isHiveFolder)
    .map((folder) => {
      const at = folder.indexOf('=');
      const value = folder.slice(at + 1);
      return { name: decoded(folder.slice(0, at)), value: value === NULL ? null : decoded(value) };
    });
}

/** The name of a value's folder. A text that readers take for null gets its first letter encoded. */
export function hiveFolder(name: string, value: string | null): string {
  const text = value === null ? NULL : encoded(value);
  const isMistakable = value !== null && (text === NULL || /^null$/i.test(text));
  return `${encoded(name)}=${isMistakable ? `${percent(text[0]!)}${text.slice(1)}` : text}`;
}

function encoded(text: string): string {
  return text.replace(SPECIAL, percent);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}
