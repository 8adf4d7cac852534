/** The rows of a column under construction that have no value. */
import { type Bitmap, type Column, clearBit, filledBitmap, type Layout } from '@sluice/sdk';

/** Collects null and special rows; the bitmap is made at the first one, so a full column costs nothing. */
export class Nulls {
  validity: Bitmap | undefined;
  private specials: Map<number, string> | undefined;

  constructor(private readonly length: number) {}

  mark(row: number): void {
    this.validity ??= filledBitmap(this.length);
    clearBit(this.validity, row);
  }

  /** A value outside its type's range, kept as text under a null bit. */
  markSpecial(row: number, text: string): void {
    this.mark(row);
    this.specials ??= new Map();
    this.specials.set(row, text);
  }

  column(data: Layout): Column {
    return {
      length: this.length,
      data,
      ...(this.validity && { validity: this.validity }),
      ...(this.specials && { special: this.specials }),
    };
  }
}
