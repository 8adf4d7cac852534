/** Writes one split's rows into parts, and makes epochs of them. See docs/design/file-commit.md. */
import type { StoredWriter } from '@sluice/formats';
import {
  type Batch,
  type Clear,
  type Epoch,
  failpoint,
  type Json,
  type LaneRequest,
  sdkErrors,
  type TablePlan,
  type Token,
  type TwoPhaseWriter,
} from '@sluice/sdk';
import { type EpochFile, epochName, hash, type JobFolder } from './job-folder.js';
import type { PartFormat, PartWriter } from './part-format.js';
import type { TargetDetail } from './target-detail.js';

export interface Rotation {
  readonly bytes: number;
  readonly rows: number;
}

interface OpenPart {
  readonly file: StoredWriter;
  readonly writer: PartWriter;
  rows: number;
}

export class FileWriter implements TwoPhaseWriter {
  readonly protocol = 'two-phase';
  private part: OpenPart | undefined;
  private isOpen = false;
  private parts = 0;
  /** Epochs of this writer; part of the names of its files, which must not meet those of another epoch. */
  private turn = 0;

  constructor(
    private readonly folder: JobFolder,
    private readonly lane: LaneRequest,
    private readonly format: PartFormat,
    private readonly rotation: Rotation,
    /** Bytes that an open part may hold back. */
    private readonly memory: number,
  ) {}

  async write(message: Batch | Clear): Promise<void> {
    if (message.kind === 'clear') throw sdkErrors.notSupported('files cannot clear a stream');
    this.part ??= await this.openPart();
    await this.part.writer.write(message);
    this.part.rows += message.rowCount;
    if (this.part.writer.bytes >= this.rotation.bytes || this.part.rows >= this.rotation.rows)
      await this.closePart();
  }

  async prepare(epoch: Epoch): Promise<Token> {
    await this.closePart();
    await this.openFolder();
    const { split, generation, number, position, sealed } = epoch;
    const content: EpochFile = { split, generation, epoch: number, position, sealed, place: this.placeOf() };
    const name = epochName(split, generation, number);
    const { storage } = this.folder;
    await this.folder.guarded(async () => {
      const file = await storage.create(`${this.open}/epoch.json`);
      await file.write(Buffer.from(JSON.stringify(content)));
      await file.finish();
      failpoint('file.prepare.before-stage');
      await storage.remove(this.folder.in('staged', name));
      await storage.rename(this.open, this.folder.in('staged', name));
    });
    failpoint('file.prepare.after-stage');
    this.isOpen = false;
    this.parts = 0;
    this.turn++;
    return { split: split.id, generation, number, name };
  }

  commit(token: Token): Promise<void> {
    return this.folder.commit(token['name'] as string);
  }

  async abort(): Promise<void> {
    const part = this.part;
    this.part = undefined;
    this.isOpen = false;
    this.parts = 0;
    await part?.file.abort();
    await this.folder.storage.remove(this.open);
  }

  close(): Promise<void> {
    return this.abort();
  }

  private get open(): string {
    return this.folder.in(`open-${hash(this.lane.split.id)}`);
  }

  private get table(): TablePlan {
    return this.lane.tables[0]!;
  }

  /** Empties and makes the folder that this epoch's parts are written in. */
  private async openFolder(): Promise<void> {
    if (this.isOpen) return;
    const { storage } = this.folder;
    await storage.remove(this.open);
    await this.folder.guarded(() => storage.makeFolderIn(this.open));
    this.isOpen = true;
  }

  private async openPart(): Promise<OpenPart> {
    await this.openFolder();
    const { generation, split, job } = this.lane;
    const name = `part-${generation}-${hash(split.id)}-${job.fence}-${this.turn}-${this.parts++}${this.format.ending}`;
    const file = await this.folder.guarded(() => this.folder.storage.create(`${this.open}/${name}`));
    return {
      file,
      writer: this.format.open(this.table.schema.fields, (bytes) => file.write(bytes), this.memory),
      rows: 0,
    };
  }

  private async closePart(): Promise<void> {
    const part = this.part;
    if (part === undefined) return;
    await part.writer.finish();
    failpoint('file.part.before-sync');
    await this.folder.guarded(() => part.file.finish());
    this.part = undefined;
  }

  private placeOf(): EpochFile['place'] {
    const detail = this.table.detail as Json as unknown as TargetDetail;
    if (this.table.publish === 'none') return { target: detail.folder };
    return { generationOf: generationName(detail, this.lane.generation) };
  }
}

/** The folder of a target's generation that is not published. */
export function generationName({ folder, file }: TargetDetail, generation: number): string {
  return `${hash(file ?? folder)}.${generation}`;
}
